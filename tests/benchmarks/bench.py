"""The parts of the benchmark of trainings: each measures one thing and prints a table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np

from playground.datasets import SHIPPED_HOLD_OUT, DatasetSpec, Sizes, generate, load_dataset, parse_hold_out
from playground.files import default_rules
from playground.models import Size
from playground.training import default_recipe
from playground.worlds import load_world
from tests.benchmarks.comparison import Whole, measure_turns, measure_whole
from tests.benchmarks.limits import measure_architectures, measure_limit, profile_step
from tests.benchmarks.many import ONE_AT_A_TIME, measure_on_cores, measure_on_gpu
from tests.benchmarks.outcomes import GPT2, largest_difference, rank_test, recipe_of, run_ours, run_trainer
from tests.benchmarks.sides import Side, Task
from tests.benchmarks.tables import ratio, say, say_aloud, show, spread

SIDES: dict[Side, str] = {
    "original": "(a) the original's job, Trainer",
    "trainer": "(b) Trainer on our tokens",
    "ours": "(c) ours",
}
GOALS: dict[Side, float] = {"original": 30, "trainer": 1.5}
LONGER = 10
"""At most this many times the default epochs for a model that trains until it has learnt, as with the command."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured."""

    sizes: Sizes = field(default_factory=Sizes)
    rounds: int = 3
    original_steps: int = 100
    blocks: int = 6
    block: int = 25
    equal_steps: int = 20
    profiled_steps: int = 50
    models: int = 2
    model_steps: int = 600
    batched: int = 256
    seeds: int = 5
    seed_steps: int = 1000
    evaluate_every: int = 100


QUICK = Plan(
    sizes=Sizes(train=320, valid=64, test=16),
    rounds=1,
    original_steps=4,
    blocks=2,
    block=4,
    profiled_steps=10,
    models=1,
    model_steps=20,
    batched=8,
    seeds=2,
    seed_steps=20,
    evaluate_every=10,
)


