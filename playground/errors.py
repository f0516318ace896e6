"""Errors for invalid requests.

A fault says what is wrong, what was expected, what was given and what to do next. A
`RequestError` carries all faults found, so that they can be fixed together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

LONGEST_QUOTE = 60
LONGEST_PART = 2_000
"""Characters of each text in a fault; user input may be far longer."""
MOST_NAMES = 6
"""Up to this many names are listed in full; of more, only those nearest to the wrong one."""
_NEAREST = 3


@dataclass(frozen=True)
class Passage:
    """A position in a text of several lines.

    Args:
        line: counted from 1.
        column: of its first character, counted from 1.
        length: in characters; 0 where something is missing.
    """

    line: int
    column: int
    length: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request.

    Args:
        message: what is wrong, as a short statement without a full stop.
        expected: what would have been right.
        got: what was given.
        hint: what to do next, as a sentence.
        where: the place of the fault (a file, an intervention), or empty.
        passage: the wrong part of a text of several lines, if there is one; it also serves as `where` if that is empty.
    """

    message: str
    expected: str
    got: str
    hint: str
    where: str = ""
    passage: Passage | None = None

    def __post_init__(self) -> None:
        if self.passage and not self.where:
            object.__setattr__(self, "where", str(self.passage))
        for name in ("where", "expected", "got", "hint"):
            object.__setattr__(self, name, shortened(getattr(self, name), LONGEST_PART))

    @property
    def place(self) -> tuple[int, ...]:
        """Line and column, to sort by; empty without a passage."""
        return (self.passage.line, self.passage.column) if self.passage else ()

    def within(self, where: str) -> Fault:
        """Return the same fault, located inside something larger: a file, a parameter, an option."""
        return replace(self, where=", ".join(each for each in (where, self.where) if each))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}: expected {self.expected}, got {self.got}. {self.hint}"


class RequestError(ValueError):
    """A request that cannot be carried out, with every fault found in it.

    Args:
        faults: what is wrong, in the order of the request; at least one.
    """

    def __init__(self, *faults: Fault) -> None:
        assert faults, "a RequestError without a fault says nothing"
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))

    @classmethod
    def of(
        cls,
        *,
        message: str,
        expected: str,
        got: str,
        hint: str,
        where: str = "",
        passage: Passage | None = None,
    ) -> RequestError:
        """Return the error of a single fault; the arguments are those of `Fault`."""
        return cls(
            Fault(message=message, expected=expected, got=got, hint=hint, where=where, passage=passage)
        )


class StorageError(RequestError):
    """A valid request that failed because the disk is full or broken."""


class WorkError(RuntimeError):
    """Work that failed for known reasons, although the request was valid.

    Args:
        causes: what failed, one sentence or phrase each.
    """

    def __init__(self, *causes: str) -> None:
        self.causes = causes
        super().__init__("\n".join(causes))


def quote(text: str) -> str:
    """Return `text` in quotes on one line, shortened in the middle if it is long."""
    return repr(shortened(text))


def shortened(text: str, longest: int = LONGEST_QUOTE) -> str:
    """Return `text` without its middle if it has more characters than `longest`."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def nearest(wrong: str, known: Collection[str]) -> str:
    """Return the known names in words: all if they are few, otherwise the three most similar to `wrong`."""
    if not known:
        return "none: there are none yet"
    if len(known) == 1:
        return next(iter(known))
    if len(known) <= MOST_NAMES:
        return f"one of {', '.join(known)}"
    # Ties keep the order of `known`, which difflib's own function would not.
    close = sorted(known, key=lambda name: -SequenceMatcher(None, wrong, name).ratio())[:_NEAREST]
    return f"one of {len(known):,}, such as {', '.join(close)}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it takes one ("1 digit", "5 digits")."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
