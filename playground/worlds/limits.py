"""How large a world may be, and which names it cannot have."""

from __future__ import annotations

from playground.boolean.expressions import OPERATORS

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
