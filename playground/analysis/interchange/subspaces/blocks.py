"""Distributed alignment search as a method: how well a few directions stand for each variable, and which they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Cell, Column, Row, Selection, Sentence, Table
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.subspaces.search import (
    Candidate,
    Subspaces,
    measure_subspaces,
    tokens_read,
)
from playground.analysis.interchange.subspaces.subspace import Subspace
from playground.analysis.interchange.variables import name_of, why_nothing
from playground.inference import Model

UNITS_SHOWN = 5

_OFF_THE_STATES = (
    "exchanging the whole part changes no answer, but these directions do. They may create values that no "
    "state has there, so this does not show that the model reads the variable at this part."
)
_PLACE = (
    Column("variable"),
    Column("part", "A click selects it with its token.", "part"),
    Column("token"),
)
_SHARES = (
    Column("dimensions", "Of the subspace, of all that the part has."),
    Column(
        "subspace",
        "Pairs of unseen states in which exchanging the subspace gives what the causal model says.",
    ),
    Column("whole part", "The same with the whole part exchanged."),
    Column("nothing", "The same with nothing exchanged."),
    Column("shuffled labels", "The same with a subspace learned from shuffled labels: what chance gives."),
    Column(
        "stays", "Pairs of unseen states whose answer must stay in which it does with the subspace exchanged."
    ),
    Column("training", "As the subspace, in the pairs that it was learned from."),
)


def subspace_blocks(subspaces: Sequence[Subspace]) -> Iterator[Table | Sentence]:
    """Yield how well given subspaces stand for their variables, and which units they lie in."""
    if not subspaces:
        return
    yield Table(
        title="subspaces that stand for variables",
        caption=_caption("the answer"),
        columns=(Column("answer"), *_PLACE, *_SHARES),
        rows=tuple(
            Row((each.answer, *_place(each), *_shares(each)), selects=_selection(each)) for each in subspaces
        ),
    )
    yield from _cautions(subspaces, folded=False)
    yield _units(subspaces, "units of the subspaces")


def _present(found: Subspaces, view: View) -> Iterator[Table | Sentence]:
    """Yield for every answer how well subspaces stand for its variables, and which units they lie in."""
    answers = {each.answer for each in found.candidates}
    yield from why_nothing(view, answers, waiting=found.waiting)
    for answer, folded in view.answers(each for each in view.world.answers if each in answers):
        meant = [each for each in found.candidates if each.answer == answer]
        done = [each.subspace for each in meant if each.subspace is not None]
        yield Table(
            title=f"subspaces for {answer}",
            caption=_caption(answer),
            columns=(*_PLACE, *_SHARES),
            rows=tuple(map(_row, meant)),
            folded=folded,
        )
        yield from _cautions(done, folded=folded)
        for each in meant:
            if each.reason:
                name = name_of(each.kind, each.variable)
                yield Sentence(text=f"No subspace for {name} by {answer}: {each.reason}.", folded=folded)
        if done:
            yield _units(done, f"units of the subspaces for {answer}")


def _caption(answer: str) -> str:
    return (
        f"Of the pairs of states that were not used for learning: in how many {answer} becomes what the causal model says if a few "
        "directions of the part are exchanged, or the whole part, or nothing, or directions that were learned from shuffled labels."
    )


def _row(candidate: Candidate) -> Row:
    found = candidate.subspace
    shares = (None,) * len(_SHARES) if found is None else _shares(found)
    return Row((*_place(candidate), *shares), selects=_selection(candidate) if candidate.site else None)


def _place(found: Candidate | Subspace) -> tuple[Cell, ...]:
    return name_of(found.kind, found.variable), found.site or None, found.token or None


def _selection(found: Candidate | Subspace) -> Selection:
    return Selection(found.site, found.token, found.answer)


def _shares(found: Subspace) -> tuple[Cell, ...]:
    dimensions = f"{len(found.basis)} of {found.basis.shape[1]}"
    shares = (found.test, found.whole, found.unpatched, found.control, found.kept, found.train)
    return dimensions, *map(str, shares)


def _cautions(subspaces: Sequence[Subspace], *, folded: bool) -> Iterator[Sentence]:
    for each in subspaces:
        if each.off_the_states:
            where = f"{name_of(each.kind, each.variable)} by {each.answer}, {each.site} at {each.token}"
            yield Sentence(text=f"{where}: {_OFF_THE_STATES}", is_caution=True, folded=folded)


def _units(subspaces: Sequence[Subspace], title: str) -> Table:
    """Return the units of the part that the subspaces lie in, which does not depend on their basis."""
    return Table(
        title=title,
        caption="The units of the part with the largest share in the subspace: 1.00 for a unit entirely in it, 0.00 for "
        "one outside it. The shares of a subspace add up to its number of dimensions.",
        columns=(
            *_PLACE,
            Column("units", "By their number within the part, each with its share."),
            Column("for half", "How many units it takes to make up half of the subspace."),
        ),
        rows=tuple(
            Row((*_place(each), *_largest_units(shares_of_units(each))), selects=_selection(each))
            for each in subspaces
        ),
        folded=True,
    )


def shares_of_units(found: Subspace) -> Float[np.ndarray, " component"]:
    """Return how much of each unit's direction lies in a subspace, from 0 to 1."""
    return (found.basis**2).sum(0)


def _largest_units(shares: Float[np.ndarray, " component"]) -> tuple[str, int]:
    order = np.argsort(-shares, kind="stable")
    units = ", ".join(f"{each} ({shares[each]:.2f})" for each in order[:UNITS_SHOWN].tolist())
    return units, int((shares[order].cumsum() < shares.sum() / 2).sum()) + 1


def _figures(found: Subspaces, model: Model) -> dict[str, Any]:
    return {
        "subspaces": [to_document(each.subspace) for each in found.candidates if each.subspace is not None],
        "left_out": [
            {
                "variable": each.variable,
                "kind": each.kind,
                "answer": each.answer,
                "site": each.site or None,
                "token": each.token or None,
                "reason": each.reason or "not measured",
            }
            for each in found.candidates
            if each.subspace is None
        ],
    }


SUBSPACES = Method(
    name="subspaces",
    title="Distributed alignment search",
    question="In which few directions of a part does a variable lie?",
    how="At the part (after the embeddings) and token with the best interchange accuracy, gradient descent "
    "learns a subspace. Taking this subspace alone from another state should make the model write what the "
    "causal model says. It is judged on states that it was not learned from.",
    caution="A search finds something everywhere: compare with shuffled labels and with the whole part. Where the "
    "whole part changes no answer, directions that do may put the model into a condition that no state "
    "produces. Few pairs remain to judge by.",
    source="Geiger et al. 2023 (arXiv 2303.02536); Makelov, Lange and Nanda 2023 (arXiv 2311.17030)",
    is_long=True,
    duration="some minutes where interchange accuracy has not been measured",
    kind=Subspaces,
    measure=lambda model, asked, begun, store: measure_subspaces(model, asked, begun=begun, store=store),
    present=_present,
    figures=_figures,
    progress=progress_of,
    tokens_read=tokens_read,
    rests_on=(INTERCHANGE.version,),
)
