"""What a chapter shows: figures, pictures and tables, each with a caption. Report and app show the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from playground.inference import Model
from playground.plots import Figure

Cell = str | int | float | None


@dataclass(frozen=True)
class Drawing:
    """A plotly figure.

    Args:
        caption: what is to be seen, in a sentence or two.
        figure: draws it.
        folded: whether it is shown only when asked for.
    """

    caption: str
    figure: Figure
    folded: bool = False
    kind: Literal["drawing"] = "drawing"


@dataclass(frozen=True)
class Picture:
    """A picture as SVG.

    Args:
        caption: what is to be seen, in a sentence or two.
        svg: the picture; text in it is escaped.
        folded: whether it is shown only when asked for.
    """

    caption: str
    svg: str
    folded: bool = False
    kind: Literal["picture"] = "picture"


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        caption: what stands in it, in a sentence or two.
        columns: headings.
        rows: as many cells as there are columns; numbers that are no whole ones have two digits.
        folded: whether it is shown only when asked for.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    kind: Literal["table"] = "table"

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The cells as they are shown."""
        return tuple(tuple(map(cell_text, row)) for row in self.rows)

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns have numbers alone."""
        return tuple(
            all(cell is None or isinstance(cell, int | float) for cell in column)
            for column in zip(*self.rows, strict=True)
        ) or (False,) * len(self.columns)


Exhibit = Drawing | Picture | Table
Exhibits = Sequence[Exhibit]


def cell_text(cell: Cell) -> str:
    """Return a cell as it is shown: nothing for no number."""
    if cell is None or (isinstance(cell, float) and isnan(cell)):
        return "–"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def reads_none(model: Model, answer: str) -> bool:
    """Return whether an answer is shown only when asked for: it reads no other, and another of the world's does."""
    world = model.world
    reading = [name for name in world.answers if set(world.dependencies[name]) & set(world.outputs)]
    return bool(reading) and answer not in reading
