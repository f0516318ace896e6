"""Effects: what changing each part of a model alone does to its answers, on all states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.inference import Board, Model
from playground.interventions import EVERYWHERE, ActivationIntervention, Span, Zero


@dataclass(frozen=True)
class Effect:
    """What one intervention alone does to a model's answers.

    Args:
        intervention: the intervention.
        moved_seen: mean absolute change of the margins, in logits, over all answers of the seen states.
        moved_held_out: the same over the held-out states; None if there are none.
        broken_seen: number of seen states whose completion was right and no longer is.
        broken_held_out: the same for held-out states.
    """

    intervention: ActivationIntervention
    moved_seen: float
    moved_held_out: float | None
    broken_seen: int
    broken_held_out: int


def margin_change(baseline: Board, edited: Board) -> Float[np.ndarray, "state answer"]:
    """Return the absolute change of each margin, in logits; each board's margins are on its own texts."""
    return np.abs(edited.margin - baseline.margin)


def measure_effect(baseline: Board, edited: Board, intervention: ActivationIntervention) -> Effect:
    """Return the effect of `intervention`, from a model's baseline board and its board under that intervention alone."""
    moved = margin_change(baseline, edited)
    broken = baseline.correct & ~edited.correct
    held_out = baseline.held_out
    return Effect(
        intervention=intervention,
        moved_seen=float(moved[~held_out].mean()),
        moved_held_out=float(moved[held_out].mean()) if held_out.any() else None,
        broken_seen=int(broken[~held_out].sum()),
        broken_held_out=int(broken[held_out].sum()),
    )


def ablations(
    model: Model, kind: type[ActivationIntervention] = Zero, positions: Span = EVERYWHERE
) -> tuple[ActivationIntervention, ...]:
    """Return the ablation of each element alone (head, unit, channel, slot).

    Args:
        model: the model whose elements are ablated; see `Network.elements`.
        kind: the ablation.
        positions: the tokens at which it acts.
    """
    return tuple(kind(element, positions) for element in model.network.elements)


def rank(effects: Iterable[Effect], board: Board) -> list[Effect]:
    """Return effects sorted by mean change over all states, the largest first.

    Args:
        effects: effects on one model.
        board: a board of that model; gives the share of held-out states.
    """
    share = float(board.held_out.mean())
    return sorted(
        effects,
        key=lambda effect: (1 - share) * effect.moved_seen + share * (effect.moved_held_out or 0.0),
        reverse=True,
    )
