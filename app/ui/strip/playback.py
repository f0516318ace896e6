"""Writing token by token: where the player under the strip pauses, the next click begins to act."""

from __future__ import annotations

from dataclasses import replace

from playground.inference import Model
from playground.interventions import EVERYWHERE, Span, anchor_at
from state import session

ALL = "end"


def pause(model: Model, step: int | str) -> None:
    """Pause before a token, and have the next click act from there on; or have all written.

    Args:
        model: that writes.
        step: number of the token, or ALL.
    """
    condition = session.current()
    action = condition.click_action
    if isinstance(step, int):
        session.change(step=step, click_action=replace(action, positions=_from(model, step)))
    elif condition.step is None:
        session.change(step=None)
    else:
        # What the player chose goes with it; what was chosen by hand stays.
        mine = action.positions == _from(model, condition.step)
        session.change(
            step=None, click_action=replace(action, positions=EVERYWHERE if mine else action.positions)
        )


def _from(model: Model, step: int) -> Span:
    """Return the positions from the one on at which a token is written."""
    return Span(anchor_at(model.template, step - 1), None)
