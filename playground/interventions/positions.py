"""At which tokens an intervention acts.

Positions are named after their tokens. `newB` is the position of the token newB, where it is read;
`>newB` is the position before it, where newB is written. `@newB` is that one position, `@newA..newC`
a range including both ends, `@>newB..` all positions from the writing of newB on.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from playground.datasets import Template
from playground.errors import RequestError, nearest, quote

WRITING = ">"
RANGE = ".."


@dataclass(frozen=True)
class Anchor:
    """One position by name.

    Args:
        name: an input or answer of the world.
        writing: whether it is the position before the token, where the token is written.
    """

    name: str
    writing: bool = False

    def __str__(self) -> str:
        return (WRITING if self.writing else "") + self.name

    def index(self, template: Template) -> int:
        """Return the position in samples of `template`, from 0.

        Raises:
            RequestError: if there is no token of that name, or no token before it.
        """
        if self.name not in template.positions:
            raise RequestError.of(
                message="unknown position",
                expected=self._known(template),
                got=quote(self.name),
                hint=self._hint(template),
            )
        index = template.positions[self.name] - self.writing
        if index < 0:
            raise RequestError.of(
                message="no token comes before this one",
                expected="a name with a token before it",
                got=f"{self}, the first token",
                hint=f"Nothing comes before it; use {self.name}.",
            )
        return index

    def _known(self, template: Template) -> str:
        """Return the possible names in words: all if a number was given, else the most similar."""
        if self.name.lstrip("-").isdigit():
            return f"one of {', '.join(template.positions)}"
        return nearest(self.name, template.positions)

    def _hint(self, template: Template) -> str:
        """Return which name was probably meant; numbers count from 0 or, with a minus, from the end."""
        close = difflib.get_close_matches(self.name, template.positions, n=1)
        if close:
            return f"Did you mean {close[0]}?"
        if re.fullmatch(r"-?[0-9]{1,9}", self.name):
            number = int(self.name)
            index = number + template.length if self.name.startswith("-") else number
            anchor = anchor_at(template, index) if index >= 0 else None
            if anchor is not None:
                return f"Position {number} is {anchor}: write @{anchor}."
        return f"Write @{template.world.outputs[-1]}, or @>{template.world.outputs[-1]} for where that is written."


def anchor_at(template: Template, index: int) -> Anchor | None:
    """Return the name of a position; None for the end of a text, which has no name since nothing is written there."""
    names = {position: name for name, position in template.positions.items()}
    if index in names:
        return Anchor(names[index])
    return Anchor(names[index + 1], writing=True) if index + 1 in names else None


@dataclass(frozen=True)
class Span:
    """A range of positions, both ends included.

    Args:
        start: the first position; None for the start of the text.
        stop: the last position; None for the end of the text.
    """

    start: Anchor | None = None
    stop: Anchor | None = None

    def __str__(self) -> str:
        if self == EVERYWHERE:
            return ""
        if self.start == self.stop:
            return f"@{self.start}"
        return f"@{self.start or ''}{RANGE}{self.stop or ''}"

    def mask(self, template: Template) -> Bool[np.ndarray, " token"]:
        """Return which positions are in the range.

        Raises:
            RequestError: for names that the template does not have, and for an empty range.
        """
        start = self.start.index(template) if self.start else 0
        stop = self.stop.index(template) if self.stop else template.length - 1
        if start > stop:
            raise RequestError.of(
                message="this range of tokens is empty",
                expected="a range that begins before it ends",
                got=f"{self}, from position {start} to {stop}",
                hint="Exchange the two ends.",
            )
        positions = np.arange(template.length)
        return (start <= positions) & (positions <= stop)


EVERYWHERE = Span()
