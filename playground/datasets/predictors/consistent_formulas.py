"""Which small formulas fit the seen states, and what they predict for the held-out ones.

A hold-out is evidence of a rule only as far as others that fit the seen states as well say something else in
the held-out ones. Here are all others of up to some size: for each output all Boolean formulas of what its rule
may read, the inputs and the outputs above it, with their true values. Two formulas that say the same in all
states are one function, and count once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from playground.boolean.composition import size_of
from playground.boolean.expressions import Constant, Expression
from playground.boolean.small_functions import (
    OPERATIONS,
    SmallFunctions,
    Tables,
    first_of_each,
    functions_of_names,
    pack,
    unpack,
)
from playground.datasets.dataset import DatasetSpec
from playground.errors import Fault, RequestError
from playground.worlds import World, state_text
from playground.worlds.causal import bare

MOST_WORDS, MOST_PAIRS = 2**21, 2**22
"""Work for one output, unless a size is asked for: words of the tables that are listed, pairs that are looked at."""

PATIENCE = 16
"""How many times as much work an explicit size may take."""

MOST_FITTING = 2**16
"""The most fitting functions that are distinguished."""

MOST_COMPARED = 100
"""Of how many that fit and are of the smallest size a formula is written, for the plainest to be shown."""

_ORDER = 0
"""Seeds the order in which states are packed: one word of 64 of them is then a fair sample of the world."""


@dataclass(frozen=True)
class OutputFormulas:
    """The functions that fit the seen states of one output.

    Args:
        output: its name.
        count: how many there are.
        right: the share of them that is right in each held-out state, from 0 to 1; None if there are none.
        smallest: a formula of one of the smallest; None if there are none.
        smallest_size: names in it.
    """

    output: str
    count: int
    right: Float[np.ndarray, " held_out_state"] | None
    smallest: str | None
    smallest_size: int | None

    @property
    def mean(self) -> float | None:
        """The mean of these shares over the held-out states; None where there is none, or no function."""
        return float(self.right.mean()) if self.right is not None and self.right.size else None


@dataclass(frozen=True)
class ConsistentFormulas:
    """The functions that fit the seen states, output by output.

    Args:
        spec: gives the world and the hold-out.
        size: names in a formula, at most, each as often as it stands there.
        outputs: one per output of the world.
    """

    spec: DatasetSpec
    size: int
    outputs: tuple[OutputFormulas, ...]

    @property
    def whole(self) -> Float[np.ndarray, " held_out_state"] | None:
        """How probable a whole answer is in each held-out state if a function is drawn for each output; None if one has none.

        Counts follow from the outputs.
        """
        shares = [each.right for each in self.outputs if each.right is not None]
        return np.prod(shares, axis=0) if len(shares) == len(self.outputs) else None

    @property
    def whole_mean(self) -> float | None:
        """The mean of this over the held-out states; None where there is none."""
        return float(self.whole.mean()) if self.whole is not None and self.whole.size else None

    def to_json(self) -> dict[str, Any]:
        """Return all of it, by output and held-out state."""

        def by_state(shares: Float[np.ndarray, " held_out_state"] | None) -> dict[str, float] | None:
            if shares is None:
                return None
            return {
                state_text(state): share
                for state, share in zip(self.spec.held_out, shares.tolist(), strict=True)
            }

        outputs = {
            each.output: {
                "fitting": each.count,
                "smallest": each.smallest,
                "smallest_size": each.smallest_size,
                "mean": each.mean,
                "right": by_state(each.right),
            }
            for each in self.outputs
        }
        return {"size": self.size, "outputs": outputs, "mean": self.whole_mean, "right": by_state(self.whole)}


@lru_cache(maxsize=64)
def find_consistent_formulas(spec: DatasetSpec, size: int | None = None) -> ConsistentFormulas:
    """Return the functions that fit the seen states and have a formula of up to some size.

    Args:
        spec: gives the world and the hold-out.
        size: names in a formula, at most; unless said, as many as take little time, see `MOST_WORDS`.

    Raises:
        RequestError: for a size below 1, or one that would take too long or too much memory.
    """
    if size is not None and size < 1:
        raise RequestError.of(
            message="invalid size of a formula",
            expected="1 or more",
            got=str(size),
            hint="Leave the size out for one that takes little time.",
        )
    chosen = _affordable(spec.world, size)
    while True:
        try:
            outputs = [_hypotheses(spec, output, chosen) for output in range(len(spec.world.outputs))]
        except _TooManyFitError:
            if size is not None:
                raise RequestError(_too_large(size, chosen - 1)) from None
            # Where little is seen nearly everything fits.
            chosen -= 1
        else:
            return ConsistentFormulas(spec, chosen, tuple(outputs))


class _TooManyFitError(Exception):
    """Too many functions fit."""


def _affordable(world: World, wanted: int | None) -> int:
    """Return the wanted size, or the largest that takes little time.

    Raises:
        RequestError: if the wanted size takes too long.
    """
    # The last output may read most.
    functions = _functions(world, len(world.outputs) - 1, 1)
    times = 1 if wanted is None else PATIENCE
    every = 2 ** (len(world.states) - 1) - 1
    while wanted is None or functions.size + 1 < wanted:
        words = functions.next_pairs * len(OPERATIONS) * functions.tables.shape[1]
        full = wanted is None and functions.ends[-1] == every
        extended = None if full or words > times * MOST_WORDS else functions.extended()
        if extended is None or extended.next_pairs > times * MOST_PAIRS:
            if wanted is None:
                return functions.size if full else functions.size + 1
            raise RequestError(_too_large(wanted, functions.size + 1))
        functions = extended
    return wanted


def _too_large(wanted: int, possible: int) -> Fault:
    return Fault(
        message="there are too many formulas of this size",
        expected=f"1 to {possible} in this world, with these states held out",
        got=str(wanted),
        hint="Ask for a smaller size.",
    )


def _packing(world: World) -> Int[np.ndarray, " state"]:
    """Return the order in which states are packed."""
    return np.random.default_rng(_ORDER).permutation(len(world.states))


def _functions(world: World, output: int, size: int) -> SmallFunctions:
    """Return all functions of what an output may read that have a formula of up to some size."""
    values = np.concatenate([np.array(world.states), world.truth_table[:, :output]], axis=1)
    names = world.inputs + world.outputs[:output]
    functions = functions_of_names(names, values.T.astype(bool)[:, _packing(world)])
    while functions.size < size:
        functions = functions.extended()
    return functions


def _hypotheses(spec: DatasetSpec, output: int, size: int) -> OutputFormulas:
    world, order = spec.world, _packing(spec.world)
    held_out = set(spec.held_out)
    seen = np.array([world.states[state] not in held_out for state in order])
    truth = world.truth_table[order, output].astype(bool)
    # Those of the last size need not be listed: it is enough to look at each.
    functions = _functions(world, output, max(1, size - 1))
    fitting = _fitting(functions, truth, seen, size)
    name = world.outputs[output]
    if not fitting:
        return OutputFormulas(name, 0, None, None, None)
    tables = np.concatenate([each.table for each in fitting])
    values = unpack(tables, len(seen)) ^ np.array([each.negate for each in fitting])[:, None]
    place = {world.states[state]: index for index, state in enumerate(order)}
    right = (values == truth)[:, [place[state] for state in spec.held_out]].mean(0)
    smallest = min(each.size for each in fitting)
    candidates = [each for each in fitting if each.size == smallest][:MOST_COMPARED]
    formula = min(
        (each.formula(functions) for each in candidates), key=lambda each: (size_of(each), str(each))
    )
    return OutputFormulas(name, len(fitting), right, bare(formula), smallest)


@dataclass(frozen=True)
class _Fitting:
    """A function that fits: a table, or its negation; with the size of its formula, and what the table is made of."""

    table: np.ndarray
    negate: bool
    size: int
    operation: int = -1
    left: int = 0
    right: int = 0

    def formula(self, functions: SmallFunctions) -> Expression:
        if self.size == 0:
            return Constant(int(self.negate))
        return functions.expression(self.operation, self.left, self.right, negate=self.negate)


def _fitting(
    functions: SmallFunctions, truth: Bool[np.ndarray, " state"], seen: Bool[np.ndarray, " state"], size: int
) -> list[_Fitting]:
    """Return every function that fits once, with a formula of its smallest size.

    Raises:
        _TooManyFitError: if there are more than are told apart.
    """
    mask = pack(seen[None])[0]
    found: dict[tuple[bytes, bool], _Fitting] = {}
    # All tables are 0 in the first state: if that is seen, it says whether a table fits or its negation.
    for negate in (False, True) if not seen[0] else (bool(truth[0]),):
        wanted = pack((truth ^ negate)[None]) & mask
        for each in _candidates(functions, wanted, mask, size, negate=negate):
            found.setdefault((each.table.tobytes(), negate), each)
            if len(found) > MOST_FITTING:
                raise _TooManyFitError
    return list(found.values())


def _candidates(
    functions: SmallFunctions, wanted: Tables, mask: UInt64[np.ndarray, " word"], size: int, *, negate: bool
) -> Iterator[_Fitting]:
    """Yield tables that fit, smaller formulas first; the same may come again."""
    if not wanted.any():
        yield _Fitting(np.zeros_like(wanted), negate, 0)
    [fit] = np.nonzero((functions.tables & mask == wanted).all(1))
    sizes = np.searchsorted(functions.ends, fit, side="right")
    for index, own in zip(fit.tolist(), sizes.tolist(), strict=True):
        made_of = (int(each[index]) for each in (functions.operations, functions.left, functions.right))
        yield _Fitting(functions.tables[None, index], negate, own, *made_of)
    if size <= functions.size:
        return
    for operation, left, right in functions.made(wanted, mask):
        tables = OPERATIONS[operation](functions.tables[left], functions.tables[right])
        for index in first_of_each(tables).tolist():
            yield _Fitting(tables[None, index], negate, size, operation, int(left[index]), int(right[index]))
