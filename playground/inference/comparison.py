"""Named conditions side by side, on one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.errors import Fault
from playground.inference.board import Board
from playground.inference.model import Model
from playground.interventions import Intervention, NamedCondition


@dataclass(frozen=True)
class Compared:
    """A model's board under a condition.

    Args:
        condition: under which it ran; None for none.
        board: the result of what of it means something to the model; None if nothing does.
        left_out: what of it means nothing to the model.
        faults: why not.
    """

    condition: NamedCondition | None
    board: Board | None
    left_out: tuple[Intervention, ...] = ()
    faults: tuple[Fault, ...] = ()


def compare_conditions(model: Model, conditions: Sequence[NamedCondition]) -> list[Compared]:
    """Return a model's boards under conditions, the unedited one first.

    Args:
        model: a loaded model; it stays as it is.
        conditions: what does not fit the model is left out of each, and said.
    """
    compared = [Compared(None, model.baseline)]
    for condition in conditions:
        fit = model.fit(condition.values)
        board = model.board(fit.applied) if fit.applied else None
        compared.append(Compared(condition, board, fit.left_out, fit.faults))
    return compared
