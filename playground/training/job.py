"""Jobs of training, and their progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.begun import job_name, run_name
from playground.models import Size
from playground.schema import read_document
from playground.seeds import check_seed
from playground.training.documents import BEGIN_ANEW, JobDocument
from playground.training.evaluation import Evaluation
from playground.training.recipe import Recipe
from playground.training.resume import ResumeState


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training job.

    Args:
        architecture: name of the architecture.
        size: of the model.
        dataset: folder of the dataset.
        folder: `models/NAME`.
        seeds: of initial weights, order of samples and dropout: one for each model. Several learn side by
            side in one batch.
        recipe: how to train.
        device: "auto", "cpu" or "cuda".
        command: the command that requested it.
        omit_random: how many states are held out from each model separately, drawn with its seed, instead of the
            dataset's hold-out; None for the dataset's.
        resume: whether to resume it if it was stopped.
        ship: whether to keep few enough snapshots to ship the run.
    """

    architecture: str
    size: Size
    dataset: Path
    folder: Path
    seeds: tuple[int, ...]
    recipe: Recipe
    device: str
    command: str
    omit_random: int | None = None
    resume: bool = False
    ship: bool = False

    def __post_init__(self) -> None:
        for seed in self.seeds:
            check_seed(seed)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the runs."""
        return tuple(run_name(self.architecture, seed) for seed in self.seeds)

    @property
    def name(self) -> str:
        """The name of the job, see `job_name`."""
        return job_name(self.architecture, self.seeds)

    @property
    def unfinished(self) -> ResumeState:
        """Its saved state until it is done."""
        return ResumeState(self.folder / self.name)

    def as_begun(self) -> Job:
        """Return the job with the settings it was begun with, whatever the defaults are now; unchanged if it has not begun.

        Raises:
            RequestError: if the saved job cannot be read.
        """
        if not (self.unfinished.exists or self.unfinished.is_planned):
            return self
        return Job.from_json(self.unfinished.job(), self.folder)

    def to_json(self) -> dict[str, Any]:
        """Return everything that determines its results, and the command."""
        return {
            "architecture": self.architecture,
            "size": self.size.to_json(),
            "dataset": str(self.dataset),
            "seeds": list(self.seeds),
            "recipe": self.recipe.to_json(),
            "device": self.device,
            "command": self.command,
            "omit_random": self.omit_random,
            "ship": self.ship,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], folder: Path) -> Job:
        """Return the job that `to_json` described, to be resumed.

        Raises:
            RequestError: if something is missing or wrong.
        """
        found = read_document(JobDocument, document, str(folder), BEGIN_ANEW)
        return cls(
            architecture=found.architecture,
            size=Size(**found.size.model_dump()),
            dataset=Path(found.dataset),
            folder=folder,
            seeds=tuple(found.seeds),
            recipe=Recipe.from_json(found.recipe),
            device=found.device,
            command=found.command,
            omit_random=found.omit_random,
            ship=found.ship,
            resume=True,
        )


@dataclass(frozen=True)
class Step:
    """One training step.

    Args:
        number: of the step, from 1; 0 before the first.
        total: planned steps; once these are exceeded, the maximum.
        loss: mean over the batch's tokens and over the models, in nats, before the step; None before the first.
        learning_rate: of the step.
    """

    number: int
    total: int
    loss: float | None
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """A step and the evaluations after it.

    Args:
        step: the step.
        evaluations: by seed, if an evaluation was made after this very step.
        losses: by seed, in nats, before the step; empty before the first.
    """

    step: Step
    evaluations: Mapping[int, Evaluation] = field(default_factory=dict)
    losses: Mapping[int, float] = field(default_factory=dict)

    @property
    def evaluation(self) -> Evaluation | None:
        """The evaluation of the only model, or of the first, if there is one."""
        return next(iter(self.evaluations.values()), None)
