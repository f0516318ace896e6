"""A recorded pass over some texts, which can be rerun from any location with other values there.

An interchange intervention (Geiger et al. 2021, arXiv 2106.02997) replaces one value in the pass
of one text by the value from another text. Nothing before that location changes or needs to be recomputed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from playground.models.interface.sites import Edit, HookLocation

Tokens = Int[Tensor, "row token"]
"""Token ids of texts, or of parts of them."""

PairRows = Int[Tensor, " pair"]
"""The text of each pair of a text and replacements in it."""

PairScores = Float[Tensor, "pair at vocabulary"]
"""For each such pair, the scores of the next token at some tokens."""


@dataclass(frozen=True)
class Pass:
    """The result of one forward pass.

    Args:
        logits: scores of the next token at every token; for several models, with a first axis for them.
        recorded: hook point -> its value, row x token x ..., after all edits.
    """

    logits: Float[Tensor, "*model row token vocabulary"]
    recorded: Mapping[str, Tensor]


@dataclass(frozen=True)
class Replacement:
    """Other values at a location.

    Args:
        place: the location.
        values: one for each pair, of the location's shape without its token axis; they may need gradients.
    """

    place: HookLocation
    values: Float[Tensor, "pair ..."]


class Trace(ABC):
    """One pass over some texts, under some edits.

    Attributes:
        tokens: of the texts.
        logits: scores of the next token at every token.
        recorded: hook point -> its value, row x token x ..., after all edits.
    """

    tokens: Tokens
    logits: Float[Tensor, "row token vocabulary"]
    recorded: Mapping[str, Tensor]

    def values(self, place: HookLocation, position: int) -> Float[Tensor, "row ..."]:
        """Return the values at a location and a position in each text, after all edits."""
        return self.recorded[place.hook][:, position][(slice(None), *place.index)]

    @abstractmethod
    def rerun_with(
        self, replacements: Sequence[Replacement], position: int, rows: PairRows, at: Sequence[int]
    ) -> PairScores:
        """Return the scores with other values at some locations, on the same texts.

        Gradients flow to the values, unless gradients are switched off.

        Args:
            replacements: at locations that are not computed from one another.
            position: the token at which values are replaced.
            rows: the text of each pair.
            at: the tokens whose scores are wanted, in ascending order, none before `position`.
        """


Compute = Callable[[Tokens, Sequence[Edit], Sequence[str]], Pass]
"""Runs a whole pass over texts, with further edits after those of the trace, and records hook points."""


class PassTrace(Trace):
    """A trace whose reruns start from the beginning of the texts.

    Args:
        tokens: of the texts.
        hooks: points whose values are recorded.
        compute: runs the model, with gradients where these are on.
    """

    def __init__(self, tokens: Tokens, hooks: Sequence[str], compute: Compute) -> None:
        self._compute = compute
        with torch.no_grad():
            found = compute(tokens, (), hooks)
        self.tokens, self.logits, self.recorded = tokens, found.logits, found.recorded

    @override
    def rerun_with(
        self, replacements: Sequence[Replacement], position: int, rows: PairRows, at: Sequence[int]
    ) -> PairScores:
        edits = [Edit(each.place.hook, (position,), _put(each)) for each in replacements]
        # Later tokens do not affect the wanted ones.
        return self._compute(self.tokens[rows, : at[-1] + 1], edits, ()).logits[:, list(at)]


def _put(replacement: Replacement) -> Callable[[Tensor, Sequence[int]], Tensor]:
    return lambda value, at: with_values(value[:, 0], replacement)[:, None]


def with_values(value: Float[Tensor, "pair ..."], replacement: Replacement) -> Float[Tensor, "pair ..."]:
    """Return the value at a hook point, with a replacement made."""
    changed = value.clone()
    changed[(slice(None), *replacement.place.index)] = replacement.values
    return changed
