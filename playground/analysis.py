"""Analysis: questions about a model that are answered on all states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.inference import Board, Model
from playground.interventions import EVERYWHERE, Intervention, Span, Zero
from playground.models import Site


@dataclass(frozen=True)
class Effect:
    """What one intervention alone does to a model's answers.

    Args:
        intervention: what was done.
        moved_seen: mean absolute change of the margins, in logits, over all answers of the seen states.
        moved_held_out: the same over the held-out states; None if there are none.
        broken_seen: seen states whose completion was right and is no longer.
        broken_held_out: held-out states likewise.
    """

    intervention: Intervention
    moved_seen: float
    moved_held_out: float | None
    broken_seen: int
    broken_held_out: int


def measure_effect(baseline: Board, edited: Board, intervention: Intervention) -> Effect:
    """Return what lies between two boards of one model, the second under `intervention` alone.

    The margins of each board are those on the texts that the model wrote itself.
    """
    moved = np.abs(edited.margin - baseline.margin)
    broken = baseline.correct & ~edited.correct
    held_out = baseline.held_out
    return Effect(
        intervention=intervention,
        moved_seen=float(moved[~held_out].mean()),
        moved_held_out=float(moved[held_out].mean()) if held_out.any() else None,
        broken_seen=int(broken[~held_out].sum()),
        broken_held_out=int(broken[held_out].sum()),
    )


def rank_heads(model: Model, kind: type[Intervention] = Zero, positions: Span = EVERYWHERE) -> list[Effect]:
    """Return the effect of ablating each head alone, the largest mean change over all states first.

    Args:
        model: whose heads are ranked.
        kind: the ablation.
        positions: the tokens at which it acts.

    Raises:
        RequestError: for positions that the model's world does not have.
    """
    baseline = model.board()
    heads: list[Site] = [site for site in model.network.sites if site.head is not None]
    effects = []
    for head in heads:
        ablation = kind(head, positions)
        effects.append(measure_effect(baseline, model.board([ablation]), ablation))
    share = float(baseline.held_out.mean())

    def moved(effect: Effect) -> float:
        return (1 - share) * effect.moved_seen + share * (effect.moved_held_out or 0.0)

    return sorted(effects, key=moved, reverse=True)
