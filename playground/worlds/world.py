"""A world: Boolean inputs, rules that compute outputs from them, and counts of ones.

The single source of truth: training data, judgements, and the expected results of interventions all come
from a `World`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import numpy as np
from jaxtyping import Int

from playground.boolean.expressions import OPERATORS, Expression, evaluate, names_in
from playground.errors import Fault, RequestError, count_of, quote

FEWEST_INPUTS, MOST_INPUTS = 2, 10
MOST_OUTPUTS = 10
MOST_COUNTS = 100
LONGEST_NAME = 40
"""Characters; names become table columns and axis labels."""

MOST_LINES = 100
DEEPEST_NESTING = 100
"""Expressions are walked recursively; this many levels stay well within Python's recursion limit."""

RESERVED = (*OPERATORS, "NOT", "inputs", "end")
"""Words of the rules language, and `end`, the name of the last position of a text."""

State = tuple[int, ...]
Values = Int[np.ndarray, " row"]


@dataclass(frozen=True)
class Rule:
    """One output, and its expression over inputs and outputs above it."""

    name: str
    expression: Expression


@dataclass(frozen=True)
class Count:
    """The number of ones among some variables."""

    name: str
    variables: tuple[str, ...]


@dataclass(frozen=True)
class World:
    """Boolean variables and structural equations; made by `parse_world` or `load_world`.

    Two worlds are equal if their variables, rules and counts are equal; the text does not matter.

    Args:
        inputs: names of the inputs, in the order in which a state lists them.
        rules: one per output, in the order of the text; each reads inputs and outputs above it.
        counts: the terms of the last line, if there is one.
        text: the rules as they were written.
        forced: variables set by hand, with their values, see `do`.
    """

    inputs: tuple[str, ...]
    rules: tuple[Rule, ...]
    counts: tuple[Count, ...]
    text: str = field(compare=False)
    forced: tuple[tuple[str, int], ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the Boolean outputs, in the order of the rules."""
        return tuple(rule.name for rule in self.rules)

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of everything a model has to write: the outputs, then the counts."""
        return self.outputs + tuple(count.name for count in self.counts)

    @cached_property
    def states(self) -> tuple[State, ...]:
        """Every state, in counting order: the last input changes fastest."""
        return tuple(product((0, 1), repeat=len(self.inputs)))

    @cached_property
    def dependencies(self) -> dict[str, tuple[str, ...]]:
        """For every answer, the names that it reads directly, each once; empty if the answer is set by hand."""
        forced = dict(self.forced)
        reads = {rule.name: names_in(rule.expression) for rule in self.rules}
        reads |= {count.name: iter(count.variables) for count in self.counts}
        return {name: () if name in forced else tuple(dict.fromkeys(read)) for name, read in reads.items()}

    def evaluate(self, state: State) -> dict[str, int]:
        """Return the value of every answer in `state`.

        Args:
            state: one 0 or 1 per input.

        Returns:
            Name -> value, in the order of `answers`; outputs are 0 or 1, counts are numbers.
        """
        solved = self.solve(dict(zip(self.inputs, state, strict=True)))
        return {name: solved[name] for name in self.answers}

    @cached_property
    def truth_table(self) -> Int[np.ndarray, "state answer"]:
        """The value of every answer (columns, as in `answers`) in every state (rows, as in `states`)."""
        columns = np.array(self.states, dtype=np.int64).T
        solved = self.solve(dict(zip(self.inputs, columns, strict=True)))
        table = np.empty((len(self.states), len(self.answers)), dtype=np.int64)
        for index, name in enumerate(self.answers):
            table[:, index] = solved[name]
        return table

    def follow(self, values: Mapping[str, Values]) -> dict[str, Values]:
        """Return each answer as its own rule gives it for the given values, without recomputing the outputs that it reads.

        Args:
            values: values of all inputs and outputs, 0 or 1; they need not be consistent.

        Returns:
            Name -> value for every answer; outputs are 0 or 1, counts are numbers.
        """
        shape = np.shape(next(iter(values.values())))
        found = {rule.name: evaluate(rule.expression, values) for rule in self.rules}
        found |= {count.name: sum(values[name] for name in count.variables) for count in self.counts}
        return {name: np.broadcast_to(found[name], shape) for name in self.answers}

    def do(self, /, **values: int) -> World:
        """Return the world with some variables set by hand; everything that depends on them follows.

        This is Pearl's do-operator (*Causality*, 2009): the variable's own rule is removed, all others stay.

        Args:
            values: name of an input or output -> 0 or 1. Later calls add to earlier ones.

        Raises:
            RequestError: for names that the world does not have, and for values other than 0 and 1.
        """
        known = self.inputs + self.outputs
        faults = [
            Fault(
                message="invalid do(...)",
                expected=f"one of {', '.join(known)} and 0 or 1",
                got=f"{name}={value!r}",
                hint="Counts cannot be set: they follow from the variables that they count.",
            )
            for name, value in values.items()
            if name not in known or type(value) is not int or value not in (0, 1)
        ]
        if faults:
            raise RequestError(*faults)
        return replace(self, forced=tuple((dict(self.forced) | values).items()))

    def solve(self, values: Mapping, forced: Mapping | None = None) -> dict:
        """Return the values of all inputs and answers, given the values of the inputs.

        Args:
            values: values of the inputs, integers or arrays; other names are ignored.
            forced: values set by hand, in addition to those of `do`.
        """
        forced = dict(self.forced) | dict(forced or {})
        known = {name: forced.get(name, values[name]) for name in self.inputs}
        for rule in self.rules:
            known[rule.name] = forced[rule.name] if rule.name in forced else evaluate(rule.expression, known)
        for count in self.counts:
            known[count.name] = sum(known[name] for name in count.variables)
        return known

    def parse_state(self, text: str) -> State:
        """Return the state that `text` names, such as `0,1,1,1,0`.

        Raises:
            RequestError: if it is not one 0 or 1 per input, joined by commas without spaces.
        """
        digits = text.split(",")
        if len(digits) == len(self.inputs) and all(digit in ("0", "1") for digit in digits):
            return tuple(int(digit) for digit in digits)
        raise RequestError(self._state_fault(text, digits))

    def _state_fault(self, text: str, digits: list[str]) -> Fault:
        if not text.strip():
            got = "nothing"
        elif any(character.isspace() for character in text):
            got = f"{quote(text)}, which has white space in it"
        elif odd := [digit for digit in digits if digit not in ("0", "1")]:
            got = f"{quote(text)}, in which {quote(odd[0])} is neither 0 nor 1"
        else:
            got = f"{quote(text)}, which has {len(digits)}"
        example = ",".join(str(index % 2) for index in range(len(self.inputs)))
        return Fault(
            message="invalid state",
            expected=f"{len(self.inputs)} digits ({','.join(self.inputs)})",
            got=got,
            hint=f"Write it like {example}.",
        )


def state_text(state: State) -> str:
    """Return a state as written in a prompt: `0,1,1,1,0`."""
    return ",".join(str(bit) for bit in state)


def number_fault(noun: str, count: int, add: str, remove: str) -> Fault | None:
    """Return the fault of a wrong number of inputs; None if the number is right.

    Args:
        noun: the word for an input.
        count: how many there are.
        add: what to do if they are too few.
        remove: what to do if they are too many.
    """
    if FEWEST_INPUTS <= count <= MOST_INPUTS:
        return None
    few = count < FEWEST_INPUTS
    states = f"2^{count} = {2**count:,}" if count <= 2 * 26 else f"2^{count}"
    return Fault(
        message=f"wrong number of {noun}s (the states double with each)",
        expected=f"{FEWEST_INPUTS} to {MOST_INPUTS} {noun}s",
        got=count_of(count, noun) + ("" if few else f", that is {states} states"),
        hint=add if few else remove,
    )
