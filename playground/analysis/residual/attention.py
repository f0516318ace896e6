"""Attention: where each head looks while an answer is written, on states seen in training and held out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from playground.analysis.base.answers import find_answers
from playground.analysis.residual.stream import what_it_has
from playground.errors import Fault, RequestError
from playground.inference import Model, token_names
from playground.inference.model import InterventionsLike, as_values
from playground.models import Site


@dataclass(frozen=True)
class Spread:
    """Attention weights over some states, from 0 to 1; those of all tokens have the sum 1 in each state.

    A token behind the position that looks gets 0.

    Args:
        mean: over the states.
        smallest: of any of the states.
        largest: of any of the states.
    """

    mean: Float[np.ndarray, "answer layer head key"]
    smallest: Float[np.ndarray, "answer layer head key"]
    largest: Float[np.ndarray, "answer layer head key"]


@dataclass(frozen=True)
class Difference:
    """Where a head looks otherwise in held-out states than in those that were seen.

    Args:
        answer: that is written.
        head: that looks, as a site (`L1H2`).
        token: at which it looks.
        value: mean weight on it in held-out states minus mean weight in seen ones.
    """

    answer: str
    head: str
    token: str
    value: float


@dataclass(frozen=True)
class Attention:
    """Where each head looks at the position that writes an answer: one before the answer's own token.

    The weights are those with which the model goes on, after all interventions, on the text that it writes under
    them. Where a head looks is not yet what it does: what it carries from there may be small, or be ignored.

    Args:
        model: the name of the model's run.
        interventions: under which it ran, each as text.
        answers: that are written.
        tokens: the name of every position, as interventions name it.
        all: over all states of the world.
        seen: over the states that training had.
        held_out: over the states that training never had; None if there are none.
    """

    model: str
    interventions: tuple[str, ...]
    answers: tuple[str, ...]
    tokens: tuple[str, ...]
    all: Spread
    seen: Spread
    held_out: Spread | None

    @property
    def difference(self) -> Float[np.ndarray, "answer layer head key"] | None:
        """Mean weight in held-out states minus mean weight in seen ones; None without held-out states."""
        return None if self.held_out is None else self.held_out.mean - self.seen.mean

    @property
    def largest_differences(self) -> tuple[Difference, ...]:
        """For each answer the difference with the largest absolute value; none without held-out states."""
        if self.difference is None:
            return ()
        found = []
        for answer, values in zip(self.answers, self.difference, strict=True):
            layer, head, key = np.unravel_index(np.abs(values).argmax(), values.shape)
            site = Site(int(layer), head=int(head))
            found.append(Difference(answer, str(site), self.tokens[key], float(values[layer, head, key])))
        return tuple(found)

    @property
    def largest_difference(self) -> Difference | None:
        """The difference with the largest absolute value of all answers; None without held-out states."""
        return max(self.largest_differences, key=lambda each: abs(each.value), default=None)


def measure_attention(
    model: Model, interventions: InterventionsLike = (), answers: Sequence[str] | None = None
) -> Attention:
    """Return where each head looks while answers are written, over all states.

    Args:
        model: a loaded model with attention; it stays as it is.
        interventions: values, or their text form.
        answers: names of those that are looked at; unless said those that read another answer by the world's
            rules, and those that they read (all, where none does).

    Raises:
        RequestError: for a model without attention, for answers that the world does not have, and as
            `Model.run_all` does.
    """
    hooks = model.network.pattern_hooks
    if not hooks:
        raise RequestError(
            Fault(
                message="this model has no attention",
                expected="a model with attention patterns, such as gpt2",
                got=what_it_has(model.network),
                hint=f"Look at what passes one of its parts, such as {model.network.elements[0].whole}.",
            )
        )
    chosen = find_answers(model.template, answers)
    run = model.record(hooks, interventions)
    patterns = torch.stack([run.recorded[hook][:, :, torch.from_numpy(chosen.positions)] for hook in hooks])
    # layer x state x head x answer x key
    weights = patterns.permute(1, 3, 0, 2, 4).double().cpu().numpy()
    held_out = model.baseline.held_out
    return Attention(
        model=model.name,
        interventions=tuple(map(str, as_values(interventions))),
        answers=chosen.names,
        tokens=token_names(model.template),
        all=_spread(weights, np.ones_like(held_out)),
        seen=_spread(weights, ~held_out),
        held_out=_spread(weights, held_out) if held_out.any() else None,
    )


def _spread(
    weights: Float[np.ndarray, "state answer layer head key"], states: Bool[np.ndarray, " state"]
) -> Spread:
    chosen = weights[states]
    return Spread(chosen.mean(0), chosen.min(0), chosen.max(0))
