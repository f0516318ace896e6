"""What a method shows: typed blocks that know nothing of where they are drawn.

A method turns its result into blocks. Four renderers draw them: the app, the HTML report, the terminal and JSON. None of
them knows a method, and no method knows a renderer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Cell = str | int | float | bool | None
"""What a table can hold: a number that is not whole is shown with two digits, NaN and None as a dash."""


def cell_text(cell: Cell) -> str:
    """Return a cell as it is shown to people."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    # There is no minus nought.
    return f"{round(cell, 2) + 0.0:.2f}".replace("-", "−") if isinstance(cell, float) else str(cell)


Unit = Literal["share", "logits", "effect", "weight", "variance", "difference"]
"""What a number is: a share or a weight from 0 to 1, a difference of two such, logits, an effect whose whole is 1, or a
share of a variance."""


@dataclass(frozen=True)
class Selection:
    """What a reader chooses by clicking a cell or a row; None leaves as it was what was chosen before.

    Args:
        part: a part of the model, as a site (`L1H2`, `L0.mlp`).
        token: the name of a token (`newB`, `>newB`).
        answer: an answer of the world.
        options: values of the method's own options, by name.
        step: of the training, which the app holds beside the model.
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
        choices: value and label of each; the first is meant where none is chosen.
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
        help: what it says, in one sentence.
        kind: `state` if its cells are states, which a click shows; `part` if a click selects what its row names.
    """

    name: str
    help: str = ""
    kind: Literal["text", "state", "part"] = "text"


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        cells: one for each column.
        as_expected: whether the case is as it should be; None if nothing is expected.
        selects: what a click on its part selects.
        cases: what is behind the row: computed when it is asked for.
    """

    cells: tuple[Cell, ...]
    as_expected: bool | None = None
    selects: Selection | None = None
    cases: Callable[[], Table | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence or two.

    Args:
        text: as it is shown.
        is_caution: whether it says what must not be concluded.
        folded: whether it is shown only when asked for.
    """

    text: str
    is_caution: bool = False
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells.

    Args:
        title: what it is, in a few words.
        caption: what is to be seen, in a sentence or two.
        columns: headings.
        rows: as many cells as there are columns.
        judged: what it means that a row is as expected, in a word or two.
        folded: whether it is shown only when asked for.
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
        caption: what a number says, in a sentence or two.
        row_axis: what rows are, such as `part`.
        column_axis: what columns are, such as `token`.
        rows: names, from the top; equal ones may recur.
        columns: names; equal ones may recur.
        values: NaN where nothing is known.
        unit: of the values.
        largest: the value with the strongest colour; that of the values unless said.
        notes: what stands small with each value.
        groups: of every row, such as its layer; a line stands between two.
        marked: rows that are set off.
        framed: cells that stand out, by row and column.
        selects: what a click on a cell selects, by row and column.
        cases: what is behind a cell, by row and column: computed when it is asked for.
        folded: whether it is shown only when asked for.
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
    """A line of a curve.

    Args:
        name: lines of one name look alike and are named once.
        values: one for each place; NaN where nothing is known.
        panel: lines of one panel share an axis; panels stand one above the other.
        is_faint: whether it is one of many that are drawn behind the others, such as that of a single state.
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
        caption: what is to be seen, in a sentence or two.
        axis: what the places are.
        places: their names, or numbers; names stand equally far apart.
        lines: at most six names that are not faint, so that they can be told apart.
        unit: of the values.
        is_logarithmic: whether places, which are numbers above 0 then, are drawn so.
        folded: whether it is shown only when asked for.
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
    """A bar.

    Args:
        name: of what it is.
        value: its length; NaN where nothing is known.
        note: what stands at it.
        spread: single values, such as those of all states; a line is drawn from the least to the most.
    """

    name: str
    value: float
    note: str = ""
    spread: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars, one below the other.

    Args:
        title: what it is, in a few words.
        caption: what is to be seen, in a sentence or two.
        axis: what the lengths are.
        bars: from the top.
        unit: of the values.
        reference: a value to compare with, such as what chance gives, and its name.
        spread_names: of the single values of each bar, such as the states; needed where there is a spread.
        folded: whether it is shown only when asked for.
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
    """Variables and how strongly each answer depends on them, beside how strongly it should.

    Args:
        title: what it is, in a few words.
        caption: what is to be seen, in a sentence or two.
        inputs: names of the variables that are given.
        outputs: names of the answers that others can read.
        counts: names of the answers that nothing reads.
        expected: strength of each edge by the world's rules; NaN where there can be none. Answers are outputs, then counts;
            variables inputs, then outputs.
        found: strength of each edge in the model.
        titles: of the expected graph and the found one.
        folded: whether it is shown only when asked for.
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
