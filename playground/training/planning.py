"""Turning the options of a training into jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playground.datasets import Template
from playground.errors import RequestError
from playground.files import SHIPPED
from playground.models import ARCHITECTURES, Size
from playground.training.job import Job
from playground.training.recipe import Recipe, default_recipe

LONGER = 10
"""With --until-learned, a training lasts at most this many times its usual epochs."""
FLOOR = 0.1
"""Share of the learning rate that such a training keeps."""
MOST_SIDE_BY_SIDE = 512
"""The most models in a batch: gradients, moments and activations of one model of usual size take about 30 MB."""


@dataclass(frozen=True, kw_only=True)
class TrainingOverrides:
    """The options given for a training; None for one that was not given.

    Args:
        epochs: passes over the data.
        learning_rate: of the first step.
        width: of the model.
        layers: of the model.
        heads: of the model.
        until_learned: whether it ends as soon as all seen states are written correctly.
        evaluations: at how many consecutive evaluations they have to be.
        omit_random: how many states are held out from each model separately.
    """

    epochs: float | None = None
    learning_rate: float | None = None
    width: int | None = None
    layers: int | None = None
    heads: int | None = None
    until_learned: bool | None = None
    evaluations: int | None = None
    omit_random: int | None = None

    @property
    def said(self) -> dict[str, float]:
        """The options that are not None, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def recipe(self, architecture: str) -> Recipe:
        """Return the recipe of an architecture with these options."""
        changes: dict[str, float | None] = {
            name: self.said[name] for name in ("epochs", "learning_rate") if name in self.said
        }
        usual = default_recipe(architecture)
        if self.epochs is not None:
            # An explicit number of epochs is meant literally.
            changes["cap"] = None
        elif self.until_learned:
            changes["cap"] = usual.cap or LONGER * usual.epochs
            # A training that may continue needs a learning rate above 0.
            changes["learning_rate_floor"] = usual.learning_rate_floor or FLOOR
        if self.until_learned:
            changes["until_learned"] = True
        if self.evaluations is not None:
            changes["evaluations_running"] = self.evaluations
        return replace(usual, **changes)

    def size(self, architecture: str, template: Template) -> Size:
        """Return the size of a model with these options."""
        changes = {name: self.said[name] for name in ("width", "layers", "heads") if name in self.said}
        return replace(ARCHITECTURES[architecture].default_size(template), **changes)

    def options(self) -> str:
        """Return these options as they are written on the command line."""
        return "".join(
            f" --{name.replace('_', '-')}" + ("" if value is True else f" {value}")
            for name, value in self.said.items()
        )


def longest_first(architectures: Iterable[str]) -> list[str]:
    """Return architectures in the order in which parallel training starts them: most cores first, then most time."""

    def effort(name: str) -> tuple[int, float]:
        kind = ARCHITECTURES[name]
        return kind.training.threads, kind.training_seconds

    return sorted(architectures, key=effort, reverse=True)


def plan_training(
    architectures: Sequence[str],
    seeds: tuple[int, ...],
    overrides: TrainingOverrides,
    template: Template,
    *,
    dataset: Path,
    folder: Path,
    device: str = "auto",
    command: str | None = None,
    resume: bool = False,
    side_by_side: bool = False,
) -> list[Job]:
    """Return the jobs that train each architecture with each seed, in that order.

    Args:
        architectures: their names.
        seeds: at least one.
        overrides: the options given.
        template: of the texts.
        dataset: folder of the dataset.
        folder: `models/NAME`.
        device: "auto", "cpu" or "cuda".
        command: the command that requests them; by default one for each architecture.
        resume: whether to resume those that were stopped.
        side_by_side: whether models learn in one batch if their architecture allows it.

    Raises:
        RequestError: listing everything that is wrong with any of them.
    """
    jobs, faults = [], []
    for name in architectures:
        try:
            size, recipe = _size_and_recipe(name, overrides, template)
        except RequestError as error:
            faults += error.faults
            continue
        if len(seeds) > 1 and not side_by_side:
            # One process per core is faster in total than one process on all cores.
            recipe = replace(recipe, threads=1)
        at_once = MOST_SIDE_BY_SIDE if side_by_side and ARCHITECTURES[name].side_by_side else 1
        jobs += [
            Job(
                architecture=name,
                size=size,
                recipe=recipe,
                seeds=seeds[first : first + at_once],
                dataset=dataset,
                folder=folder,
                device=device,
                command=command or train_command(name, folder.name, overrides, seeds),
                omit_random=overrides.omit_random,
                resume=resume,
                ship=folder.name == SHIPPED,
            )
            for first in range(0, len(seeds), at_once)
        ]
    if faults:
        raise RequestError(*dict.fromkeys(faults))
    return jobs


def _size_and_recipe(name: str, overrides: TrainingOverrides, template: Template) -> tuple[Size, Recipe]:
    """Return the size and the recipe of an architecture's model; the faults of both are raised at once."""
    size, faults = overrides.size(name, template), ()
    try:
        ARCHITECTURES[name].check(size, template)
    except RequestError as error:
        faults = error.faults
    try:
        recipe = overrides.recipe(name)
    except RequestError as error:
        raise RequestError(*faults, *error.faults) from error
    if faults:
        raise RequestError(*faults)
    return size, recipe


def train_command(architecture: str, name: str, overrides: TrainingOverrides, seeds: tuple[int, ...]) -> str:
    """Return the command that requests a training."""
    command = f"the-experiment train {architecture} --name {name}{overrides.options()}"
    if len(seeds) == 1:
        return f"{command} --seed {seeds[0]}"
    in_a_row = seeds == tuple(range(seeds[0], seeds[-1] + 1))
    written = f"{seeds[0]}:{seeds[-1] + 1}" if in_a_row else ",".join(map(str, seeds))
    return f"{command} --seeds {written}"
