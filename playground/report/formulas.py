"""Formulas drawn: what parts compute where an answer is written."""

from __future__ import annotations

from playground.analysis import Formulas
from playground.inference import Model
from playground.plots import plot_explained
from playground.report.exhibits import Drawing, Exhibit, reads_none

MOST_PARTS = 20
"""That are drawn for a position; of parts that are explained alike those with the smaller formulas."""


def formulas_exhibits(measured: Formulas, model: Model) -> list[Exhibit]:
    """Return for every answer the parts that a formula explains best where it is written, and where it stands."""
    found: list[Exhibit] = []
    for answer in model.world.answers:
        for position, where in ((f">{answer}", "is written"), (answer, "stands")):
            here = measured.only(position=position)
            count = int((here.literals > 0).sum())
            shown = slice(min(MOST_PARTS, count))
            if not count:
                continue
            found.append(
                Drawing(
                    f"Where {answer} {where}: the {len(here.parts[shown])} parts that one formula explains best, of {count:,} that "
                    f"are not constant. {measured.candidates:,} functions were tried for each.",
                    plot_explained(
                        here.parts[shown],
                        here.formulas[shown],
                        here.explained[shown],
                        chance=measured.chance,
                    ),
                    folded=where == "stands" or reads_none(model, answer),
                )
            )
    return found
