"""The elements of a model, ranked by the effect of ablating each alone; and what removing each edit fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.asked.condition import Condition
from api.asked.query import Asked
from api.boards import unfit_data
from api.models import library
from api.probe import drawings
from playground.errors import count_of
from playground.inference import blocks_of
from playground.interventions import ActivationIntervention, Zero

MOST_UNASKED = 40
"""More blocks of states than this are run only on request: it takes seconds."""


def ranking_parts(asked: Asked, *, measure: bool) -> Iterator[dict[str, Any]]:
    """Yield the progress, then the ranking, or an offer to measure it if that takes seconds.

    Args:
        asked: the model and the condition; its click action says how elements are ablated.
        measure: whether to measure what takes seconds.
    """
    condition, model = asked.condition, asked.model
    network = model.network
    kind, positions = _ranked_by(condition), condition.click_action.positions
    about = {"kind": kind.kind, "noun": network.element_noun}
    if library.known_ranking(model, kind, positions) is None:
        blocks = len(network.elements) * len(blocks_of(len(model.world.states)))
        if blocks > MOST_UNASKED and not measure:
            yield about | {"offer": f"Rank {count_of(len(network.elements), network.element_noun)}"}
            return
        for site in library.measure_effects(model, kind, positions):
            yield about | {
                "progress": f"Ablating each {network.element_noun} in turn, on all states: {site} …"
            }
    effects = library.known_ranking(model, kind, positions)
    yield about | {"ranking": drawings.ranking_data(effects or [])}


def _ranked_by(condition: Condition) -> type[ActivationIntervention]:
    """Return the ablation by which parts are ranked: that of the next click, if its kind needs no further input."""
    return Zero if condition.click_action.kind.needs else condition.click_action.kind


def fixes_parts(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the progress, then for each active edit how many wrong states removing it alone fixes."""
    model, active = asked.model, asked.condition.interventions
    about = {"unfit": unfit_data(asked)}
    if active and library.known_counts(model, active) is None:
        for done in library.measure_counts(model, active):
            yield about | {"progress": f"{done} of {len(active)} …"}
    wrong = ~library.board(model, model.fit(active).applied).correct
    yield about | {"fixes": library.known_counts(model, active) or [], "broken": int(wrong.sum())}
