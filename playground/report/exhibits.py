"""Blocks as shown in the report: figures, pictures, tables and sentences, each with a caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np

from playground.analysis import Bars, Block, Cell, Curve, Graph, Heatmap, Sentence, Table, cell_text
from playground.plots import Figure, Series, draw_routes, draw_routes_apart, plot_bars, plot_curves, plot_grid


@dataclass(frozen=True)
class Exhibit:
    """One block as the template shows it.

    Args:
        kind: the kind of content, which decides which other fields are set.
        title: what it is, in a few words.
        caption: what it shows, in a sentence or two.
        folded: whether it starts collapsed.
        figure: a plotly figure.
        svg: a picture; its text is escaped.
        columns: the headings of a table.
        rows: its cells.
    """

    kind: Literal["drawing", "picture", "table", "sentence", "caution"]
    title: str
    caption: str
    folded: bool = False
    figure: Figure | None = None
    svg: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The cells of a table as displayed."""
        return tuple(tuple(map(cell_text, row)) for row in self.rows)

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column contains only numbers."""
        return tuple(
            all(cell is None or isinstance(cell, int | float) for cell in column)
            for column in zip(*self.rows, strict=True)
        ) or (False,) * len(self.columns)


def exhibit_of(block: Block) -> Exhibit:
    """Return a block as the report shows it."""
    match block:
        case Sentence():
            return Exhibit("caution" if block.is_caution else "sentence", "", block.text, block.folded)
        case Table():
            return Exhibit(
                "table",
                block.title,
                block.caption,
                block.folded,
                columns=tuple(column.name for column in block.columns),
                rows=tuple(row.cells for row in block.rows),
            )
        case Heatmap():
            axes = f"{block.title} ({block.row_axis} × {block.column_axis})"
            return Exhibit("drawing", axes, block.caption, block.folded, figure=figure_of(block))
        case Curve() | Bars():
            return Exhibit("drawing", block.title, block.caption, block.folded, figure=figure_of(block))
        case Graph():
            return Exhibit("picture", block.title, block.caption, block.folded, svg=_graph_svg(block))
    assert_never(block)


def figure_of(block: Heatmap | Curve | Bars) -> Figure:
    """Return a block as a plotly figure."""
    match block:
        case Heatmap():
            known = block.values[np.isfinite(block.values)]
            largest = block.largest or float(np.abs(known).max(initial=0.0)) or 1.0
            return plot_grid(
                block.values,
                block.rows,
                block.columns,
                unit=block.unit,
                limits=(-largest if (known < 0).any() else 0.0, largest),
                groups=block.groups,
                notes=block.notes,
                framed=block.framed,
            )
        case Curve():
            return plot_curves(
                block.places,
                [
                    Series(line.name, line.values, line.panel or block.unit, line.is_faint)
                    for line in block.lines
                ],
                axis=block.axis,
                is_share=block.unit == "share",
                is_logarithmic=block.is_logarithmic,
            )
        case Bars():
            return plot_bars(
                [bar.name for bar in block.bars],
                [bar.value for bar in block.bars],
                axis=block.axis,
                notes=[bar.note for bar in block.bars],
                spread=[bar.spread for bar in block.bars],
                spread_names=block.spread_names,
                reference=block.reference,
            )
    assert_never(block)


def _graph_svg(block: Graph) -> str:
    """Return a graph as SVG."""
    return draw_routes(
        block.inputs, block.outputs, block.counts, block.expected, block.found, titles=block.titles
    )


def graph_pictures(block: Graph) -> tuple[str, str, str]:
    """Return the two graphs and their legend, each as an SVG of its own."""
    return draw_routes_apart(
        block.inputs, block.outputs, block.counts, block.expected, block.found, titles=block.titles
    )
