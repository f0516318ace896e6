"""All functions that have a small formula, as tables of bits, from smaller formulas to larger ones.

The size of a formula is the number of names in it, counting repetitions; NOT is free. So a function and its
negation have the same size, and only one of the two is kept: the one that is 0 in the first state. Up to negation,
one more operator makes five functions from two such functions f and g: f AND g, f AND NOT g, NOT f AND g, f OR g,
f XOR g. These are 0 in the first state, too.

A table has one bit per state, packed into words of 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int8, UInt64

from playground.boolean.composition import negated, size_of
from playground.boolean.expressions import Expression, Gate, Not, Variable

Tables = UInt64[np.ndarray, "function word"]
Ids = Int[np.ndarray, "_"]

OPERATIONS: tuple[Callable, ...] = (
    lambda f, g: f & g,
    lambda f, g: f & ~g,
    lambda f, g: ~f & g,
    lambda f, g: f | g,
    lambda f, g: f ^ g,
)
_RIGHT_NEGATED, _LEFT_NEGATED, _OR, _XOR = 1, 2, 3, 4

WORD = 64
PAIRS_AT_ONCE = 2**17


def pack(values: Bool[np.ndarray, "function state"]) -> Tables:
    """Return tables packed into words; unused bits are 0."""
    bits = np.zeros((len(values), -(-values.shape[1] // WORD) * WORD), dtype=bool)
    bits[:, : values.shape[1]] = values
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


def unpack(tables: Tables, states: int) -> Bool[np.ndarray, "function state"]:
    """Return tables of `states` states, unpacked from words."""
    bits = np.unpackbits(tables.view(np.uint8), axis=1, bitorder="little")
    return bits[:, :states].astype(bool)


@dataclass(frozen=True)
class SmallFunctions:
    """All functions with a formula of up to some size, except constants; each function once, without its negation.

    Args:
        names: the names used in the formulas.
        negated: for each name, whether its negation is stored, because the name is 1 in the first state.
        tables: the tables of all functions, smaller functions first.
        operations: the index in `OPERATIONS` of the operation that makes each function; -1 for a name.
        left: the index of each function's first operand; for a name, the index of the name.
        right: the index of each function's second operand; 0 for a name.
        ends: the number of functions up to each size, beginning with size 0, which has none.
    """

    names: tuple[str, ...]
    negated: Bool[np.ndarray, " name"]
    tables: Tables
    operations: Int8[np.ndarray, " function"]
    left: Ids
    right: Ids
    ends: tuple[int, ...]

    @property
    def size(self) -> int:
        """The largest size for which the functions are complete."""
        return len(self.ends) - 1

    def level(self, size: int) -> slice:
        """Return the slice of the functions whose smallest formula has this size."""
        return slice(self.ends[size - 1], self.ends[size])

    def pairs(self) -> list[tuple[slice, slice]]:
        """Return the pairs of slices whose functions combine to those of the next size."""
        following = self.size + 1
        return [(self.level(first), self.level(following - first)) for first in range(1, following // 2 + 1)]

    @property
    def next_pairs(self) -> int:
        """The number of pairs of functions to combine for the next size."""
        return sum((left.stop - left.start) * (right.stop - right.start) for left, right in self.pairs())

    def extended(self) -> SmallFunctions:
        """Return these functions and those of the next size."""
        parts = []
        for left, right in self.pairs():
            rows, columns = (
                ids.ravel() for ids in np.indices((left.stop - left.start, right.stop - right.start))
            )
            ids, others = rows + left.start, columns + right.start
            for number, operation in enumerate(OPERATIONS):
                made = operation(self.tables[ids], self.tables[others])
                parts.append((made, np.full(len(ids), number, dtype=np.int8), ids, others))
        joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
        constant = np.zeros((1, self.tables.shape[1]), dtype=np.uint64)
        known = np.concatenate([constant, self.tables])
        first = first_of_each(np.concatenate([known, joined[0]])) - len(known)
        new = first[first >= 0]
        tables, operations, left_ids, right_ids = (
            np.concatenate([old, more[new]])
            for old, more in zip((self.tables, self.operations, self.left, self.right), joined, strict=True)
        )
        ends = (*self.ends, len(tables))
        return SmallFunctions(self.names, self.negated, tables, operations, left_ids, right_ids, ends)

    def made(self, wanted: Tables, mask: UInt64[np.ndarray, " word"]) -> Iterator[tuple[int, Ids, Ids]]:
        """Yield the functions of the next size that match a wanted function in some states; repetitions are possible.

        Args:
            wanted: the wanted function; 0 outside the mask.
            mask: the states in which it must match.

        Yields:
            The index of one of `OPERATIONS`, and its matching first and second operands.
        """
        # The most selective word first, because it rejects most pairs.
        words = np.argsort(-unpack(mask[:, None], WORD).sum(1), kind="stable")
        for left, right in self.pairs():
            width = right.stop - right.start
            for start in range(left.start, left.stop, max(1, PAIRS_AT_ONCE // max(1, width))):
                some = slice(start, min(left.stop, start + max(1, PAIRS_AT_ONCE // max(1, width))))
                for number, operation in enumerate(OPERATIONS):
                    word = words[0]
                    f, g = self.tables[some, word][:, None], self.tables[right, word]
                    rows, columns = np.nonzero(operation(f, g) & mask[word] == wanted[0, word])
                    ids, others = rows + start, columns + right.start
                    for word in words[1:]:
                        f, g = self.tables[ids, word], self.tables[others, word]
                        kept = operation(f, g) & mask[word] == wanted[0, word]
                        ids, others = ids[kept], others[kept]
                    if len(ids):
                        yield number, ids, others

    def expression(self, operation: int, left: int, right: int, *, negate: bool) -> Expression:
        """Return a formula for an operation on two functions, or for its negation."""
        if operation == -1:
            name = Variable(self.names[left])
            return Not(name) if negate != self.negated[left] else name
        first, second = (
            self.expression(
                int(self.operations[each]), int(self.left[each]), int(self.right[each]), negate=False
            )
            for each in (left, right)
        )
        if operation == _XOR:
            return _xor(first, second, negate=negate)
        if operation == _OR:
            return _and(negated(first), negated(second), negate=not negate)
        if operation == _LEFT_NEGATED:
            first = negated(first)
        if operation == _RIGHT_NEGATED:
            second = negated(second)
        return _and(first, second, negate=negate)


def functions_of_names(names: Sequence[str], values: Bool[np.ndarray, "name state"]) -> SmallFunctions:
    """Return the functions of size 1: the names, only the first of several that agree in all states."""
    negated_names = values[:, 0]
    tables = pack(values ^ negated_names[:, None])
    constant = np.zeros((1, tables.shape[1]), dtype=np.uint64)
    first = first_of_each(np.concatenate([constant, tables])) - 1
    ids = first[first >= 0]
    operations = np.full(len(ids), -1, dtype=np.int8)
    return SmallFunctions(
        tuple(names), negated_names, tables[ids], operations, ids, np.zeros_like(ids), (0, len(ids))
    )


def _and(left: Expression, right: Expression, *, negate: bool) -> Expression:
    """Return the shorter of the two forms that De Morgan's law gives."""
    forms = [("NAND", left, right), ("OR", negated(left), negated(right))]
    if not negate:
        forms = [("AND", left, right), ("NOR", negated(left), negated(right))]
    return min((Gate(*form) for form in forms), key=size_of)


def _xor(left: Expression, right: Expression, *, negate: bool) -> Expression:
    for operand in (left, right):
        negate ^= isinstance(operand, Not)
    plain = [operand.operand if isinstance(operand, Not) else operand for operand in (left, right)]
    return Gate("XNOR" if negate else "XOR", *plain)


def first_of_each(tables: Tables) -> Ids:
    """Return the index of the first occurrence of each table, in order."""
    if tables.shape[1] == 1:
        return np.sort(np.unique(tables[:, 0], return_index=True)[1])
    places: dict[bytes, int] = {}
    for place, table in enumerate(tables.view(f"V{tables.shape[1] * tables.itemsize}")[:, 0].tolist()):
        places.setdefault(table, place)
    return np.array(list(places.values()), dtype=np.int64)
