"""Formulas drawn: what parts compute where an answer is written."""

from __future__ import annotations

from playground.analysis import Formulas
from playground.errors import count_of
from playground.inference import Model
from playground.plots import Figure, plot_explained
from playground.report.exhibits import Drawing, Exhibit, reads_none

MOST_FORMULAS = 12
"""That are drawn for a position."""
WELL = 0.9
"""From which share of its variance on a part counts as explained."""


def formulas_exhibits(measured: Formulas, model: Model) -> list[Exhibit]:
    """Return for every answer the formulas that explain parts best where it is written, and where it stands."""
    found: list[Exhibit] = []
    for answer in model.world.answers:
        for position, where in ((f">{answer}", "is written"), (answer, "stands")):
            here = measured.only(position=position)
            if not here.literals.any():
                continue
            folded = where == "stands" or reads_none(model, answer)
            place = f"Where {answer} {where}"
            caption, figure = _by_formula(here, place)
            # Those that are folded say the same of their own place.
            found.append(Drawing(f"{place}: the same" if folded else caption, figure, folded=folded))
    return found


def _by_formula(here: Formulas, place: str) -> tuple[str, Figure]:
    """Return caption and figure of the formulas at a position, each with the part that it explains best."""
    parts: dict[str, list[int]] = {}
    for index, (formula, literals) in enumerate(zip(here.formulas, here.literals.tolist(), strict=True)):
        if literals:
            parts.setdefault(formula, []).append(index)
    # Parts are in order: the first of a formula is the one that it explains best.
    shown = list(parts)[:MOST_FORMULAS]
    best = [parts[formula][0] for formula in shown]
    counts = [int((here.explained[parts[formula]] >= WELL).sum()) for formula in shown]
    count = int((here.literals > 0).sum())
    caption = (
        f"{place}: the formulas that explain a part best, each with that part, and how many others it explains to at "
        f"least {WELL:.0%}; of {count_of(count, 'part')} that vary. Of {here.candidates:,} functions the simplest of the best is taken."
    )
    labels = [
        here.parts[index] if number <= 1 else f"{here.parts[index]} + {number - 1}"
        for index, number in zip(best, counts, strict=True)
    ]
    return caption, plot_explained(labels, shown, here.explained[best], chance=here.chance)
