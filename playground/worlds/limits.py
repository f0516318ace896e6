"""How large a world may be, and which names it cannot have."""

from __future__ import annotations

from playground.boolean.expressions import OPERATORS
from playground.errors import Fault, count_of

FEWEST_INPUTS, MOST_INPUTS = 2, 10
MOST_OUTPUTS = 10
MOST_COUNTS = 100
LONGEST_NAME = 40
"""Names are columns of tables and labels of axes."""

MOST_LINES = 100
DEEPEST_NESTING = 100
"""Expressions are walked recursively: this many levels stay well within Python's own limit."""

RESERVED = (*OPERATORS, "NOT", "inputs", "end")
"""Words of the language, and what the last position of a text is called, where nothing is written any more."""


def number_fault(noun: str, count: int, add: str, remove: str) -> Fault | None:
    """Return what is wrong with the number of inputs; None if it is right.

    Args:
        noun: what they are called.
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
