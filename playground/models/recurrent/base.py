"""Models that read one token at a time and carry a state on, such as RNN and MANN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.func import functional_call
from torch.nn import Module
from transformer_lens import HookedRootModule
from typing_extensions import override

from playground.datasets import Template
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.hooks import Hook, changed_by
from playground.models.interface.network import Cache, Choose, Network, Writer
from playground.models.interface.sites import ActivationMap, Edit, Site
from playground.models.interface.trace import Pass, Tokens
from playground.models.interface.weights import WeightEdit
from playground.models.recurrent.trace import Hooks, RecurrentTrace

Stepped = tuple[Float[Tensor, "row vocabulary"], Any]
"""The scores of the next token, and the state, after one more token of each row."""


class RecurrentModel(HookedRootModule, ABC):
    """A model that goes through a text step by step.

    Each token has hook points of its own: `layers.0.hook_h.12` belongs to the thirteenth.
    """

    @abstractmethod
    def first_state(self, rows: int) -> Any:
        """Return the state before the first token."""

    @abstractmethod
    def step(self, tokens: Int[Tensor, " row"], state: Any, position: int) -> Stepped:
        """Return the scores of the next token, and the state, after one more token of each row."""

    @abstractmethod
    def forward(self, tokens: Tokens) -> Float[Tensor, "row token vocabulary"]:
        """Return the scores of the next token, at every token."""

    def step_through(self, tokens: Tokens) -> Float[Tensor, "row token vocabulary"]:
        """Return what `forward` does, one step after another."""
        state, scores = self.first_state(len(tokens)), []
        for position, each in enumerate(tokens.unbind(1)):
            logits, state = self.step(each, state, position)
            scores.append(logits)
        return torch.stack(scores, 1)


class Stepper(Module):
    """Steps of a model, each with the weights that are in force at its token.

    Args:
        model: the model, which is run step by step.
    """

    def __init__(self, model: RecurrentModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Int[Tensor, " row"], state: Any, position: int) -> Stepped:
        """Return scores and state after one more token; at the first, the first state is made as well."""
        state = self.model.first_state(len(tokens)) if position == 0 else state
        return self.model.step(tokens, state, position)

    def step(
        self, tokens: Int[Tensor, " row"], state: Any, position: int, parameters: Mapping[str, Tensor] | None
    ) -> Stepped:
        """Return the same, with other values of some parameters."""
        if not parameters:
            return self(tokens, state, position)
        others = {f"model.{name}": value for name, value in parameters.items()}
        return functional_call(self, others, (tokens, state, position))


class RecurrentNetwork(Network):
    """A trained recurrent model under its hooks; for the arguments see `Network`."""

    def __init__(
        self, architecture: str, model: RecurrentModel, template: Template, anatomy: Anatomy
    ) -> None:
        super().__init__(architecture, model, template, anatomy)
        self._model = model
        self._stepper = Stepper(model)

    @override
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        return tuple(range(position + 1))

    @override
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        if site.whole in self._anatomy.before_all:
            return (0,)
        if (site.part or "").startswith("unembed"):
            return (position,)
        idle = self._anatomy.not_at_first.get(site.whole)
        if idle is not None and meant is not None:
            count = len(self.weights[site.whole])
            rows = np.arange(count)[site.slices[:1] or slice(None)]
            others = np.setdiff1d(rows[meant.reshape(len(rows), -1).any(1)], np.arange(count)[idle])
            idle = idle if not others.size else None
        return tuple(range(0 if idle is None else 1, position + 1))

    @override
    def forward(
        self,
        tokens: Tokens,
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        texts, length = tokens.to(self.device), tokens.shape[1]
        if weights:
            return self.write(texts, _no_choice, edits, record, weights, length=length)[1]
        return self._run(lambda: (texts, self._model(texts)), length, edits, record)[1]

    def write(
        self,
        prompts: Int[Tensor, "row given"],
        choose: Choose,
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        length: int | None = None,
    ) -> tuple[Tokens, Pass]:
        """Return complete texts and the pass that wrote them; see `forward`.

        Args:
            prompts: token ids of the prompts.
            choose: chooses each further token.
            edits: as in `forward`.
            record: as in `forward`.
            weights: as in `forward`.
            length: of the texts; None for that of the template.
        """
        length = self.template.length if length is None else length
        given = prompts.to(self.device)
        in_force = self._by_token(weights)

        def compute() -> tuple[Tensor, Tensor]:
            texts, scores, state = list(given.unbind(1)), [], None
            for position in range(length):
                if position == len(texts):
                    texts.append(choose(scores[-1], position))
                logits, state = self._stepper.step(texts[position], state, position, in_force.get(position))
                scores.append(logits)
            return torch.stack(texts, 1), torch.stack(scores, 1)

        return self._run(compute, length, edits, record)

    @property
    @override
    def writer(self) -> Writer:
        return self.write

    @override
    def layers(self, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> None:
        return None

    @override
    def make_cache(self) -> None:
        return None

    @override
    def trace(
        self, tokens: Tokens, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()
    ) -> RecurrentTrace:
        in_force = self._by_token(weights)
        by_token: dict[int, list[Hook]] = {}
        for (name, position), change in _changes(edits).items():
            by_token.setdefault(position, []).append((f"{name}.{position}", change))

        def step(tokens: Int[Tensor, " row"], state: Any, position: int, more: Hooks) -> tuple[Tensor, Any]:
            hooks = by_token.get(position, []) + [
                (f"{name}.{position}", lambda value, hook, put=put: put(value)) for name, put in more.items()
            ]
            with self._lock, self._model.hooks(fwd_hooks=hooks):
                return self._stepper.step(tokens, state, position, in_force.get(position))

        return RecurrentTrace(tokens.to(self.device), [each.hook for each in self.maps], step)

    def _by_token(self, weights: Sequence[WeightEdit]) -> dict[int, Mapping[str, Tensor]]:
        """Return, for each token with edited weights, the edited parameters by name."""
        found = self._named.in_force(weights)
        return {position: each.parameters for each in found for position in each.positions}

    def _run(
        self,
        compute: Callable[[], tuple[Tensor, Tensor]],
        length: int,
        edits: Sequence[Edit],
        record: Sequence[str],
    ) -> tuple[Tokens, Pass]:
        """Run `compute` while the model is edited; return its texts, and its scores with the recorded values."""
        values: dict[str, list[Tensor]] = {name: [] for name in record}

        def keep(name: str) -> Callable:
            # Returns None: anything else would replace the value.
            return lambda value, hook: values[name].append(value)

        hooks: list[Hook] = [
            (f"{name}.{position}", change)
            for (name, position), change in _changes(edits).items()
            if position < length
        ]
        hooks += [(f"{name}.{position}", keep(name)) for name in record for position in range(length)]
        with self._lock, torch.inference_mode(), self._model.hooks(fwd_hooks=hooks):
            texts, logits = compute()
        return texts, Pass(logits, {name: torch.stack(steps, 1) for name, steps in values.items()})


def _changes(edits: Sequence[Edit]) -> dict[tuple[str, int], Callable]:
    """Return, for each hook point and token, one change that makes all edits there."""
    found: dict[tuple[str, int], list[Edit]] = {}
    for edit in edits:
        for position in edit.positions:
            found.setdefault((edit.hook, position), []).append(edit)
    return {place: _change(each, place[1]) for place, each in found.items()}


def _change(edits: Sequence[Edit], position: int) -> Callable:
    return lambda value, hook: changed_by(edits, value[:, None], range(position, position + 1))[:, 0]


def _no_choice(scores: Tensor, position: int) -> Tensor:
    raise AssertionError("the whole text is given")
