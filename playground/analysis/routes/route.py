"""The route of an answer: read from the outputs as written, or recomputed from the inputs.

The model reads texts whose outputs may be wrong, with every combination of outputs in every state, and its next token
is compared with what each derivation of the answer predicts. This is `force:` for all combinations at once, since
what a model writes depends only on the text before it. Where two derivations disagree, the model follows one of them
or neither. In terms of causal inference, this measures the direct effect of each variable of the text on the answer,
with all others held fixed (Pearl 2001, "Direct and Indirect Effects").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.base.share import Share, share_of
from playground.datasets import Template
from playground.inference import Model, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import TokenIntervention, check
from playground.seeds import check_seed
from playground.worlds import Derivation, World, as_written, derivations

MOST_TEXTS = 16_384
"""If there are more texts than this, a sample is drawn."""
NO_NUMBER = -1
_TOGETHER = 1024
"""Texts per pass."""


@dataclass(frozen=True)
class Route:
    """What a model writes for one answer, in texts with every combination of the variables before it.

    Args:
        answer: its name.
        variables: names of the inputs and of the outputs before the answer.
        texts: the values of these variables.
        state: the index of the state given by the inputs.
        wrong: how many of the outputs before the answer are wrong by the world's rules.
        written: the number that the model writes; -1 for a token that is not a number.
        derivations: the ways to derive the answer, in the rules language; the first reads everything, the last uses
            the inputs alone.
        predicted: the value that each derivation predicts.
        recomputed: for each derivation, the outputs that it recomputes instead of reading them.
        held_out: whether the text's state was held out of training.
    """

    answer: str
    variables: tuple[str, ...]
    texts: Int[np.ndarray, "text variable"]
    state: Int[np.ndarray, " text"]
    wrong: Int[np.ndarray, " text"]
    written: Int[np.ndarray, " text"]
    derivations: tuple[str, ...]
    predicted: Int[np.ndarray, "derivation text"]
    recomputed: tuple[tuple[str, ...], ...]
    held_out: Bool[np.ndarray, " text"]

    @cached_property
    def is_diagnostic(self) -> Bool[np.ndarray, " text"]:
        """The texts in which reading everything and recomputing everything lead to different answers."""
        return self.predicted[0] != self.predicted[-1]

    @cached_property
    def agreement(self) -> Float[np.ndarray, " derivation"]:
        """The share of all texts in which the model writes what each derivation predicts."""
        return (self.predicted == self.written).mean(1)

    @property
    def best(self) -> int:
        """The index of the derivation that the model agrees with most; in a tie, the one that reads most."""
        return int(self.agreement.argmax())

    def follows(self, way: int, among: Bool[np.ndarray, " text"] | None = None) -> Share:
        """Return in how many of the diagnostic texts the model writes what a derivation predicts.

        Args:
            way: index of the derivation; 0 reads everything, -1 recomputes everything from the inputs.
            among: which texts to count; all by default.
        """
        meant = self.is_diagnostic if among is None else self.is_diagnostic & among
        return share_of(self.predicted[way] == self.written, meant)

    @cached_property
    def partners(self) -> Int[np.ndarray, "variable text"]:
        """For every variable and text, the text that differs in this variable alone; -1 if it was not drawn."""
        weights = 1 << np.arange(len(self.variables), dtype=np.int64)
        codes = self.texts @ weights
        order = np.argsort(codes)
        found = np.empty((len(self.variables), len(codes)), dtype=np.int64)
        for index, weight in enumerate(weights):
            wanted = codes ^ weight
            place = np.minimum(np.searchsorted(codes[order], wanted), len(codes) - 1)
            found[index] = np.where(codes[order[place]] == wanted, order[place], -1)
        return found

    @cached_property
    def influence(self) -> Float[np.ndarray, " variable"]:
        """The share of texts in which the model writes another number if this variable alone is flipped.

        This is the influence of a variable on a function (Ben-Or and Linial 1985), here the function that the model
        computes.
        """
        return self._influence(self.written)

    @cached_property
    def world_influence(self) -> Float[np.ndarray, " variable"]:
        """The same for the world's own rule, which reads everything."""
        return self._influence(self.predicted[0])

    @cached_property
    def effect(self) -> Float[np.ndarray, " variable"]:
        """The mean increase of the number when this variable alone goes from 0 to 1."""
        found = np.zeros(len(self.variables))
        for index, partner in enumerate(self.partners):
            low = (self.texts[:, index] == 0) & (partner >= 0)
            numbers = (self.written[low] >= 0) & (self.written[partner[low]] >= 0)
            change = (self.written[partner[low]] - self.written[low])[numbers]
            found[index] = change.mean() if change.size else np.nan
        return found

    def follows_flip(self, variable: str, among: Bool[np.ndarray, " text"] | None = None) -> Share:
        """Return in how many texts flipping one variable alone changes the answer as the world's rule says.

        Args:
            variable: one of `variables`.
            among: which texts to count; all by default.

        Returns:
            The count among texts in which the rule's answer does change, which show whether the variable is read.
        """
        partner = self.partners[self.variables.index(variable)]
        known = partner >= 0
        expected = self.predicted[0][partner] - self.predicted[0]
        numbers = (self.written >= 0) & (self.written[partner] >= 0)
        along = numbers & (self.written[partner] - self.written == expected)
        meant = known & (expected != 0)
        return share_of(along, meant if among is None else meant & among)

    def _influence(self, values: Int[np.ndarray, " text"]) -> Float[np.ndarray, " variable"]:
        known = self.partners >= 0
        changed = (values[self.partners] != values) & known
        return changed.sum(1) / np.maximum(known.sum(1), 1)


