"""Checks our training against transformers' Trainer: losses step by step, and what is learnt in the end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Dropout
from transformers import Trainer, TrainerCallback

from playground.datasets import load_dataset
from playground.inference import Board
from playground.models import ARCHITECTURES
from playground.training import Job, Recipe, default_recipe, train_model
from playground.training.evaluation import measure_boards
from tests.benchmarks.sides import make_trainer

GPT2 = ARCHITECTURES["gpt2"]
_AVERAGED = 100


@dataclass(frozen=True)
class Outcome:
    """The outcome of a training.

    Args:
        losses: of every step, in nats, dropout included.
        boards: by step.
    """

    losses: list[float]
    boards: dict[int, Board]

    @property
    def figures(self) -> dict[str, float]:
        """The final loss, the accuracies, and the first step at which all seen states were right."""
        last, final = self.boards[max(self.boards)].accuracy, self.losses[-_AVERAGED:]
        right = (step for step, board in sorted(self.boards.items()) if board.accuracy.seen == 1)
        return {
            "training loss of the last 100 steps": sum(final) / len(final),
            "seen states right": last.seen,
            "held-out states right": last.held_out,
            "step at which all seen are right": next(right, inf),
        }


class _Recording(Trainer):
    """A Trainer that keeps its losses."""

    def __init__(self, **given) -> None:
        super().__init__(**given)
        self.losses: list[Tensor] = []

    def compute_loss(self, model, inputs, *given, **named):
        found = super().compute_loss(model, inputs, *given, **named)
        self.losses.append(found.detach())
        return found


def recipe_of(steps: int, samples: int, **changes) -> Recipe:
    """Return GPT-2's recipe with that many steps."""
    usual = default_recipe("gpt2")
    return replace(usual, epochs=steps / usual.steps_per_epoch(samples), **changes)


def run_ours(data: Path, seed: int, recipe: Recipe) -> Outcome:
    """Train a model with our training."""
    template = load_dataset(data).spec.template
    losses, boards = [], {}
    with tempfile.TemporaryDirectory() as place:
        job = Job(
            architecture="gpt2",
            size=GPT2.default_size(template),
            dataset=data,
            folder=Path(place),
            seeds=(seed,),
            recipe=recipe,
            device="cpu",
            command="benchmark",
        )
        for progress in train_model(job):
            number = progress.step.number
            losses += [] if progress.step.loss is None else [progress.step.loss]
            if progress.evaluation and number and number % recipe.evaluate_every == 0:
                boards[number] = progress.evaluation.board
    return Outcome(losses, boards)


def run_trainer(data: Path, seed: int, recipe: Recipe, *, order: Sequence[int] | None = None) -> Outcome:
    """Train a model with transformers' Trainer, from our initial weights.

    Args:
        data: folder of the dataset.
        seed: of weights, dropout and the order of samples.
        recipe: ours.
        order: of the samples; None if the Trainer draws its own.
    """
    dataset = load_dataset(data)
    spec, train = dataset.spec, torch.from_numpy(dataset.train)
    model = GPT2.make(spec.template, GPT2.default_size(spec.template), seed)
    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = recipe.dropout
    boards: dict[int, Board] = {}

    class Watching(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step % recipe.evaluate_every == 0:
                ensemble = GPT2.ensemble([model], 0.0, torch.Generator())
                (boards[state.global_step],) = measure_boards(ensemble, [spec], "gpt2")

    before = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    changes = {} if order is None else {"train_sampling_strategy": "sequential"}
    samples = train if order is None else train[list(order)]
    with tempfile.TemporaryDirectory() as place:
        trainer = make_trainer(
            _Recording,
            model,
            (samples, None),
            recipe.to_json(),
            out=Path(place),
            device="cpu",
            steps=recipe.steps(len(train)),
            seed=seed,
            **changes,
        )
        trainer.add_callback(Watching())
        trainer.train()
    torch.set_num_threads(before)
    return Outcome([float(each) for each in trainer.losses], boards)


def largest_difference(data: Path, steps: int) -> float:
    """Return the largest difference of losses, without dropout, from equal weights and with equal batches."""
    count = len(load_dataset(data).train)
    recipe = recipe_of(steps, count, dropout=0.0)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
    ours, theirs = run_ours(data, 0, recipe).losses, run_trainer(data, 0, recipe, order=order).losses
    assert len(ours) == len(theirs) == steps, "every step has a loss"
    return max(abs(mine - other) for mine, other in zip(ours, theirs, strict=True))


def rank_test(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the exact two-sided p of the rank sum (Mann and Whitney 1947), ties at their mean rank.

    It is the share of all ways to assign the values to the two groups whose rank sum is at least as far from the mean.
    """
    values = [*some, *others]
    ranks = [sum(x < value for x in values) + (sum(x == value for x in values) + 1) / 2 for value in values]
    middle = len(some) * (len(values) + 1) / 2
    found = abs(sum(ranks[: len(some)]) - middle)
    dealt = [abs(sum(chosen) - middle) for chosen in combinations(ranks, len(some))]
    return sum(each >= found for each in dealt) / len(dealt)
