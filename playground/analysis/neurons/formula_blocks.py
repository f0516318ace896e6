"""Formulas for parts as a method: how its result is shown, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from playground.analysis.base.method import Method, at_once
from playground.analysis.base.presentation import Bar, Bars, Column, Row, Selection, Sentence, Table
from playground.analysis.base.view import View
from playground.analysis.neurons.formulas import Formulas, measure_formulas
from playground.errors import count_of
from playground.inference import Model

MOST_PARTS = 300
"""Parts listed for one token."""
MOST_FORMULAS = 12
"""Formulas drawn for one token."""
BEST_PARTS = 10
"""Parts named first, over all tokens, if no answer is chosen."""
WELL = 0.9
"""From this share of its variance on, a part counts as explained."""
_PART = Column("part", kind="part")
_FORMULA = Column("is high where", "the simplest of the formulas that explain its values best")
_EXPLAINED = Column("explained", "share of the variance of its values that the formula explains")


def _present(found: Formulas, view: View) -> Iterator[Sentence | Table | Bars]:
    """Yield all parts where the chosen answer is written; if none is chosen, the formulas that explain parts best."""
    yield Sentence(
        text=f"{found.candidates:,} functions of the inputs were tried. Of random values the best would explain {found.chance:.2f} of "
        "the variance."
    )
    if view.answer is not None:
        yield _parts(found, view, view.answer)
        return
    yield _best_parts(found, view)
    for answer, folded in view.answers(view.world.answers):
        for token, where in ((f">{answer}", "is written"), (answer, "stands")):
            here = found.only(token)
            if here.literals.any():
                yield _by_formula(here, f"{answer} {where}", folded=folded or where == "stands")


def _parts(found: Formulas, view: View, answer: str) -> Table:
    token = view.writing(answer)
    here = found.only(token)
    shown = range(min(MOST_PARTS, len(here.parts)))
    left_out = len(here.parts) - len(shown)
    return Table(
        title=f"formulas at {token}",
        caption=f"What each part computes at {token}, where {answer} is written; the best explained come first."
        + (f" {left_out:,} more parts are left out." if left_out else ""),
        columns=(
            _PART,
            _FORMULA,
            _EXPLAINED,
            Column("captured", "share of the part's own variance that these values have"),
            Column("spectrum", "share of the variance by subsets of the inputs"),
        ),
        rows=tuple(
            Row(
                (
                    here.parts[index],
                    here.formulas[index],
                    _explained(here, index),
                    f"{here.captured[index]:.2f}",
                    ", ".join(here.terms(index)) or "–",
                ),
                selects=Selection(here.parts[index], token, answer),
                cases=partial(_values, here, view, index),
            )
            for index in shown
        ),
    )


def _best_parts(found: Formulas, view: View) -> Table:
    """Return the parts that are explained best, over all tokens."""
    return Table(
        title="parts that are explained best",
        caption="For each part, the formula over the inputs that best predicts where its value is high; best of all "
        "parts at all tokens where answers stand or are written.",
        columns=(_PART, Column("at", "the token"), _FORMULA, _EXPLAINED),
        rows=tuple(
            Row(
                (
                    found.parts[index],
                    found.positions[index],
                    found.formulas[index],
                    _explained(found, index),
                ),
                selects=Selection(found.parts[index], found.positions[index]),
                cases=partial(_values, found, view, index),
            )
            for index in range(min(BEST_PARTS, len(found.parts)))
        ),
    )


def _explained(found: Formulas, index: int) -> str:
    return "exact" if found.exact[index] else f"{found.explained[index]:.2f}"


def _values(found: Formulas, view: View, index: int) -> Table:
    """Return the value of one part at one token in every state."""
    values = found.values[index]
    return Table(
        title=f"values of {found.parts[index]} at {found.positions[index]}",
        caption=f"{found.line(index)}. Its value in every state; the highest come first.",
        columns=(Column("state", kind="state"), Column("value", "in the model's own unit")),
        rows=tuple(
            Row((view.states[state], f"{values[state]:.3f}"))
            for state in np.argsort(-values, kind="stable").tolist()
        ),
    )


def _by_formula(here: Formulas, place: str, *, folded: bool) -> Bars:
    """Return the formulas at one token at which some parts vary, each with the part that it explains best."""
    parts: dict[str, list[int]] = {}
    for index, (formula, literals) in enumerate(zip(here.formulas, here.literals.tolist(), strict=True)):
        if literals:
            parts.setdefault(formula, []).append(index)
    bars = []
    # Parts are sorted: a formula explains the first of its parts best.
    for formula in list(parts)[:MOST_FORMULAS]:
        best, count = parts[formula][0], int((here.explained[parts[formula]] >= WELL).sum())
        name = here.parts[best] if count <= 1 else f"{here.parts[best]} + {count - 1}"
        bars.append(Bar(name, float(here.explained[best]), note=formula))
    return Bars(
        title=f"formulas where {place}",
        caption=f"Where {place}: the formulas that explain a part best, each with that part and the number of other parts "
        f"of which it explains at least {WELL:.0%}; of {count_of(int((here.literals > 0).sum()), 'part')} that "
        "vary.",
        axis="share of the variance",
        bars=tuple(bars),
        unit="variance",
        reference=("by chance", here.chance),
        folded=folded,
    )


def _figures(found: Formulas, model: Model) -> dict[str, Any]:
    return {
        "candidates": found.candidates,
        "explained_by_chance": found.chance,
        "parts": [
            {
                "part": part,
                "position": found.positions[index],
                "formula": found.formulas[index],
                "literals": int(found.literals[index]),
                "explained": float(found.explained[index]),
                "exact": bool(found.exact[index]),
                "spectrum": list(found.terms(index)),
            }
            for index, part in enumerate(found.parts)
        ],
    }


FORMULAS = Method(
    name="formulas",
    title="Formulas for parts",
    question="Which formula over the inputs does each part compute, and how well?",
    how="The method searches, for each part, for the simplest formula over the inputs that explains its values "
    "in all states, at every token where an answer stands or is written.",
    caution="Among thousands of parts and functions, some fit by chance: compare with the share that chance "
    "explains. The model need not use a part for the formula that it computes.",
    source='O\'Donnell 2014, "Analysis of Boolean Functions", for the spectrum',
    kind=Formulas,
    measure=at_once(measure_formulas),
    present=_present,
    figures=_figures,
)