@dataclass(frozen=True)
class Routes(Measurement):
    """The routes of all answers of a model; until all texts have been read, only what was written in some of them.

    Args:
        answers: one route for each of the world's answers, in its order; empty until all texts have been read.
        exhaustive: whether all possible texts are read.
        seen_right: number of seen states whose completion is entirely right.
        seen: number of seen states.
        texts: number of texts to read.
        written: the number written for each answer in the texts read so far; empty once all have been read.
    """

    answers: tuple[Route, ...]
    exhaustive: bool
    seen_right: int
    seen: int
    texts: int
    written: Int[np.ndarray, "text answer"]

    @property
    def progress(self) -> tuple[int, int]:
        """How many texts have been read, and how many there are."""
        return self.texts if self.answers else len(self.written), self.texts

    @property
    def chains(self) -> tuple[Route, ...]:
        """The routes of the answers that read other answers, which have several derivations."""
        return tuple(route for route in self.answers if len(route.derivations) > 1)

    def of(self, answer: str) -> Route:
        """Return the route of an answer."""
        return next(route for route in self.answers if route.answer == answer)


def measure_routes(model: Model, interventions: InterventionsLike = (), *, seed: int = 0) -> Routes:
    """Return how every answer depends on the text before it: the inputs, and the outputs as written.

    Counts before an answer have the value that follows from the text's outputs.

    Args:
        model: stays as it is.
        interventions: values, or their text form, applied throughout. `force` has no effect, as outputs are forced
            anyway.
        seed: seed for drawing texts, if there are too many.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    *_, found = grow_routes(model, interventions, seed=seed)
    return found


def grow_routes(
    model: Model, interventions: InterventionsLike = (), *, seed: int = 0, begun: Routes | None = None
) -> Iterator[Routes]:
    """Yield what was written in more and more texts, then the routes that `measure_routes` returns.

    Args:
        model: stays as it is.
        interventions: as for `measure_routes`.
        seed: as for `measure_routes`.
        begun: a partial result yielded earlier with the same arguments, to resume from.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    asked = as_values(interventions)
    check(asked, model.network)
    texts, exhaustive = _texts(model.world, seed)
    board = model.board(asked)
    if begun is None:
        right, seen = board.tally["seen"]
        begun = Routes(
            model=model.name,
            interventions=tuple(map(str, asked)),
            answers=(),
            exhaustive=exhaustive,
            seen_right=right,
            seen=seen,
            texts=len(texts),
            written=np.zeros((0, len(model.world.answers)), dtype=np.int64),
        )
    plan = make_plan(
        [each for each in asked if not isinstance(each, TokenIntervention)], model.network, model.values
    )
    tokens = torch.from_numpy(_tokens(model.template, texts[len(begun.written) :])).to(model.network.device)
    numbers = sum(token.isdigit() for token in model.template.vocabulary)
    for part in tokens.split(_TOGETHER):
        logits = model.network.forward(part, plan.edits, (), plan.weights).logits
        written = logits[:, model.template.answer_positions - 1].argmax(-1).cpu().numpy()
        written = np.where(written < numbers, written, NO_NUMBER)
        begun = replace(begun, written=np.concatenate([begun.written, written]))
        if len(begun.written) < len(texts):
            yield begun
    yield replace(
        begun,
        answers=tuple(
            _route(model.world, answer, texts, begun.written[:, index], board.held_out)
            for index, answer in enumerate(model.world.answers)
        ),
        written=begun.written[:0],
    )


