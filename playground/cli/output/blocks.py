"""Blocks on the terminal: sentences, tables, and the most prominent numbers of what a page would draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from playground.analysis import Bar, Bars, Block, Curve, Graph, Heatmap, Sentence, Table, cell_text
from playground.cli.output.tables import print_table
from playground.errors import count_of

_LARGEST = 6
"""How many numbers of a heatmap or bar chart are printed."""
_ROWS = 12
"""How many rows of a table are printed."""


def print_blocks(console: Console, blocks: Iterable[Block]) -> None:
    """Print the blocks that are not folded; of long tables, only the first rows.

    Args:
        console: to print to.
        blocks: of one method.
    """
    for block in blocks:
        if block.folded:
            continue
        if isinstance(block, Table):
            _table(console, block)
        elif isinstance(block, Sentence):
            style = "yellow" if block.is_caution else ""
            _line(console, f"But: {block.text}" if block.is_caution else block.text, style)
        else:
            for text in _lines(block):
                _line(console, text)


def _lines(block: Heatmap | Curve | Bars | Graph) -> Iterator[str]:
    match block:
        case Heatmap():
            yield f"{block.title}: {_largest(block)}"
        case Curve():
            yield from _curves(block)
        case Bars():
            shown = sorted(block.bars, key=lambda bar: -abs(bar.value))[:_LARGEST]
            reference = (
                "" if block.reference is None else f" ({block.reference[0]} {_number(block.reference[1])})"
            )
            yield f"{block.title}: {', '.join(map(_bar, shown))}{reference}"
        case Graph():
            yield from _edges(block)
        case _:
            assert_never(block)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(f"  {text}", style=style), soft_wrap=True)


def _table(console: Console, block: Table) -> None:
    _line(console, f"{block.title}: {block.caption}")
    table = RichTable(box=None, padding=(0, 2, 0, 2))
    for column in block.columns:
        table.add_column(column.name)
    for row in block.rows[:_ROWS]:
        table.add_row(*(Text(cell_text(cell)) for cell in row.cells))
    print_table(console, table, prose=[column.name for column in block.columns])
    if len(block.rows) > _ROWS:
        _line(console, f"and {count_of(len(block.rows) - _ROWS, 'more row')}", style="dim")


def _largest(block: Heatmap) -> str:
    """Return the numbers of a heatmap with the largest absolute values, the largest first."""
    size = np.nan_to_num(np.abs(block.values))
    found = []
    for flat in np.argsort(-size, axis=None, kind="stable")[:_LARGEST].tolist():
        row, column = (int(each) for each in np.unravel_index(flat, size.shape))
        if size[row, column]:
            found.append(f"{block.rows[row]} at {block.columns[column]} {_number(block.values[row, column])}")
    return ", ".join(found) or "nothing"


def _curves(block: Curve) -> Iterator[str]:
    for line in block.lines:
        if line.is_faint:
            continue
        points = [
            f"{place} {_number(value)}"
            for place, value in zip(block.places, line.values.tolist(), strict=True)
            if not np.isnan(value)
        ]
        panel = f"{line.panel}, " if line.panel else ""
        yield f"{block.title}, {panel}{line.name}: {', '.join(points)}"


def _bar(bar: Bar) -> str:
    return f"{bar.name} {_number(bar.value)}" + (f" ({bar.note})" if bar.note else "")


def _edges(block: Graph) -> Iterator[str]:
    variables = (*block.inputs, *block.outputs)
    for answer, strengths in zip((*block.outputs, *block.counts), block.found.tolist(), strict=True):
        read = ", ".join(
            f"{name} {_number(strength)}"
            for name, strength in zip(variables, strengths, strict=True)
            if strength > 0
        )
        yield f"{answer} depends on {read or 'nothing'}"


def _number(value: float) -> str:
    return cell_text(float(value))
