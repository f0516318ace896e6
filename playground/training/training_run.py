"""A running job: steps, evaluations and snapshots, and the finished runs put in place at the end."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from playground.begun import RUN_FILE
from playground.datasets import Dataset, guess
from playground.errors import Fault, RequestError
from playground.files import read_json, remove_partial, successor, write_json
from playground.models import DIGESTS, Architecture, Ensemble, digests_of, save_model
from playground.training.evaluation import Evaluation, Validation, measure_boards, measure_validation
from playground.training.job import Job, Progress, Step
from playground.training.loop import Loop
from playground.training.resume import ResumeState
from playground.training.shipping import thin_snapshots

_SECONDS_BETWEEN_STATES = 60.0
"""Time between two saved states of many models side by side, which are large."""


class TrainingRun:
    """A running job.

    Args:
        job: what to do.
        architecture: of the models.
        datasets: one for each model; only the first is used unless each has its own hold-out.
        device: of the models.
    """

    def __init__(
        self, job: Job, architecture: Architecture, datasets: list[Dataset], device: torch.device
    ) -> None:
        self._job = job
        self._architecture = architecture
        self._datasets = datasets
        self._template = datasets[0].spec.template
        generator = _generator(device)
        models = [architecture.make(self._template, job.size, seed).to(device) for seed in job.seeds]
        self._parameters = sum(each.numel() for each in models[0].parameters())
        self._ensemble = architecture.ensemble(models, job.recipe.dropout, generator)
        shared = [datasets[0]] if job.omit_random is None else datasets
        samples = torch.stack([torch.from_numpy(each.train) for each in shared]).to(device)
        batch = samples[:, : job.recipe.batch_size].expand(len(job.seeds), -1, -1)
        self._operations = _count_operations(self._ensemble, batch) // len(job.seeds)
        generator.manual_seed(job.seeds[0])
        self._loop = Loop(self._ensemble, samples, job.seeds, generator, job.recipe)
        self._count = samples.shape[1]
        self._seconds = 0.0
        self._losses: list[list[float]] = []
        self._records = [_Record() for _ in job.seeds]
        self._done: dict[int, Tensor] = {}
        self._fresh = True
        self._kept_at = -math.inf

    def begin(self) -> None:
        """Start, or resume.

        Raises:
            RequestError: if it cannot be resumed: its options differ, or its state is damaged.
        """
        unfinished = self._job.unfinished
        asked = self._job.to_json() | {"data": [each.spec.to_json() for each in self._datasets]}
        for name in self._job.names:
            remove_partial(self._job.folder / name)
        if not (self._job.resume and unfinished.exists):
            unfinished.begin(asked)
            return
        unfinished.clear()
        check_same(unfinished, asked)
        tensors, document = unfinished.load()
        self._loop.restore({name: each for name, each in tensors.items() if not name.startswith("done.")})
        self._done = {
            int(name.removeprefix("done.")): each.to(self._ensemble.parameters.device)
            for name, each in tensors.items()
            if name.startswith("done.")
        }
        self._seconds = document["seconds"]
        self._losses = document["losses"]
        self._records = [_Record(**each) for each in document["records"]]
        self._fresh = False

    def run(self) -> Iterator[Progress]:
        """Take step after step until every model is done.

        Raises:
            ArithmeticError: if the loss of a model that is still learning is not finite.
        """
        recipe, count = self._job.recipe, self._count
        planned, most = recipe.steps(count), recipe.most_steps(count)
        per_epoch = recipe.steps_per_epoch(count)
        started = time.perf_counter() - self._seconds
        if self._fresh:
            evaluations = self._evaluate(last=False, validate=False)
            self._keep_snapshot()
            yield Progress(Step(0, planned, None, self._loop.learning_rate), evaluations)
        while len(self._done) < len(self._job.seeds):
            rate = self._loop.learning_rate
            losses = self._loop.step().tolist()
            number = self._loop.number
            self._check_losses(losses)
            self._losses.append(losses)
            self._seconds = time.perf_counter() - started
            last, end_of_epoch = number == most, number % per_epoch == 0
            snapshot = recipe.is_snapshot(number, count)
            evaluations: dict[int, Evaluation] = {}
            if snapshot or last or end_of_epoch or number == planned or number % recipe.evaluate_every == 0:
                evaluations = self._evaluate(last=last, validate=end_of_epoch)
                self._seconds = time.perf_counter() - started
            if snapshot and len(self._done) < len(self._job.seeds):
                self._keep_snapshot()
            step = Step(number, planned if number <= planned else most, sum(losses) / len(losses), rate)
            yield Progress(step, evaluations, dict(zip(self._job.seeds, losses, strict=True)))

    def _check_losses(self, losses: list[float]) -> None:
        diverged = [
            str(seed)
            for index, (seed, loss) in enumerate(zip(self._job.seeds, losses, strict=True))
            if index not in self._done and not math.isfinite(loss)
        ]
        if diverged:
            which = "" if len(losses) == 1 else f" with seed {', '.join(diverged)}"
            raise ArithmeticError(
                f"the loss is no number at step {self._loop.number}{which}: "
                "the training has diverged, try a lower learning rate"
            )

    def _evaluate(self, *, last: bool, validate: bool) -> dict[int, Evaluation]:
        """Evaluate every model, and set the finished ones aside."""
        recipe, number = self._job.recipe, self._loop.number
        planned = recipe.steps(self._count)
        specs = [each.spec for each in self._datasets]
        boards = measure_boards(self._ensemble, specs, self._architecture.name)
        means = [sum(each) / len(each) for each in zip(*self._losses, strict=True)] or [None] * len(boards)
        self._losses = []
        learnt, done = [], []
        for record, board in zip(self._records, boards, strict=True):
            record.running = record.running + 1 if board.accuracy.seen == 1 else 0
            learnt.append(record.running >= recipe.evaluations_running)
            enough = learnt[-1] and (recipe.until_learned or (number >= planned and recipe.cap is not None))
            done.append(last or enough)
        validations: list[Validation] | None = None
        if validate or any(done):
            validations = measure_validation(self._ensemble, self._datasets, boards)
        evaluations = {}
        for index, seed in enumerate(self._job.seeds):
            if index in self._done:
                continue
            evaluations[seed] = Evaluation(
                step=number,
                epoch=number / recipe.steps_per_epoch(self._count),
                seconds=self._seconds,
                loss=means[index],
                board=boards[index],
                validation=validations[index] if validations and (validate or done[index]) else None,
            )
            self._records[index].evaluations.append(evaluations[seed].to_json())
            self._records[index].learnt = learnt[index]
            if done[index]:
                self._done[index] = self._ensemble.parameters[index].clone()
        return evaluations

    def _keep_snapshot(self) -> None:
        # Models side by side would have thousands of snapshots, one for each model.
        if len(self._job.seeds) == 1:
            parameters = dict(self._ensemble.model(0).named_parameters())
            tensors = {name: each.detach().clone() for name, each in parameters.items()}
            self._job.unfinished.snapshot(self._loop.number, tensors)
        elif time.monotonic() < self._kept_at + _SECONDS_BETWEEN_STATES:
            return
        self.save()

    def save(self) -> None:
        """Save the state between two steps."""
        self._kept_at = time.monotonic()
        self._job.unfinished.save(
            self._loop.state() | {f"done.{index}": each for index, each in self._done.items()},
            {
                "seconds": self._seconds,
                "losses": self._losses,
                "records": [vars(record) for record in self._records],
            },
        )

    def finish(self) -> None:
        """Put the runs in place, and remove the saved state."""
        for index, parameters in self._done.items():
            self._ensemble.parameters[index] = parameters
        # If killed from here on, --resume puts them in place.
        self.save()
        for index, name in enumerate(self._job.names):
            folder, document = self._job.folder / name, self._document(index)
            if _is_in_place(folder, document):
                continue
            with successor(folder) as building:
                save_model(
                    self._ensemble.model(index), self._architecture, self._template, self._job.size, building
                )
                self._job.unfinished.give_snapshots(building)
                if self._job.ship:
                    thin_snapshots(building, self._architecture, self._datasets[index].spec, self._job.size)
                digests = digests_of(building, document["dataset"])
                write_json(building / RUN_FILE, document | {DIGESTS: digests})
        self._job.unfinished.remove()

    def _document(self, index: int) -> dict[str, Any]:
        """Return the content of `run.json`."""
        record = self._records[index]
        last = record.evaluations[-1]
        facts = {
            "architecture": self._architecture.name,
            "command": self._job.command,
            "dataset": self._datasets[index].spec.to_json(),
            "recipe": self._job.recipe.to_json(),
            "size": self._job.size.to_json(),
            "seed": self._job.seeds[index],
            "side_by_side": len(self._job.seeds),
            "device": self._ensemble.parameters.device.type,
            "versions": _versions(),
            "parameters": self._parameters,
        }
        results = {
            "samples": self._job.recipe.samples(last["step"], self._count),
            "steps": last["step"],
            "seconds": last["seconds"],
            "operations": self._operations * last["step"],
            "learnt": record.learnt,
            "accuracy": {name: last["accuracy"][name] for name in ("seen", "held_out")},
            "guessing": guess(self._datasets[index].spec).to_json(),
            "evaluations": record.evaluations,
        }
        return facts | results


@dataclass
class _Record:
    """Evaluations of one model, and how many in a row had every seen state right."""

    running: int = 0
    learnt: bool = False
    evaluations: list[dict[str, Any]] = field(default_factory=list)


def _is_in_place(folder: Path, document: dict[str, Any]) -> bool:
    """Return whether a process has already put a run in place and was killed afterwards."""
    path = folder / RUN_FILE
    with suppress(RequestError):  # A damaged file is not that run.
        return path.is_file() and {**read_json(path), DIGESTS: None} == document | {DIGESTS: None}
    return False


def _generator(device: torch.device) -> torch.Generator:
    """Return a random generator; on CUDA the one that recorded steps may use."""
    if device.type == "cuda":
        torch.cuda.init()  # Creates the default generators.
        return torch.cuda.default_generators[device.index or 0]
    return torch.Generator()


def _count_operations(ensemble: Ensemble, batch: Tensor) -> int:
    """Return the floating-point operations of one step's matrix products, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        ensemble.learn(batch)
    return counter.get_total_flops()


def _versions() -> dict[str, str]:
    packages = ("the-experiment", "torch", "transformers", "transformer-lens", "tokenizers", "safetensors")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


_FREE = ("command", "device", "dataset")
"""What may differ when a training is resumed: the command, the device, the folder of the data."""


def check_same(unfinished: ResumeState, asked: Mapping[str, Any]) -> None:
    """Check that a training is resumed with the options it was begun with.

    Raises:
        RequestError: if not, naming every option that differs.
    """
    before = _flat(unfinished.job())
    faults = [
        Fault(
            where=str(unfinished.run),
            message="a training resumes with what it was begun with",
            expected="data of the same world, hold-out, sizes and seed"
            if name == "data"
            else f"{name} {before.get(name)}",
            got="other data" if name == "data" else str(value),
            hint="Use the same options, or leave --resume out to start again.",
        )
        for name, value in _flat(asked).items()
        if name not in _FREE and before.get(name) != value
    ]
    if faults:
        raise RequestError(*faults)


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the entries of recipe and size moved to its top level."""
    nested = {**document["recipe"], **document["size"]}
    return nested | {name: value for name, value in document.items() if name not in ("recipe", "size")}
