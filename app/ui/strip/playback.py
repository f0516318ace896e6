"""Writing token by token: the next click acts from the token at which the player under the strip pauses."""

from __future__ import annotations

from dataclasses import replace

from playground.inference import Model
from playground.interventions import EVERYWHERE, Span, anchor_at
from state import session

ALL = "end"


def pause(model: Model, step: int | str) -> None:
    """Pause before a token and make the next click act from there on, or write the whole text.

    Args:
        model: the model that writes.
        step: number of the token, or ALL.
    """
    condition = session.current()
    action = condition.click_action
    if isinstance(step, int):
        session.change(step=step, click_action=replace(action, positions=_from(model, step)))
    elif condition.step is None:
        session.change(step=None)
    else:
        # Positions that the player chose are reset; positions chosen by hand stay.
        mine = action.positions == _from(model, condition.step)
        session.change(
            step=None, click_action=replace(action, positions=EVERYWHERE if mine else action.positions)
        )


def _from(model: Model, step: int) -> Span:
    """Return the positions from the one at which a token is written to the end."""
    return Span(anchor_at(model.template, step - 1), None)
