"""What grids of parts and tokens share: the order of their rows, and the pairs of states behind a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from playground.analysis.base.presentation import Column, Heatmap, Row, Selection, Table, Unit
from playground.analysis.base.view import View, layer_of
from playground.analysis.interchange.alignment import Alignment, outcomes
from playground.analysis.interchange.interchange import Interchange

PAIR = (
    Column("text of", "The state whose text the model reads.", "state"),
    Column("value of", "The state from which the value is taken.", "state"),
)
"""Columns for base and source."""


def heatmap_of_parts(
    measured: Interchange,
    values: Float[np.ndarray, "site token"],
    *,
    title: str,
    caption: str,
    unit: Unit,
    selects: Callable[[int, int], Selection],
    cases: Callable[[int, int], Table],
    framed: Sequence[tuple[int, int]] = (),
    folded: bool = False,
) -> Heatmap:
    """Return a heatmap of parts and tokens, layer by layer; sites and tokens are given by index.

    Args:
        measured: gives what has been measured; other cells are empty.
        values: one value for each exchange.
        title: see `Heatmap`.
        caption: see `Heatmap`.
        unit: unit of the values.
        selects: what a click on a cell selects.
        cases: the cases behind a cell.
        framed: the cells to frame.
        folded: see `Heatmap`.
    """
    order = by_layer(measured.sites)
    return Heatmap(
        title=title,
        caption=caption,
        row_axis="part",
        column_axis="token",
        rows=tuple(measured.sites[site] for site in order),
        columns=measured.tokens,
        values=np.where(measured.done, values, np.nan)[order],
        unit=unit,
        largest=1.0,
        groups=tuple(layer_of(measured.sites[site]) for site in order),
        framed=tuple((order.index(site), token) for site, token in framed),
        selects=lambda row, token: selects(order[row], token),
        cases=lambda row, token: cases(order[row], token) if measured.done[order[row], token] else None,
        folded=folded,
    )


def by_layer(sites: Sequence[str]) -> list[int]:
    """Return the indices of parts, layer by layer: the embedding first, heads before a layer's other parts."""

    def rank(index: int) -> tuple[int, int, bool]:
        layer = layer_of(sites[index])
        if not layer:
            return (0 if sites[index] == "embed" else 2), 0, False
        return 1, int(layer[1:]), not re.match(r"L\d+H", sites[index])

    return sorted(range(len(sites)), key=rank)


def table_of_outcomes(
    measured: Interchange, view: View, alignment: Alignment, site: int, token: int
) -> Table:
    """Return the pairs behind an accuracy; those in which the answer is not what the causal model predicts come first.

    Args:
        measured: what the model writes under exchanges.
        view: the view of the model.
        alignment: the alignment of the variable and answer.
        site: index of the part.
        token: index of the token.
    """
    found = outcomes(view.world, measured, alignment, site, token)
    visible = view.model.template.visible
    where = f"{measured.sites[site]} at {measured.tokens[token]}"
    return Table(
        title=f"{alignment.answer}, exchanged: {where}",
        caption=f"{alignment.answer} is as expected in {int(found.right.sum())} of {len(found.right)} pairs; the rest "
        "come first.",
        columns=(*PAIR, Column("expected", "What the causal model says."), Column("written")),
        rows=tuple(
            Row(
                (
                    *(view.states[state] for state in found.pairs[index]),
                    visible(int(found.expected[index])),
                    visible(int(found.written[index])),
                ),
                bool(found.right[index]),
            )
            for index in np.argsort(found.right, kind="stable").tolist()
        ),
    )
