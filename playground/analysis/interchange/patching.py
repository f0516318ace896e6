"""Activation patching: which part at which token carries the difference between two states that differ in one input.

See `interchange.py` for how values are exchanged, and for sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Heatmap, Option, Row, Selection, Table
from playground.analysis.base.share import Share, share_document
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, signed
from playground.analysis.interchange.exchange import choose_pairs
from playground.analysis.interchange.grids import PAIR, heatmap_of_parts
from playground.analysis.interchange.interchange import Interchange, measure_interchange, positions_of
from playground.inference import Model

ALL, SEEN, HELD_OUT, DIFFERENCE = "all", "seen", "held out", "held out − seen"
_AMONG = {
    ALL: "",
    SEEN: " Only pairs of two seen states count.",
    HELD_OUT: " Only pairs with a held-out state count.",
    DIFFERENCE: " Shown is the mean over pairs with a held-out state minus that over pairs of two seen states.",
}


def _present(measured: Interchange, view: View) -> Iterator[Heatmap]:
    """Yield how far each exchange moves the answers; if all are shown, also separately for held-out states."""
    chosen = view.options.get("among", ALL)
    for answer, folded in view.answers(measured.answers):
        yield _heatmap(measured, view, answer, chosen if chosen in _AMONG else ALL, folded=folded)
        if view.answer is None and measured.held_out.any():
            yield _heatmap(measured, view, answer, HELD_OUT, folded=True)


def _heatmap(measured: Interchange, view: View, answer: str, among: str, *, folded: bool) -> Heatmap:
    return heatmap_of_parts(
        measured,
        _recovered(measured, answer, among),
        title=f"recovered effect on {answer}" + ("" if among == ALL else f", {among}"),
        caption=f"How far exchanging a part at a token moves {answer} from one state's value to the other's, over the "
        f"pairs that differ in one input and in {answer}: 0 not at all, 1 entirely, below 0 away from "
        f"it.{_AMONG[among]}",
        unit="effect",
        selects=lambda site, token: Selection(measured.sites[site], measured.tokens[token], answer),
        cases=lambda site, token: _cases(measured, view, answer, among, site, token),
        folded=folded,
    )


def with_held_out(measured: Interchange) -> Bool[np.ndarray, " neighbour"]:
    """Return which neighbour pairs include a held-out state."""
    base, source = measured.pairs[measured.neighbours].T
    return measured.held_out[base] | measured.held_out[source]


def _recovered(measured: Interchange, answer: str, among: str) -> Float[np.ndarray, "site token"]:
    if among == DIFFERENCE:
        return _recovered(measured, answer, HELD_OUT) - _recovered(measured, answer, SEEN)
    held_out = with_held_out(measured)
    return measured.mean_recovered(answer, {ALL: None, SEEN: ~held_out, HELD_OUT: held_out}[among])


def _cases(measured: Interchange, view: View, answer: str, among: str, site: int, token: int) -> Table:
    column, held_out = measured.answers.index(answer), with_held_out(measured)
    effects = measured.recovered[site, token, :, column]
    counts = np.isfinite(effects)
    if among in (SEEN, HELD_OUT):
        counts &= held_out == (among == HELD_OUT)
    known = np.flatnonzero(counts)
    visible = view.model.template.visible
    rows = []
    for index in known[np.argsort(-effects[known], kind="stable")].tolist():
        pair = measured.neighbours[index]
        own, other = measured.unpatched[measured.pairs[pair], column].tolist()
        cells = (
            *(view.states[state] for state in measured.pairs[pair]),
            f"{visible(own)} → {visible(other)}",
            visible(int(measured.written[site, token, pair, column])),
            signed(float(effects[index])),
        )
        rows.append(Row(cells))
    return Table(
        title=f"{answer}, exchanged: {measured.sites[site]} at {measured.tokens[token]}",
        caption=f"In {len(known)} pairs {answer} differs; in {int(held_out[known].sum())} of them a state was held out. The largest "
        "effect comes first.",
        columns=(
            *PAIR,
            Column("without exchange", "What is written in the one state, and in the other."),
            Column("written", "What is written with the exchange."),
            Column("recovered", "0 as in the one state, 1 as in the other."),
        ),
        rows=tuple(rows),
    )


def _options(view: View) -> tuple[Option, ...]:
    if not view.model.dataset.held_out:
        return ()
    return (
        Option(
            "among",
            "Pairs of states",
            tuple((each, each) for each in _AMONG),
            "Over which pairs the recovered effect is averaged: a pair is held out if one of its states was.",
        ),
    )


def recovered_figures(measured: Interchange, model: Model) -> dict[str, Any]:
    """Return the mean recovered effect of every part at every token, by answer; seen and held-out states separately."""
    held_out = with_held_out(measured)
    return {
        "sites": list(measured.sites),
        "tokens": list(measured.tokens),
        "done": share_document(Share(*measured.progress)),
        "pairs": len(measured.neighbours),
        "recovered": {
            answer: {
                "all": to_document(measured.mean_recovered(answer)),
                "seen": to_document(measured.mean_recovered(answer, ~held_out)),
                "held_out": to_document(measured.mean_recovered(answer, held_out)),
            }
            for answer in measured.answers
        },
    }


def tokens_read(model: Model, *, neighbours_only: bool) -> float:
    """Return about how many tokens a model reads while every part is exchanged at every token."""
    pairs, *_ = choose_pairs(model.world.states, neighbours_only=neighbours_only)
    exchanges = len(model.network.interchange_sites) * len(positions_of(model.template, None))
    # Everything before the token and below the part is shared, so about half of a text is recomputed.
    return len(pairs) * exchanges * model.template.length / 2


PATCHING = Method(
    name="patching",
    title="Activation patching",
    question="Which part at which token carries the difference between two states that differ in one input?",
    how="In every pair of states that differ in one input, the value of one part at one token is taken from the other state. "
    "Recovered is how far that moves the answer's score from the one state's to the other's: 0 not at all, 1 entirely.",
    caution="A part that passes a value on recovers as much as one that computes it. Where either of two parts would "
    "suffice, neither may show an effect.",
    source="Vig et al. 2020 (arXiv 2004.12265); Wang et al. 2022 (arXiv 2211.00593)",
    is_long=True,
    duration="some 10 to 60 seconds",
    kind=Interchange,
    measure=lambda model, asked, begun, store: measure_interchange(
        model, asked, neighbours_only=True, begun=begun
    ),
    present=_present,
    options=_options,
    figures=recovered_figures,
    progress=progress_of,
    tokens_read=lambda model: tokens_read(model, neighbours_only=True),
)