class Bench:
    """The measurements on one device; a folder holds everything that the sides need."""

    def __init__(self, plan: Plan, place: Path, device: str) -> None:
        self.plan, self.place, self.device = plan, place, device
        self.data = place / "data"
        world = load_world(default_rules())
        held_out = parse_hold_out(SHIPPED_HOLD_OUT, world)
        generate(DatasetSpec(world=world, held_out=held_out, sizes=plan.sizes), self.data)
        self.dataset = load_dataset(self.data)
        (place / "tokens").mkdir()
        np.save(place / "tokens/train.npy", self.dataset.train)
        np.save(place / "tokens/valid.npy", self.dataset.valid)
        self.size = GPT2.default_size(self.dataset.spec.template)
        GPT2.make(self.dataset.spec.template, self.size, 0).save_pretrained(place / "initial")
        self._outs = count()

    def task(self, side: Side, **changes) -> Task:
        """Return a job for a side by GPT-2's recipe."""
        usual = {"recipe": default_recipe("gpt2").to_json(), "device": self.device}
        out = self.place / f"out/{next(self._outs)}"
        return Task(side=side, place=str(self.place), out=str(out), **usual | changes)

    def steps(self) -> None:
        """Blocks of steps of the three sides, in turn."""
        plan = self.plan
        many = plan.block * (plan.blocks + 1)
        tasks = [self.task(side, block=plan.block, steps=many) for side in SIDES]
        measured = measure_turns(tasks, plan.blocks)
        rows = [
            (title, spread(measured[side]), ratio(measured[side], measured["ours"]), goal(side))
            for side, title in SIDES.items()
        ]
        heading = f"Steps, {self.device}: {plan.blocks} blocks of {plan.block} of each side in turn"
        show(heading, ("side", "milliseconds a step", "times (c)'s", "goal"), rows)

    def whole(self) -> None:
        """Whole jobs of the three sides, each in its own process."""
        plan, recipe, samples = self.plan, default_recipe("gpt2"), len(self.dataset.train)
        found: dict[Side, list[Whole]] = {side: [] for side in SIDES}
        for number in range(plan.rounds):
            for side in list(SIDES)[:: 1 if number % 2 else -1]:
                say(f"whole jobs on {self.device}, round {number + 1} of {plan.rounds}: {SIDES[side]}")
                steps = plan.original_steps if side == "original" else None
                job = measure_whole(self.task(side, steps=steps))
                if side == "original":
                    job = job.extrapolate(recipe.steps(samples), int(recipe.epochs))
                found[side].append(job)
        seconds = {side: [job.seconds for job in jobs] for side, jobs in found.items()}
        rows = [
            (
                title,
                spread(seconds[side]),
                *(
                    f"{statistics.median(getattr(job, part) for job in found[side]):.1f}"
                    for part in ("start", "steps", "evaluation", "saving")
                ),
                ratio(seconds[side], seconds["ours"]),
                goal(side),
            )
            for side, title in SIDES.items()
        ]
        heading = (
            f"Whole jobs of {recipe.steps(samples):,} steps, {self.device}, seconds, {plan.rounds} of each in turn; "
            f"(a) from {plan.original_steps} steps and one evaluation"
        )
        parts = ("start and end", "steps", "evaluation", "saving")
        show(heading, ("side", "seconds", *parts, "times (c)'s", "goal"), rows)

    def until_learned(self) -> None:
        """Whole jobs of GPT-2 that end when it writes every seen state correctly."""
        usual = default_recipe("gpt2")
        recipe = replace(usual, until_learned=True, cap=LONGER * usual.epochs).to_json()
        jobs = [measure_whole(self.task("ours", recipe=recipe)) for _ in range(self.plan.rounds)]
        row = (spread([job.seconds for job in jobs]), f"{jobs[0].number:,}", "45")
        show(f"`--until-learned`, {self.device}", ("seconds", "steps", "goal"), [row])

    def losses(self) -> None:
        """Losses of (b) and (c), step by step."""
        steps = self.plan.equal_steps
        found = largest_difference(self.data, steps)
        say_aloud(
            f"Losses of (b) and (c) without dropout, {steps} steps: differ by at most {found:.1e} nats."
        )

    def seeds(self) -> None:
        """The results of (b) and (c), with dropout, over some seeds."""
        plan, samples = self.plan, len(self.dataset.train)
        recipe = recipe_of(plan.seed_steps, samples, evaluate_every=plan.evaluate_every)
        sides = {"trainer": run_trainer, "ours": run_ours}
        found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for seed in range(plan.seeds):
            for side in list(sides)[:: -1 if seed % 2 else 1]:
                say(f"results, seed {seed}: {side}")
                found[side].append(sides[side](self.data, seed, recipe).figures)
        rows = []
        for name in found["ours"][0]:
            theirs, ours = ([each[name] for each in found[side]] for side in ("trainer", "ours"))
            listed = (", ".join(f"{value:.4g}" for value in values) for values in (theirs, ours))
            rows.append((name, *listed, f"{rank_test(theirs, ours):.2f}"))
        heading = f"Results after {plan.seed_steps:,} steps, {plan.seeds} seeds, an evaluation every {plan.evaluate_every}"
        show(heading, ("figure", SIDES["trainer"], SIDES["ours"], "p, exact rank sum"), rows)

    def limit(self) -> None:
        """GPT-2's step compared with its matrix products, and where the rest of the time goes."""
        found = measure_limit(self.dataset, self.plan.profiled_steps)
        shapes: dict[tuple[int, ...], list[float]] = {}
        for product in found.products:
            row = shapes.setdefault(product.shape, [0, 0.0])
            row[0] += product.count
            row[1] += product.count * product.seconds
        flops = {product.shape: product.flops for product in found.products}
        rows = [
            (
                " x ".join(map(str, shape)),
                f"{times}",
                f"{times * flops[shape] / seconds / 1e9:.0f}",
                f"{1000 * seconds:.2f}",
            )
            for shape, (times, seconds) in sorted(shapes.items(), key=lambda item: -item[1][1])
        ]
        threads = default_recipe("gpt2").threads
        heading = f"Matrix products of a step of (c), each alone, {threads} threads"
        columns = ("batch x rows x inner x columns", "times a step", "GFLOP/s", "milliseconds a step")
        show(heading, columns, rows)
        alone = sum(product.count * product.seconds for product in found.products)
        at_best = found.flops / found.square
        say_aloud(
            f"A large square product: {found.square / 1e9:.0f} GFLOP/s. A step: {found.flops / 1e9:.2f} GFLOP, "
            f"{1000 * found.step:.1f} ms at its fastest, so {found.flops / found.step / 1e9:.0f} GFLOP/s. At the rate of the square "
            f"one it would take {1000 * at_best:.1f} ms ({at_best / found.step:.0%} of the limit is reached), its "
            f"products alone {1000 * alone:.1f} ms ({alone / found.step:.0%})."
        )
        spent = profile_step(self.dataset, self.plan.profiled_steps)
        wall = sum(spent.values())
        rows = [(kind, f"{ms:.2f}", f"{ms / wall:.0%}") for kind, ms in spent.items()]
        show(
            "A step under PyTorch's profiler",
            ("what", "milliseconds", "share"),
            [*rows, ("all", f"{wall:.1f}", "")],
        )

    def architectures(self) -> None:
        """The step of each architecture, by its recipe."""
        measured = measure_architectures(self.dataset, self.plan.blocks, self.plan.block)
        rows = [
            (
                f"`{name}`",
                spread(times),
                ratio(times, measured["gpt2"]),
                f"{1.25 * statistics.median(times):.0f} s",
            )
            for name, times in measured.items()
        ]
        columns = ("model", "milliseconds a step", "of GPT-2's", "an epoch of 1,250 steps")
        show("Steps of the architectures", columns, rows)

    def many(self) -> None:
        """Training many models at once, compared with one at a time."""
        plan, sizes = self.plan, {"default": self.size, "tiny": Size(width=32, layers=2, heads=2)}
        recipe = recipe_of(plan.model_steps, len(self.dataset.train))
        columns = ("size", "how", "models a minute", "times one at a time")
        rows = []
        for name, size in sizes.items():
            say(f"many models on {self.device}: {name}")
            if self.device == "cuda":
                measured = measure_on_gpu(self.data, size, plan.batched, 2)
            else:
                measured = measure_on_cores(self.data, size, recipe, plan.models, min(plan.rounds, 2))
            for how, rates in measured.items():
                times = statistics.median(rates) / statistics.median(measured[ONE_AT_A_TIME])
                rows.append((name, how, spread(rates), f"{times:.1f}"))
        taken = (
            default_recipe("gpt2").steps(len(self.dataset.train))
            if self.device == "cuda"
            else plan.model_steps
        )
        extent = f"{taken:,} steps each"
        show(
            f"GPT-2s, {self.device}, {extent}" + ("; goal 100" if self.device == "cuda" else ""),
            columns,
            rows,
        )


def goal(side: Side) -> str:
    """Return the goal of a side: how many times as long as ours it should take."""
    return f"{GOALS[side]:g}" if side in GOALS else ""
