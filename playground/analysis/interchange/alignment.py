"""Which parts of a model stand for which variables of a causal model: exact interchange accuracy.

The causal model is the world, or a text in which each answer reads the outputs as written (`worlds/causal.py`). If a
part at a token stands for a variable, exchanging the part's value for another state's makes the model write what the
causal model says when this variable alone takes its value from that state (interchange intervention accuracy, Geiger
et al. 2022, arXiv 2112.00826). Only pairs in which this differs from the base's own answer count: in all others, a
part that carries nothing would be right as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.analysis.base.answers import outputs_read
from playground.analysis.interchange.interchange import Interchange
from playground.worlds import CausalVariable, World, causal_variables, values_of


@dataclass(frozen=True)
class Alignment:
    """How well every part at every token stands for one variable, judged by one answer.

    Args:
        variable: its name.
        kind: see `CausalVariable`.
        output: see `CausalVariable`; distinguishes two outputs with the same rule.
        answer: the answer measured.
        counted: number of pairs that count.
        right: in how many of them the model writes what the causal model predicts, for each part and token.
        unpatched: in how many of them it does so with nothing exchanged.
    """

    variable: str
    kind: str
    output: str
    answer: str
    counted: int
    right: Int[np.ndarray, "site token"]
    unpatched: int

    @property
    def accuracy(self) -> Float[np.ndarray, "site token"]:
        """The share of the pairs that count, from 0 to 1; NaN if none does."""
        return self.right / self.counted if self.counted else np.full(self.right.shape, np.nan)

    @property
    def best(self) -> tuple[int, int]:
        """The part and token with the highest share; in a tie, the earliest token, then the first part."""
        return self.best_among(np.ones(self.right.shape, dtype=bool))

    def best_among(self, meant: Bool[np.ndarray, "site token"]) -> tuple[int, int]:
        """Return the same among some parts and tokens; the first part and token if there are none."""
        right = np.where(meant, self.right, -1)
        token, site = np.unravel_index(right.T.argmax(), right.T.shape)
        return int(site), int(token)


@dataclass(frozen=True)
class Expected:
    """What a causal model predicts for every pair.

    Args:
        tokens: the token id of the predicted answer after the exchange.
        counts: whether it differs from the base's own answer, and both texts contain the bits it depends on.
        stays: whether it equals the base's own answer, and both texts contain the bits it depends on.
    """

    tokens: Int[np.ndarray, " pair"]
    counts: Bool[np.ndarray, " pair"]
    stays: Bool[np.ndarray, " pair"]


def expect(
    world: World,
    pairs: Int[np.ndarray, "pair two"],
    outputs: Int[np.ndarray, "state output"],
    variable: CausalVariable,
    answer: str,
) -> Expected:
    """Return what a causal model predicts for each pair.

    Args:
        world: the world that the model learnt. The numbers in its vocabulary are their own token ids.
        pairs: indices of base and source, in the world's states.
        outputs: the outputs as written in each state; -1 if not a bit.
        variable: the variable that takes its value from the source.
        answer: one of `variable.answers`.
    """
    base, source = values_of_pairs(world, pairs, outputs)
    expected = variable.counterfactual(world, answer, base, source)
    own = variable.counterfactual(world, answer, base, base)
    # Only outputs that this answer needs must be bits in both texts.
    known = np.ones(len(pairs), dtype=bool)
    for name in _read(world, variable, answer):
        known &= (base[name] >= 0) & (source[name] >= 0)
    return Expected(expected, known & (expected != own), known & (expected == own))


def values_of_pairs(
    world: World, pairs: Int[np.ndarray, "pair two"], outputs: Int[np.ndarray, "state output"]
) -> tuple[dict[str, Int[np.ndarray, " pair"]], dict[str, Int[np.ndarray, " pair"]]]:
    """Return the inputs and outputs by name, in every base and in every source; for the arguments see `expect`."""
    base, source = (
        values_of(world, [world.states[index] for index in column], outputs[column]) for column in pairs.T
    )
    return base, source


def _read(world: World, variable: CausalVariable, answer: str) -> set[str]:
    """Return the outputs whose written values the causal model needs."""
    if variable.kind == "written" and answer == variable.output:
        return {variable.output}
    if variable.kind == "written":
        return {variable.output, *outputs_read(world, answer)}
    if variable.kind == "partial sum":
        return set(outputs_read(world, answer))
    return set()


def align(
    world: World,
    measured: Interchange,
    variables: Sequence[CausalVariable] | None = None,
) -> tuple[Alignment, ...]:
    """Return how well each part stands for each variable, judged by every answer that depends on it.

    Args:
        world: the world that the model learnt.
        measured: what the model writes under exchanges.
        variables: variables of the causal models; all `causal_variables` by default.
    """
    return tuple(
        align_one(world, measured, variable, answer)
        for variable in (causal_variables(world) if variables is None else variables)
        for answer in variable.answers(world)
    )


def align_one(
    world: World,
    measured: Interchange,
    variable: CausalVariable,
    answer: str,
) -> Alignment:
    """Return how well each part stands for one variable, judged by one answer.

    Args:
        world: the world that the model learnt.
        measured: what the model writes under exchanges.
        variable: a variable of a causal model.
        answer: one of `variable.answers`.
    """
    column = measured.answers.index(answer)
    expected = expect(world, measured.pairs, measured.outputs, variable, answer)
    counts = expected.counts
    wanted = expected.tokens[counts]
    written = measured.written[:, :, counts, column]
    unpatched = measured.unpatched[measured.pairs[counts, 0], column]
    return Alignment(
        variable=variable.name,
        kind=variable.kind,
        output=variable.output,
        answer=answer,
        counted=int(counts.sum()),
        right=(written == wanted).sum(-1),
        unpatched=int((unpatched == wanted).sum()),
    )


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each pair that counts, for one part and token.

    Args:
        pairs: base and source.
        expected: the token that the causal model predicts.
        written: the token that the model writes.
    """

    pairs: Int[np.ndarray, "pair two"]
    expected: Int[np.ndarray, " pair"]
    written: Int[np.ndarray, " pair"]

    @property
    def right(self) -> Bool[np.ndarray, " pair"]:
        """Whether the two agree."""
        return self.expected == self.written


def outcomes(world: World, measured: Interchange, alignment: Alignment, site: int, token: int) -> Outcomes:
    """Return the outcome of every pair that counts.

    Args:
        world: the world that the model learnt.
        measured: what the model writes under exchanges.
        alignment: the alignment of the variable and answer.
        site: index of the part.
        token: index of the token.
    """
    variable = next(
        each
        for each in causal_variables(world)
        if (each.name, each.kind, each.output) == (alignment.variable, alignment.kind, alignment.output)
        and alignment.answer in each.answers(world)
    )
    expected = expect(world, measured.pairs, measured.outputs, variable, alignment.answer)
    written = measured.written[site, token, :, measured.answers.index(alignment.answer)]
    counts = expected.counts
    return Outcomes(measured.pairs[counts], expected.tokens[counts], written[counts].astype(np.int64))
