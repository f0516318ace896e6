"""Interchange accuracy of every part at every token: which variable of a causal model the part stands for.

See `interchange.py` for how values are exchanged, and `alignment.py` for what should follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from playground.analysis.base.derived import derive
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Heatmap, Option, Row, Selection, Sentence, Table
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View
from playground.analysis.interchange.alignment import Alignment, align, align_one
from playground.analysis.interchange.grids import heatmap_of_parts, table_of_outcomes
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.interchange.patching import recovered_figures, tokens_read
from playground.analysis.interchange.variables import (
    default_variable,
    describe,
    name_of,
    text_of,
    variable_of,
    variables_of,
)
from playground.inference import Model
from playground.worlds import World


def _present(measured: Interchange, view: View) -> Iterator[Heatmap | Table | Sentence]:
    """Yield the chosen variable at every part and token, the best place for each variable, and all variables."""
    for answer, folded in view.answers(measured.answers):
        if view.answer is not None:
            yield _chosen(measured, view, answer)
        found = derive(alignments_of, measured, view.world, answer)
        if found and measured.done.any():
            yield _best_table(measured, found, folded=folded or view.answer is not None)
            yield _best_by_token(measured, view, found, folded=folded or view.answer is not None)
        if view.answer is None and not folded:
            for each in found:
                yield _heatmap(measured, view, each, folded=True)


def alignments_of(measured: Interchange, world: World, answer: str) -> tuple[Alignment, ...]:
    """Return how well parts stand for each variable that the answer depends on in some pairs."""
    found = (align_one(world, measured, variable, answer) for variable in variables_of(world, answer))
    return tuple(each for each in found if each.counted)


def _chosen(measured: Interchange, view: View, answer: str) -> Heatmap | Sentence:
    variable = variable_of(view.world, answer, view.options.get("variable"))
    if variable is None:
        return Sentence(text=f"{answer} follows from nothing that could be exchanged.")
    found = derive(alignments_of, measured, view.world, answer)
    for each in found:
        if (each.variable, each.kind) == (variable.name, variable.kind):
            return _heatmap(measured, view, each, folded=False)
    return Sentence(
        text=f"No pair of states tells whether {answer} follows {describe(variable)}: it is the same in all states, or its value "
        "changes nothing. Choose another variable."
    )


def _heatmap(measured: Interchange, view: View, found: Alignment, *, folded: bool) -> Heatmap:
    variable = variable_of(view.world, found.answer, text_of(found.kind, found.variable))
    assert variable is not None, "an answer was aligned with it"
    return heatmap_of_parts(
        measured,
        found.accuracy,
        title=f"{found.answer} by {name_of(found.kind, found.variable)}",
        caption=f"Share of {found.counted} pairs of states in which exchanging a part at a token makes {found.answer} "
        f"what follows from {describe(variable)} of the other state. With nothing exchanged, it is so in "
        f"{found.unpatched} of them.",
        unit="share",
        selects=lambda site, token: _selection(measured, found, site, token),
        cases=lambda site, token: table_of_outcomes(measured, view, found, site, token),
        framed=(found.best_among(measured.done),) if measured.done.any() else (),
        folded=folded,
    )


def _selection(measured: Interchange, found: Alignment, site: int, token: int) -> Selection:
    chosen = (("variable", text_of(found.kind, found.variable)),)
    return Selection(measured.sites[site], measured.tokens[token], found.answer, chosen)


def _best_table(measured: Interchange, found: Sequence[Alignment], *, folded: bool) -> Table:
    rows = []
    for each in found:
        site, token = each.best_among(measured.done)
        rows.append((float(each.accuracy[site, token]), site, token, each))
    rows.sort(key=lambda row: -row[0])
    answer = found[0].answer
    return Table(
        title=f"where {answer}'s variables are found best",
        caption=f"For each variable, the part and token whose exchange makes {answer} follow it in the largest share of "
        "pairs. Last column: the number of these pairs with nothing exchanged.",
        columns=(
            Column("variable"),
            Column("part", "A click shows this variable at every part.", "part"),
            Column("token"),
            Column("right", "Pairs in which the answer becomes what follows from the variable."),
            Column("pairs", "In which that changes the answer."),
            Column("accuracy", "The share of these."),
            Column("without exchange", "Pairs that are right with nothing exchanged."),
        ),
        rows=tuple(
            Row(
                (
                    name_of(each.kind, each.variable),
                    measured.sites[site],
                    measured.tokens[token],
                    int(each.right[site, token]),
                    each.counted,
                    accuracy,
                    each.unpatched,
                ),
                selects=_selection(measured, each, site, token),
            )
            for accuracy, site, token, each in rows
        ),
        folded=folded,
    )


def _best_by_token(measured: Interchange, view: View, found: Sequence[Alignment], *, folded: bool) -> Heatmap:
    answer, done, any_done = found[0].answer, measured.done, np.any(measured.done, axis=0)
    values = np.stack([np.where(done, each.accuracy, -1).max(0) for each in found])
    best = np.stack([np.where(done, each.accuracy, -1).argmax(0) for each in found])

    def cases(row: int, token: int) -> Table | None:
        site = int(best[row, token])
        return table_of_outcomes(measured, view, found[row], site, token) if done[site, token] else None

    return Heatmap(
        title=f"{answer}: the best part at each token",
        caption=f"How well the best part at each token (column) stands for each variable (row): share of the pairs in which {answer} "
        "becomes what follows from the variable of the other state.",
        row_axis="variable",
        column_axis="token",
        rows=tuple(name_of(each.kind, each.variable) for each in found),
        columns=measured.tokens,
        values=np.where(any_done, values, np.nan),
        largest=1.0,
        notes=[
            [measured.sites[site] if known else "" for site, known in zip(sites, any_done, strict=True)]
            for sites in best.tolist()
        ],
        groups=tuple(each.kind for each in found),
        selects=lambda row, token: _selection(measured, found[row], int(best[row, token]), token),
        cases=cases,
        folded=folded,
    )


def _options(view: View) -> tuple[Option, ...]:
    if view.answer is None:
        return ()
    first = default_variable(view.world, view.answer)
    if first is None:
        return ()
    others = (each for each in variables_of(view.world, view.answer) if each != first)
    return (
        Option(
            "variable",
            "Variable",
            tuple((text_of(each.kind, each.name), describe(each)) for each in (first, *others)),
            "What a part may stand for: if it alone had its value of another state, the answer would change.",
        ),
    )


def accuracy_figures(measured: Interchange, model: Model) -> dict[str, Any]:
    """Return the interchange accuracy of every part at every token, by variable and answer, and the recovered effects."""
    return recovered_figures(measured, model) | {
        "pairs": len(measured.pairs),
        "exhaustive": measured.exhaustive,
        "variables": [_alignment_figures(each, measured) for each in align(model.world, measured)],
    }


def _alignment_figures(alignment: Alignment, measured: Interchange) -> dict[str, Any]:
    site, token = alignment.best
    return {
        "variable": alignment.variable,
        "kind": alignment.kind,
        "answer": alignment.answer,
        "pairs_that_count": alignment.counted,
        "right_without_exchange": alignment.unpatched,
        "best": {"site": measured.sites[site], "token": measured.tokens[token]},
        "accuracy": to_document(alignment.accuracy),
    }


INTERCHANGE = Method(
    name="interchange",
    title="Interchange accuracy",
    question="Which part at which token stands for which variable of a causal model?",
    how="In every pair of states, the value of one part at one token is taken from the other state, and the "
    "answer is compared with what a causal model says if one of its variables alone takes its value from "
    "that state. Only pairs in which that changes the answer count.",
    caution="Early parts at an input's own token carry it trivially. A share between 0 and 100% may mean part of a "
    "variable or several at once, and where few pairs count, chance flatters the best of many parts. A "
    "variable spread over several parts is found in none of them alone, and one that is found somewhere need "
    "not be read from there.",
    source="Geiger et al. 2021 (arXiv 2106.02997); Geiger et al. 2022 (arXiv 2112.00826)",
    is_long=True,
    duration="half a minute to some minutes",
    kind=Interchange,
    measure=lambda model, asked, begun, store: measure_interchange(model, asked, begun=begun),
    present=_present,
    options=_options,
    figures=accuracy_figures,
    progress=progress_of,
    tokens_read=lambda model: tokens_read(model, neighbours_only=False),
)
