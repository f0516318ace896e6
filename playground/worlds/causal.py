"""The derivations of an answer, and what each predicts under an intervention.

While a text is written, an answer that reads other answers can be had from what stands written there, or be
computed from the inputs once more, as if nothing had been written. As long as all that is written is right, the
two agree; what tells them apart is a text that is wrong, or a value that is exchanged inside of a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Literal

import numpy as np
from jaxtyping import Int

from playground.boolean.expressions import (
    Expression,
    Gate,
    Variable,
    evaluate,
    names_in,
    parts_of,
    substitute,
)
from playground.worlds.world import World

Values = Mapping[str, Int[np.ndarray, "..."]]
"""Name of an input or output -> its value; arrays that can be broadcast together."""

MOST_FORMULATIONS = 64
MOST_SYMBOLS = 100
"""A formula with more names and operators than that is not written out: where each output reads the one above it
three times, that of the tenth has 59,049 names."""

Kind = Literal["input", "written", "recomputed", "partial sum"]


@dataclass(frozen=True)
class Derivation:
    """One way to derive an answer from the inputs and from what has been written before it.

    Args:
        answer: its name.
        terms: whose values are added up; one, unless the answer is a count.
        recomputed: the outputs that the answer reads by its rule, but that are computed here, not read.
        whole: outputs that are computed here from the inputs without their formulas being written out, by what
            stands for each in the terms: `x(A, B)`.
        world: whose rules are meant.
    """

    answer: str
    terms: tuple[Expression, ...]
    recomputed: tuple[str, ...]
    whole: Mapping[str, str]
    world: World

    @property
    def text(self) -> str:
        """The terms in the rules language."""
        return " + ".join(str(term) if len(self.terms) > 1 else bare(term) for term in self.terms)

    def evaluate(self, values: Values) -> Int[np.ndarray, ...]:
        """Return its value for these inputs and these written outputs."""
        shape = np.broadcast_shapes(*(value.shape for value in values.values()))
        if self.whole:
            solved = solve(self.world, values)
            values = {**values, **{text: solved[output] for text, output in self.whole.items()}}
        return sum(
            (np.broadcast_to(evaluate(term, values), shape) for term in self.terms),
            start=np.zeros(shape, dtype=np.int64),
        )


def derivations(world: World, answer: str) -> tuple[Derivation, ...]:
    """Return the ways to compute an answer: each output that it reads is read, or computed by its own rule, and so on.

    Args:
        world: whose rules are meant.
        answer: an output or count.

    Returns:
        The one that reads everything first, that of the inputs alone last; the same once where there is
        nothing to be read. Of more than `MOST_FORMULATIONS` those in between are left out that recompute
        or read more than one.
    """
    terms = _terms(world, answer)
    reads = list(dict.fromkeys(name for term in terms for name in names_in(term) if name in world.outputs))
    recomputed, whole = _recomputed(world)
    ways = [[Variable(name), *recomputed[name]] for name in reads]
    every = list(islice(product(*ways), MOST_FORMULATIONS + 1))
    if len(every) > MOST_FORMULATIONS:
        read, computed = [way[0] for way in ways], [way[-1] for way in ways]
        one_read = [[*computed[:index], read[index], *computed[index + 1 :]] for index in range(len(ways))]
        one_computed = [[*read[:index], computed[index], *read[index + 1 :]] for index in range(len(ways))]
        every = [tuple(each) for each in [read, *one_computed, *one_read, computed]]
    found = {}
    for chosen in every:
        instead = dict(zip(reads, chosen, strict=True))
        found[tuple(substitute(term, instead) for term in terms)] = tuple(
            name for name, way in instead.items() if way != Variable(name)
        )
    return tuple(
        Derivation(
            answer,
            terms,
            computed,
            {text: whole[text] for term in terms for text in names_in(term) if text in whole},
            world,
        )
        for terms, computed in found.items()
    )


def as_written(world: World, answer: str) -> Derivation:
    """Return the first of the `derivations` of an answer: the one that reads everything from the text."""
    return Derivation(answer, _terms(world, answer), (), {}, world)


def _terms(world: World, answer: str) -> tuple[Expression, ...]:
    for count in world.counts:
        if count.name == answer:
            return tuple(Variable(name) for name in count.variables)
    return tuple(rule.expression for rule in world.rules if rule.name == answer)


def _recomputed(world: World) -> tuple[dict[str, list[Expression]], dict[str, str]]:
    """Return the ways to compute each output, that of the inputs alone last, and which output a short name means.

    An output has one way, and a short name, if the formula of its inputs alone would be very long.
    """
    found: dict[str, list[Expression]] = {}
    whole: dict[str, str] = {}
    symbols = dict.fromkeys(world.inputs, 1)
    for rule in world.rules:
        parts = parts_of(rule.expression)
        symbols[rule.name] = sum(symbols[each.name] if isinstance(each, Variable) else 1 for each in parts)
        if symbols[rule.name] > MOST_SYMBOLS:
            inputs = [name for name in world.inputs if depends(world, rule.name, name)]
            text = f"{rule.name}({', '.join(inputs)})"
            whole[text] = rule.name
            found[rule.name] = [Variable(text)]
            continue
        reads = [name for name in dict.fromkeys(names_in(rule.expression)) if name in world.outputs]
        ways = [[Variable(name), *found[name]] for name in reads]
        last = tuple(way[-1] for way in ways)
        chosen = dict.fromkeys([*islice(product(*ways), MOST_FORMULATIONS), last])
        found[rule.name] = [
            substitute(rule.expression, dict(zip(reads, each, strict=True)))
            for each in [*(each for each in chosen if each != last), last]
        ]
    return found, whole


def bare(expression: Expression) -> str:
    """Return the text of an expression without parentheses around the whole."""
    text = str(expression)
    return text[1:-1] if isinstance(expression, Gate) else text


@dataclass(frozen=True)
class CausalVariable:
    """A variable of a causal model of how answers come about.

    Args:
        name: an input, an output, what an output is computed by, or a sum; each has another.
        kind: `input`: what depends on it is computed from the inputs once more. `written`: an output as it stands
            in the text, and each answer reads the text. `recomputed`: an output as it is computed from the inputs,
            and so is all that depends on it. `partial sum`: the first terms of a count.
        output: the output that is meant, of a written or recomputed one; else "".
        terms: of a partial sum.
        answer: the count that a partial sum belongs to; else "".
    """

    name: str
    kind: Kind
    output: str = ""
    terms: tuple[str, ...] = ()
    answer: str = ""

    def value(self, world: World, values: Values) -> Int[np.ndarray, ...]:
        """Return its value in texts with these inputs and these written outputs."""
        match self.kind:
            case "input":
                return values[self.name]
            case "written":
                return values[self.output]
            case "recomputed":
                return solve(world, values)[self.output]
            case "partial sum":
                return sum((values[name] for name in self.terms), start=np.zeros((), dtype=np.int64))

    def answers(self, world: World) -> tuple[str, ...]:
        """Return the answers that follow from it."""
        match self.kind:
            case "partial sum":
                return (self.answer,)
            case "written":
                return tuple(
                    name
                    for name in world.answers
                    if name == self.output or self.output in world.dependencies[name]
                )
            case _:
                start = self.output or self.name
                return tuple(name for name in world.answers if name == start or depends(world, name, start))

    def counterfactual(self, world: World, answer: str, base: Values, source: Values) -> Int[np.ndarray, ...]:
        """Return what an answer would be in the base's text if the variable had its value of the source's.

        The answer is the next token of a text in which everything before it stands as it does in the base's.

        Args:
            world: whose rules are meant.
            answer: one of `answers`.
            base: inputs and written outputs.
            source: the same of the other text.
        """
        value = self.value(world, source)
        match self.kind:
            case "partial sum":
                (count,) = [each for each in world.counts if each.name == answer]
                rest = [name for name in count.variables if name not in self.terms]
                return value + sum((base[name] for name in rest), start=np.zeros((), dtype=np.int64))
            case "written":
                if answer == self.output:
                    return value + 0 * base[answer]
                return as_written(world, answer).evaluate({**base, self.output: value})
            case _:
                return solve(world, base, {self.output or self.name: value})[answer]


def depends(world: World, answer: str, name: str) -> bool:
    """Return whether an answer follows from a variable, directly or through outputs."""
    return any(
        read == name or (read in world.outputs and depends(world, read, name))
        for read in world.dependencies[answer]
    )


def solve(world: World, values: Values, forced: Values | None = None) -> dict[str, Int[np.ndarray, ...]]:
    """Return all answers computed from the inputs alone, with some inputs or outputs set by hand.

    Args:
        world: whose rules are meant.
        values: of the inputs; of others they are ignored.
        forced: what is set by hand.
    """
    solved = world.solve(values, forced)
    shape = np.broadcast_shapes(*(np.shape(value) for value in (*solved.values(), *(forced or {}).values())))
    # Also what is the same in every state, by its rule or because it is forced, has a value for each.
    return {name: np.broadcast_to(value, shape) for name, value in solved.items()}


def causal_variables(world: World) -> tuple[CausalVariable, ...]:
    """Return the variables whose causal role is asked for: inputs, outputs as written and as computed, partial sums."""
    inputs = [CausalVariable(name, "input") for name in world.inputs]
    written = [CausalVariable(rule.name, "written", output=rule.name) for rule in world.rules]
    computed = [CausalVariable(bare(rule.expression), "recomputed", output=rule.name) for rule in world.rules]
    sums = [
        CausalVariable("+".join(terms), "partial sum", terms=terms, answer=count.name)
        for count in world.counts
        for terms in (count.variables[:stop] for stop in range(2, len(count.variables)))
    ]
    every = (*inputs, *written, *computed, *sums)
    # Two outputs may have one rule, a rule may be nothing but a name, and two counts may begin alike.
    often = Counter(each.name for each in every)
    return tuple(
        replace(each, name=f"{each.name} ({each.output or each.answer})")
        if often[each.name] > 1 and each.kind in ("recomputed", "partial sum")
        else each
        for each in every
    )


def values_of(
    world: World, states: Sequence[Sequence[int]], outputs: Int[np.ndarray, "text output"]
) -> dict[str, Int[np.ndarray, " text"]]:
    """Return the values of inputs and written outputs of some texts, by name."""
    inputs = np.array(states, dtype=np.int64)
    found = {name: inputs[:, index] for index, name in enumerate(world.inputs)}
    return found | {name: outputs[:, index] for index, name in enumerate(world.outputs)}
