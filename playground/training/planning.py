"""From what is said of a training to what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from playground.datasets import Template
from playground.errors import RequestError
from playground.models import ARCHITECTURES, Size
from playground.training.recipe import Recipe, default_recipe

LONGER = 10
"""How many times its usual epochs a model has at most that is to learn until it can."""
FLOOR = 0.1
"""Share of the learning rate that it keeps."""
MOST_SIDE_BY_SIDE = 512
"""Models of a batch: gradients, moments and activations of one of usual size take about 30 MB."""


@dataclass(frozen=True, kw_only=True)
class TrainingOverrides:
    """What was said of a training; None where nothing was.

    Args:
        epochs: passes over the data.
        learning_rate: of the first step.
        width: of the model.
        layers: of the model.
        heads: of the model.
        until_learned: whether it ends as soon as all seen states are written correctly.
        evaluations: at how many evaluations running.
        omit_random: how many states each model has held out for itself.
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
        """Those that are not None, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def recipe(self, architecture: str) -> Recipe:
        """Return the recipe of an architecture with what was said of it."""
        changes: dict[str, float | None] = {
            name: self.said[name] for name in ("epochs", "learning_rate") if name in self.said
        }
        usual = default_recipe(architecture)
        if self.epochs is not None:
            # Who says how long it is to take means just that.
            changes["cap"] = None
        elif self.until_learned:
            changes["cap"] = usual.cap or LONGER * usual.epochs
            # What is to go on must still be able to learn.
            changes["learning_rate_floor"] = usual.learning_rate_floor or FLOOR
        if self.until_learned:
            changes["until_learned"] = True
        if self.evaluations is not None:
            changes["evaluations_running"] = self.evaluations
        return replace(usual, **changes)

    def size(self, architecture: str, template: Template) -> Size:
        """Return the size of a model with what was said of it."""
        changes = {name: self.said[name] for name in ("width", "layers", "heads") if name in self.said}
        return replace(ARCHITECTURES[architecture].default_size(template), **changes)

    def options(self) -> str:
        """Return the options that say the same."""
        return "".join(
            f" --{name.replace('_', '-')}" + ("" if value is True else f" {value}")
            for name, value in self.said.items()
        )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a job learns by; the fields are those of `Job`.

    Args:
        architecture: name of the architecture.
        size: of the model.
        recipe: how to train.
        seeds: one for each model that learns beside the others.
    """

    architecture: str
    size: Size
    recipe: Recipe
    seeds: tuple[int, ...]


def longest_first(architectures: Iterable[str]) -> list[str]:
    """Return architectures in the order in which they are begun side by side: those that take most cores, then most time."""

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
    side_by_side: bool = False,
) -> list[Planned]:
    """Return what is to be done so that each architecture is trained with each seed, in that order.

    Args:
        architectures: their names.
        seeds: at least one.
        overrides: what was said.
        template: of the texts.
        side_by_side: whether models learn in one batch where their architecture can.

    Raises:
        RequestError: with all that is wrong with any of them.
    """
    plan, faults = [], {}
    for name in architectures:
        size = overrides.size(name, template)
        try:
            ARCHITECTURES[name].check(size, template)
        except RequestError as error:
            faults |= dict.fromkeys(error.faults)
        try:
            recipe = overrides.recipe(name)
        except RequestError as error:
            faults |= dict.fromkeys(error.faults)
            continue
        together = side_by_side and ARCHITECTURES[name].side_by_side
        if len(seeds) > 1 and not side_by_side:
            # A process on each core does more than one on all.
            recipe = replace(recipe, threads=1)
        size_of_batch = MOST_SIDE_BY_SIDE if together else 1
        batches = [seeds[first : first + size_of_batch] for first in range(0, len(seeds), size_of_batch)]
        plan += [Planned(architecture=name, size=size, recipe=recipe, seeds=batch) for batch in batches]
    if faults:
        raise RequestError(*faults)
    return plan
