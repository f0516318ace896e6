"""Models that read a token at a time and carry a state on: what RNN and MANN have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformer_lens import HookedRootModule
from typing_extensions import override

from playground.datasets import Template
from playground.models.hooked import Anatomy, HookedNetwork
from playground.models.network import Pass
from playground.models.sites import Edit, Map


class RecurrentModel(HookedRootModule, ABC):
    """A model that goes through a text step by step.

    Its hook points are by token: `layers.0.hook_h.12` is that of the thirteenth.
    """

    @abstractmethod
    def first_state(self, rows: int) -> Any:
        """Return the state before the first token."""

    @abstractmethod
    def step(
        self, tokens: Int[Tensor, " row"], state: Any, position: int
    ) -> tuple[Float[Tensor, "row vocabulary"], Any]:
        """Return the scores of the next token, and the state, after one more token of each row."""

    @abstractmethod
    def forward(self, tokens: Int[Tensor, "row token"]) -> Float[Tensor, "row token vocabulary"]:
        """Return for every token the scores of the one that follows."""

    def write(
        self, tokens: Int[Tensor, "row given"], length: int
    ) -> tuple[Int[Tensor, "row token"], Float[Tensor, "row token vocabulary"]]:
        """Go on with texts by the most probable token, up to that length; return them with the scores."""
        state, texts, scores = self.first_state(len(tokens)), list(tokens.unbind(1)), []
        for position in range(length):
            if position == len(texts):
                texts.append(scores[-1].argmax(-1))
            logits, state = self.step(texts[position], state, position)
            scores.append(logits)
        return torch.stack(texts, 1), torch.stack(scores, 1)


class RecurrentNetwork(HookedNetwork):
    """A trained recurrent model under its hooks; for the arguments see `HookedNetwork`."""

    def __init__(
        self, architecture: str, model: RecurrentModel, template: Template, anatomy: Anatomy
    ) -> None:
        super().__init__(architecture, model, template, anatomy)
        self._model = model

    @override
    def reach(self, drawn: Map, position: int) -> tuple[int, ...]:
        return tuple(range(position + 1))

    @override
    def forward(
        self, tokens: Int[Tensor, "row token"], edits: Sequence[Edit] = (), record: Sequence[str] = ()
    ) -> Pass:
        texts = tokens.to(self.device)
        return self._run(lambda: (texts, self._model(texts)), tokens.shape[1], edits, record)[1]

    def write(
        self, prompts: Int[Tensor, "row given"], edits: Sequence[Edit] = (), record: Sequence[str] = ()
    ) -> tuple[Int[Tensor, "row token"], Pass]:
        """Return the greedy texts of whole length, and the pass that wrote them; see `forward`."""
        given, length = prompts.to(self.device), self.template.length
        return self._run(lambda: self._model.write(given, length), length, edits, record)

    def _run(
        self,
        compute: Callable[[], tuple[Tensor, Tensor]],
        length: int,
        edits: Sequence[Edit],
        record: Sequence[str],
    ) -> tuple[Int[Tensor, "row token"], Pass]:
        """Return texts and scores that `compute` gives while the model is edited, and what was recorded."""
        values: dict[str, list[Tensor]] = {name: [] for name in record}

        def change(edit: Edit, position: int) -> Callable:
            return lambda value, hook: edit.change(value[:, None], (position,))[:, 0]

        def keep(name: str) -> Callable:
            # Returns None: what a hook returns goes on in the value's place.
            return lambda value, hook: values[name].append(value)

        hooks: list[tuple[str | Callable, Callable]] = [
            (f"{edit.hook}.{position}", change(edit, position))
            for edit in edits
            for position in edit.positions
            if position < length
        ]
        hooks += [(f"{name}.{position}", keep(name)) for name in record for position in range(length)]
        with self._lock, torch.inference_mode(), self._model.hooks(fwd_hooks=hooks):
            texts, logits = compute()
        return texts, Pass(logits, {name: torch.stack(steps, 1) for name, steps in values.items()})
