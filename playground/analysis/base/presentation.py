"""What a method shows: typed blocks, independent of where they are drawn.

A method turns its result into blocks. Four renderers draw them: the app, the HTML report, the terminal and JSON.
Renderers do not know methods, and methods do not know renderers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Cell = str | int | float | bool | None
"""A table cell: floats are shown with two decimals, NaN and None as a dash."""


def cell_text(cell: Cell) -> str:
    """Return a cell as displayed."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    # Adding 0.0 turns -0.0 into 0.0.
    return f"{round(cell, 2) + 0.0:.2f}".replace("-", "−") if isinstance(cell, float) else str(cell)


Unit = Literal["share", "logits", "effect", "weight", "variance", "difference"]
"""The unit of a number: a share or weight from 0 to 1, a difference of two of these, logits, an effect as a fraction
of the whole effect, or a share of variance."""


@dataclass(frozen=True)
class Selection:
    """What a reader chooses by clicking a cell or a row; None leaves the earlier choice unchanged.

    Args:
        part: a part of the model, as a site (`L1H2`, `L0.mlp`).
        token: the name of a token (`newB`, `>newB`).
        answer: an answer of the world.
        options: values of the method's own options, by name.
        step: a training step, to compare with in the app.
    """

    part: str | None = None
    token: str | None = None
    answer: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    step: int | None = None


@dataclass(frozen=True)
class Option:
    """One thing that a reader can choose about a method's blocks.

    Args:
        name: one word.
        label: for people.
        choices: value and label of each; the first is the default.
        help: one sentence.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]
    help: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: its heading.
        help: what it shows, in one sentence.
        kind: `state` if its cells are states, which open on a click; `part` if a click selects what the row names.
    """

    name: str
    help: str = ""
    kind: Literal["text", "state", "part"] = "text"


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        cells: one for each column.
        as_expected: whether the case matches what is expected; None if nothing is expected.
        selects: what a click on the row's part selects.
        cases: the cases behind the row, computed on demand.
    """

    cells: tuple[Cell, ...]
    as_expected: bool | None = None
    selects: Selection | None = None
    cases: Callable[[], Table | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence or two.

    Args:
        text: the text shown.
        is_caution: whether it warns against a wrong conclusion.
        folded: whether it starts collapsed.
    """

    text: str
    is_caution: bool = False
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells.

    Args:
        title: what it is, in a few words.
        caption: what it shows, in a sentence or two.
        columns: headings.
        rows: as many cells as there are columns.
        judged: what `as_expected` means for a row, in a word or two.
        folded: whether it starts collapsed.
    """

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    judged: str = "as expected"
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """A number for every row and column.

    Args:
        title: what it is, in a few words.
        caption: what the numbers mean, in a sentence or two.
        row_axis: what rows are, such as `part`.
        column_axis: what columns are, such as `token`.
        rows: names, from the top; duplicates are allowed.
        columns: names; duplicates are allowed.
        values: NaN where unknown.
        unit: unit of the values.
        largest: the value with the strongest colour; the largest of the values by default.
        notes: small text shown with each value.
        groups: the group of each row, such as its layer; a line separates groups.
        marked: highlighted rows.
        framed: framed cells, by row and column.
        selects: what a click on a cell selects, by row and column.
        cases: the cases behind a cell, by row and column; computed on demand.
        folded: whether it starts collapsed.
    """

    title: str
    caption: str
    row_axis: str
    column_axis: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "row column"]
    unit: Unit = "share"
    largest: float | None = None
    notes: Sequence[Sequence[str]] | None = None
    groups: tuple[str, ...] | None = None
    marked: tuple[int, ...] = ()
    framed: tuple[tuple[int, int], ...] = ()
    selects: Callable[[int, int], Selection] | None = None
    cases: Callable[[int, int], Table | None] | None = None
    folded: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a `Curve`.

    Args:
        name: lines with the same name share a style and one legend entry.
        values: one for each place; NaN where unknown.
        panel: lines in the same panel share an axis; panels are stacked vertically.
        is_faint: whether it is drawn faintly behind the others, such as one of many single states.
    """

    name: str
    values: Float[np.ndarray, " place"]
    panel: str = ""
    is_faint: bool = False


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Lines over an ordered axis.

    Args:
        title: what it is, in a few words.
        caption: what it shows, in a sentence or two.
        axis: label of the axis.
        places: names or numbers along the axis; names are evenly spaced.
        lines: with at most six different names, faint lines aside, so that they stay distinguishable.
        unit: unit of the values.
        is_logarithmic: whether the axis is logarithmic; places must then be numbers above 0.
        folded: whether it starts collapsed.
    """

    title: str
    caption: str
    axis: str
    places: tuple[str, ...] | tuple[int, ...]
    lines: tuple[Line, ...]
    unit: Unit = "share"
    is_logarithmic: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar of `Bars`.

    Args:
        name: its label.
        value: its length; NaN where unknown.
        note: text beside it.
        spread: individual values, such as those of all states; drawn as a line from the smallest to the largest.
    """

    name: str
    value: float
    note: str = ""
    spread: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A horizontal bar chart.

    Args:
        title: what it is, in a few words.
        caption: what it shows, in a sentence or two.
        axis: label of the values.
        bars: the bars, from the top.
        unit: unit of the values.
        reference: a value to compare with, such as chance level, and its name.
        spread_names: names of the individual values, such as the states; required if any bar has a spread.
        folded: whether it starts collapsed.
    """

    title: str
    caption: str
    axis: str
    bars: tuple[Bar, ...]
    unit: Unit = "share"
    reference: tuple[str, float] | None = None
    spread_names: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Graph:
    """How strongly each answer depends on each variable, in the model and by the rules.

    Args:
        title: what it is, in a few words.
        caption: what it shows, in a sentence or two.
        inputs: names of the given variables.
        outputs: names of the answers that other answers can read.
        counts: names of the answers that no other answer reads.
        expected: strength of each edge by the world's rules; NaN where no edge is possible. Answers are outputs, then
            counts; variables are inputs, then outputs.
        found: strength of each edge in the model.
        titles: titles of the expected and the found graph.
        folded: whether it starts collapsed.
    """

    title: str
    caption: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    counts: tuple[str, ...]
    expected: Float[np.ndarray, "answer variable"]
    found: Float[np.ndarray, "answer variable"]
    titles: tuple[str, str]
    folded: bool = False


Block = Sentence | Table | Heatmap | Curve | Bars | Graph
