"""The derivations of an answer, and what each predicts under an intervention.

While a text is being written, an answer that reads other answers can be derived from the answers written so far, or
recomputed from the inputs. As long as everything written is right, the two agree. They can be told apart by a text
with a wrong answer, or by swapping a value inside the model.
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
"""Name of an input or output -> its values; the arrays can be broadcast together."""

MOST_DERIVATIONS = 64
MOST_SYMBOLS = 100
"""A formula with more names and operators is not written out: if each output reads the one above it three
times, the formula of the tenth has 59,049 names."""

Kind = Literal["input", "written", "recomputed", "partial sum"]


@dataclass(frozen=True)
class Derivation:
    """One way to derive an answer from the inputs and the outputs written before it.

    Args:
        answer: the name of the answer.
        terms: the expressions whose values are added up; one, unless the answer is a count.
        recomputed: outputs that the answer's rule reads, but that this derivation recomputes.
        whole: outputs that are recomputed without writing out their formulas; placeholder in the terms, such as
            `x(A, B)`, -> output.
        world: gives the rules.
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
        """Return the answer for given inputs and written outputs."""
        shape = np.broadcast_shapes(*(value.shape for value in values.values()))
        if self.whole:
            solved = solve(self.world, values)
            values = {**values, **{text: solved[output] for text, output in self.whole.items()}}
        return sum(
            (np.broadcast_to(evaluate(term, values), shape) for term in self.terms),
            start=np.zeros(shape, dtype=np.int64),
        )


def derivations(world: World, answer: str) -> tuple[Derivation, ...]:
    """Return the ways to derive an answer: each output it depends on is read, or recomputed by its own rule, recursively.

    Args:
        world: gives the rules.
        answer: an output or count.

    Returns:
        The derivation that reads everything comes first, the one from the inputs alone last; if there is nothing
        to read, there is only one. If there are more than `MOST_DERIVATIONS`, only those in between that
        recompute or read a single output are kept.
    """
    terms = _terms(world, answer)
    reads = list(dict.fromkeys(name for term in terms for name in names_in(term) if name in world.outputs))
    recomputed, whole = _recomputed(world)
    ways = [[Variable(name), *recomputed[name]] for name in reads]
    every = list(islice(product(*ways), MOST_DERIVATIONS + 1))
    if len(every) > MOST_DERIVATIONS:
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
    """Return the derivation of an answer that reads everything from the text, the first of `derivations`."""
    return Derivation(answer, _terms(world, answer), (), {}, world)


def _terms(world: World, answer: str) -> tuple[Expression, ...]:
    for count in world.counts:
        if count.name == answer:
            return tuple(Variable(name) for name in count.variables)
    return tuple(rule.expression for rule in world.rules if rule.name == answer)


def _recomputed(world: World) -> tuple[dict[str, list[Expression]], dict[str, str]]:
    """Return the formulas that recompute each output, the one from the inputs alone last, and placeholder -> output.

    If an output's formula over the inputs would be very long, a placeholder is its only formula.
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
        chosen = dict.fromkeys([*islice(product(*ways), MOST_DERIVATIONS), last])
        found[rule.name] = [
            substitute(rule.expression, dict(zip(reads, each, strict=True)))
            for each in [*(each for each in chosen if each != last), last]
        ]
    return found, whole


def bare(expression: Expression) -> str:
    """Return the text of an expression without its outermost parentheses."""
    text = str(expression)
    return text[1:-1] if isinstance(expression, Gate) else text


@dataclass(frozen=True)
class CausalVariable:
    """A variable of a causal model of the answers.

    Args:
        name: an input, an output, the formula of an output, or a sum; unique.
        kind: `input`: what depends on it is recomputed from the inputs. `written`: an output as written in the
            text; each answer reads the text. `recomputed`: an output recomputed from the inputs, as is everything
            that depends on it. `partial sum`: the first terms of a count.
        output: the output, if the kind is `written` or `recomputed`; otherwise "".
        terms: the variables of a partial sum.
        answer: the count that a partial sum belongs to; otherwise "".
    """

    name: str
    kind: Kind
    output: str = ""
    terms: tuple[str, ...] = ()
    answer: str = ""

    def value(self, world: World, values: Values) -> Int[np.ndarray, ...]:
        """Return the variable's value in texts with given inputs and written outputs."""
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
        """Return the answers that depend on the variable."""
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
        """Return what an answer would be in the base text if the variable had its value in the source text.

        The answer is the next token after an unchanged prefix of the base text.

        Args:
            world: gives the rules.
            answer: one of `answers`.
            base: inputs and written outputs of the base text.
            source: inputs and written outputs of the source text.
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
    """Return whether an answer depends on a variable, directly or through outputs."""
    return any(
        read == name or (read in world.outputs and depends(world, read, name))
        for read in world.dependencies[answer]
    )


def solve(world: World, values: Values, forced: Values | None = None) -> dict[str, Int[np.ndarray, ...]]:
    """Return all answers computed from the inputs alone, with some inputs or outputs set by hand.

    Args:
        world: gives the rules.
        values: values of the inputs; other names are ignored.
        forced: values set by hand.
    """
    forced = forced or {}
    given = {name: forced.get(name, values[name]) for name in world.inputs}
    shape = np.broadcast_shapes(*(np.shape(value) for value in (*given.values(), *forced.values())))

    def spread(values: Values) -> dict[str, Int[np.ndarray, ...]]:
        # Constants, by rule or by force, also get a value for each state.
        return {name: np.broadcast_to(value, shape) for name, value in values.items()}

    return spread(world.solve(spread(given), spread(forced)))


def causal_variables(world: World) -> tuple[CausalVariable, ...]:
    """Return the variables to test: inputs, outputs as written and as recomputed, partial sums."""
    inputs = [CausalVariable(name, "input") for name in world.inputs]
    written = [CausalVariable(rule.name, "written", output=rule.name) for rule in world.rules]
    computed = [CausalVariable(bare(rule.expression), "recomputed", output=rule.name) for rule in world.rules]
    sums = [
        CausalVariable("+".join(terms), "partial sum", terms=terms, answer=count.name)
        for count in world.counts
        for terms in (count.variables[:stop] for stop in range(2, len(count.variables)))
    ]
    every = (*inputs, *written, *computed, *sums)
    # Names may clash: two outputs may have the same rule, a rule may be a single name, two counts may begin alike.
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
    """Return the values of the inputs and written outputs of texts, by name."""
    inputs = np.array(states, dtype=np.int64)
    found = {name: inputs[:, index] for index, name in enumerate(world.inputs)}
    return found | {name: outputs[:, index] for index, name in enumerate(world.outputs)}
