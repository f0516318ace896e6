"""What the library says when a request is wrong.

A fault names the rule that was broken, what was expected, what came and what to do next; a
`RequestError` carries all faults that were found at once, so that nobody has to mend them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_QUOTE = 60


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request.

    Args:
        rule: the rule that was broken, as a short sentence without a full stop.
        expected: what would have been right.
        got: what came.
        hint: what to do next, as a sentence.
        where: the place of the fault ("line 2, column 8", a file), or nothing.
    """

    rule: str
    expected: str
    got: str
    hint: str
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.rule}: expected {self.expected}, got {self.got}. {self.hint}"


class RequestError(ValueError):
    """A request that cannot be carried out, with every fault found in it.

    Args:
        faults: what is wrong, in the order of the request; at least one.
    """

    def __init__(self, *faults: Fault) -> None:
        assert faults, "a RequestError without a fault says nothing"
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def quote(text: str) -> str:
    """Return `text` in quotes on one line, shortened in the middle if it is long."""
    if len(text) > LONGEST_QUOTE:
        half = LONGEST_QUOTE // 2
        text = f"{text[:half]}…{text[-half:]}"
    return repr(text)


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it takes one ("1 digit", "5 digits")."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
