"""Tables on the terminal, never truncated."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000
"""In characters; wider than any of our tables."""
_LINE = 30
"""Minimum width of a column of prose, in characters."""


def make_table(title: str | None, left: Sequence[str], right: Sequence[str]) -> Table:
    """Return an empty table.

    Args:
        title: of the table; None for none.
        left: heads of its first columns, whose cells are flush left.
        right: heads of the columns after them, whose cells are flush right.
    """
    table = Table(title=title, title_justify="left", box=None)
    for head in left:
        table.add_column(head)
    for head in right:
        table.add_column(head, justify="right")
    return table


def print_table(console: Console, table: Table, prose: Sequence[str] = ()) -> None:
    """Print a table untruncated: on a narrow terminal its lines wrap.

    Args:
        console: where to print; a file or pipe counts as 80 characters wide.
        table: the table, of any width.
        prose: heads of columns whose cells may take several lines.
    """
    roomy = console.options.update(max_width=_WIDEST)
    for column in table.columns:
        width = max(Measurement.get(console, roomy, cell).maximum for cell in (column.header, *column.cells))
        column.min_width = min(width, _LINE) if column.header in prose else width
    needed = Measurement.get(console, roomy, table).minimum
    before = console.width
    console.width = max(before, needed)
    try:
        console.print(table)
    finally:
        console.width = before