def _texts(world: World, seed: int) -> tuple[Int[np.ndarray, "text variable"], bool]:
    """Return the values of inputs and outputs in all texts or in a sample, and whether it is all."""
    check_seed(seed)
    count = len(world.inputs) + len(world.outputs)
    if 2**count <= MOST_TEXTS:
        return _bits(np.arange(2**count), count), True
    # A sample, and all texts that differ from one of it in one variable.
    some = np.random.default_rng(seed).choice(2**count, MOST_TEXTS // (count + 1), replace=False)
    near = some[:, None] ^ (1 << np.arange(count))
    return _bits(np.unique(np.concatenate([some, near.ravel()])), count), False


def _bits(codes: Int[np.ndarray, " text"], count: int) -> Int[np.ndarray, "text bit"]:
    return codes[:, None] >> np.arange(count - 1, -1, -1) & 1


def _tokens(template: Template, texts: Int[np.ndarray, "text variable"]) -> Int[np.ndarray, "text token"]:
    """Return token ids of texts with these inputs and outputs; counts follow from them."""
    world = template.world
    values = {name: texts[:, index] for index, name in enumerate((*world.inputs, *world.outputs))}
    for count in world.counts:
        values[count.name] = as_written(world, count.name).evaluate(values)
    tokens = np.repeat(template.truth[:1], len(texts), 0)
    for name, position in template.positions.items():
        tokens[:, position] = values[name]
    return tokens


def _route(
    world: World,
    answer: str,
    texts: Int[np.ndarray, "text variable"],
    written: Int[np.ndarray, " text"],
    held_out: Bool[np.ndarray, " state"],
) -> Route:
    """Return the route of an answer; texts that differ only in variables after the answer are merged."""
    before = world.outputs[: world.outputs.index(answer)] if answer in world.outputs else world.outputs
    names = (*world.inputs, *before)
    kept, rows = np.unique(texts[:, : len(names)], axis=0, return_index=True)
    values = {name: kept[:, index] for index, name in enumerate(names)}
    state = kept[:, : len(world.inputs)] @ (1 << np.arange(len(world.inputs) - 1, -1, -1))
    truth = world.truth_table[state][:, : len(before)]
    ways: Sequence[Derivation] = derivations(world, answer)
    return Route(
        answer=answer,
        variables=names,
        texts=kept,
        state=state,
        wrong=(kept[:, len(world.inputs) :] != truth).sum(1),
        written=written[rows],
        derivations=tuple(way.text for way in ways),
        predicted=np.stack([way.evaluate(values) for way in ways]),
        recomputed=tuple(way.recomputed for way in ways),
        held_out=held_out[state],
    )
