"""Chapters: what is shown of each method that was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from playground.analysis import Method, Step
from playground.inference import Model
from playground.report.circuits import circuits_exhibits, edges_exhibits
from playground.report.exchanges import (
    free_exhibits,
    interchange_exhibits,
    patching_exhibits,
    tokens_exhibits,
)
from playground.report.exhibits import Exhibit
from playground.report.formulas import formulas_exhibits
from playground.report.routes import routes_exhibits
from playground.report.views import (
    attention_exhibits,
    attribution_exhibits,
    emergence_exhibits,
    lens_exhibits,
)
from playground.report.wording import WORDS, Words

EXHIBITS: Mapping[str, Callable[[Any, Model], list[Exhibit]]] = {
    "routes": routes_exhibits,
    "tokens": tokens_exhibits,
    "attention": attention_exhibits,
    "lens": lens_exhibits,
    "attribution": attribution_exhibits,
    "patching": patching_exhibits,
    "interchange": interchange_exhibits,
    "emergence": emergence_exhibits,
    "formulas": formulas_exhibits,
    "free": free_exhibits,
    "circuits": circuits_exhibits,
    "edges": edges_exhibits,
}
"""What is shown of a result, by the name of the method."""
_NOTHING = Words("", "")


@dataclass(frozen=True)
class Chapter:
    """What is shown of a method.

    Args:
        name: of the method, in one word.
        title: what the field calls it.
        question: what it answers.
        how: how it was measured.
        misleads: what must not be read from it.
        progress: how far it is; nothing if all is measured.
        exhibits: figures, pictures and tables, those that are folded last.
    """

    name: str
    title: str
    question: str
    how: str
    misleads: str
    progress: str
    exhibits: tuple[Exhibit, ...]

    @property
    def groups(self) -> tuple[tuple[bool, tuple[Exhibit, ...]], ...]:
        """The exhibits that are shown at once, and those that are folded."""
        return tuple(
            (folded, tuple(group)) for folded, group in groupby(self.exhibits, key=lambda each: each.folded)
        )


def chapter_of(method: Method, step: Step, model: Model) -> Chapter:
    """Return what is shown of a measurement.

    Args:
        method: that measured.
        step: how far it is.
        model: that was measured.
    """
    words = WORDS.get(method.name, _NOTHING)
    draw = EXHIBITS.get(method.name)
    exhibits = draw(step.result, model) if draw and step.done else []
    return Chapter(
        name=method.name,
        title=method.title,
        question=method.question,
        how=words.how,
        misleads=words.misleads,
        progress="" if step.done == step.of else f"{step.done:,} of {step.of:,} measured so far.",
        exhibits=tuple(sorted(exhibits, key=lambda each: each.folded)),
    )
