"""The trace of a model that reads one token at a time: a rerun starts from the state before a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from typing_extensions import override

from playground.models.interface.trace import PairRows, PairScores, Replacement, Tokens, Trace, with_values

Hooks = Mapping[str, Callable[[Tensor], Tensor]]
"""Hook point -> function from its value at a token to the value that replaces it."""

Step = Callable[[Int[Tensor, " row"], Any, int, Hooks], tuple[Tensor, Any]]
"""Takes tokens, the state before them, their position and further hooks there; returns scores and the state after them."""


class RecurrentTrace(Trace):
    """A trace of a recurrent model.

    Args:
        tokens: of the texts.
        hooks: points whose values are recorded.
        step: takes one step of the model under its edits.
    """

    def __init__(self, tokens: Tokens, hooks: Sequence[str], step: Step) -> None:
        self.tokens, self._step = tokens, step
        self._states: list[Any] = [None]
        found: dict[str, list[Tensor]] = {name: [] for name in hooks}
        keep = {name: _keep(values) for name, values in found.items()}
        scores = []
        with torch.no_grad():
            for position, each in enumerate(tokens.unbind(1)):
                logits, state = step(each, self._states[-1], position, keep)
                scores.append(logits)
                self._states.append(state)
        self.logits = torch.stack(scores, 1)
        self.recorded = {name: torch.stack(values, 1) for name, values in found.items()}

    @override
    def rerun_with(
        self, replacements: Sequence[Replacement], position: int, rows: PairRows, at: Sequence[int]
    ) -> PairScores:
        state, scores = select(self._states[position], rows), []
        hooks: Hooks = {each.place.hook: _put(each) for each in replacements}
        for token in range(position, at[-1] + 1):
            logits, state = self._step(
                self.tokens[rows, token], state, token, hooks if token == position else {}
            )
            if token in at:
                scores.append(logits)
        return torch.stack(scores, 1)


def _keep(values: list[Tensor]) -> Callable[[Tensor], Tensor]:
    def keep(value: Tensor) -> Tensor:
        values.append(value)
        return value

    return keep


def _put(replacement: Replacement) -> Callable[[Tensor], Tensor]:
    return lambda value: with_values(value, replacement)


def select(state: Any, rows: PairRows) -> Any:
    """Return some rows of a state; a row may occur several times."""
    if isinstance(state, Tensor):
        return state[rows]
    if isinstance(state, list | tuple):
        return type(state)(select(each, rows) for each in state)
    if is_dataclass(state) and not isinstance(state, type):
        return replace(
            state, **{field.name: select(getattr(state, field.name), rows) for field in fields(state)}
        )
    assert state is None, "states are made of tensors; before the first token there is none"
    return None
