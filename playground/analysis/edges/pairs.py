"""The true texts of all states in a model's graph, and the pairs of states that differ in one input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.analysis.edges.graph import Graph
from playground.inference import Model
from playground.worlds import World

TOGETHER = 256
"""Pairs per pass."""


@dataclass(frozen=True)
class Pairs:
    """Ordered pairs of states that differ in one input, by the states' indices.

    Args:
        base: the state whose text is run.
        source: the state from which values are taken.
        input: the index of the input in which they differ.
    """

    base: Int[np.ndarray, " pair"]
    source: Int[np.ndarray, " pair"]
    input: Int[np.ndarray, " pair"]

    def split(self, chosen: Int[np.ndarray, " some"]) -> Iterator[Pairs]:
        """Yield the chosen pairs in batches."""
        for start in range(0, len(chosen), TOGETHER):
            some = chosen[start : start + TOGETHER]
            yield Pairs(self.base[some], self.source[some], self.input[some])


def pairs_of(world: World) -> Pairs:
    """Return all ordered pairs of states that differ in one input, sorted by base, then by input."""
    number = {state: index for index, state in enumerate(world.states)}
    found = [
        (base, number[(*state[:each], 1 - state[each], *state[each + 1 :])], each)
        for base, state in enumerate(world.states)
        for each in range(len(world.inputs))
    ]
    return Pairs(*np.array(found, dtype=np.int64).T)


class PairedTexts:
    """The true texts of all states, and what a model computes on them.

    Args:
        graph: the model's graph, under any interventions.
        model: gives the texts.

    Attributes:
        embedded: what the embedding writes in each state.
        flow: what the whole model writes and reads in each state.
        answers: the right tokens, state x answer.
        pairs: all pairs of states.
    """

    def __init__(self, graph: Graph, model: Model) -> None:
        self.graph, self.template = graph, model.template
        truth = torch.from_numpy(model.template.truth).to(model.network.device)
        self.answers = truth[:, model.template.answer_positions]
        self.held_out = torch.from_numpy(model.baseline.held_out).to(truth.device)
        self.pairs = pairs_of(model.world)
        with torch.no_grad():
            # The prediction after the last token is not needed.
            self.embedded = graph.embed(truth[:, :-1])
            self.flow = graph.run(self.embedded)

    def differing(self, answer: int) -> Iterator[Pairs]:
        """Yield the pairs in which an answer differs, in batches."""
        given = self.answers[:, answer].cpu().numpy()
        yield from self.pairs.split(np.flatnonzero(given[self.pairs.base] != given[self.pairs.source]))

    def difference(
        self, scores: Float[Tensor, "pair vocabulary"], pairs: Pairs, answer: int
    ) -> Float[Tensor, " pair"]:
        """Return the score of the source's answer minus that of the base's answer."""
        to, away = (self.answers[which, answer][:, None] for which in (pairs.source, pairs.base))
        return (scores.gather(-1, to) - scores.gather(-1, away))[:, 0]
