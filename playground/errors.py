"""What the library says when a request is wrong.

A fault says what is wrong, what was expected, what came and what to do next; a
`RequestError` carries all faults that were found at once, so that they can be fixed together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

LONGEST_QUOTE = 60
LONGEST_PART = 2_000
"""Of what a fault says; what was typed may be far longer."""
MOST_NAMES = 6
"""So many names are listed; of more, those that come nearest to a wrong one."""
_NEAREST = 3


@dataclass(frozen=True)
class Passage:
    """Where something stands in a text of several lines.

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
        got: what came.
        hint: what to do next, as a sentence.
        where: the place of the fault (a file, an intervention), or nothing.
        passage: what is wrong in a text of several lines, if it is one; unless said, it is the place as well.
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
        """Line and column, to sort by; empty where there is no passage."""
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
    """A correct request that the disk fails to carry out: it is full, or broken."""


class WorkError(RuntimeError):
    """Work that failed for known reasons, though the request was right.

    Args:
        causes: each in words.
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
    """Return in words which names there are: all if they are few, else the three that `wrong` is most like."""
    if not known:
        return "none: there are none yet"
    if len(known) == 1:
        return next(iter(known))
    if len(known) <= MOST_NAMES:
        return f"one of {', '.join(known)}"
    # Of those that are equally alike the first, which difflib's own function would not give.
    close = sorted(known, key=lambda name: -SequenceMatcher(None, wrong, name).ratio())[:_NEAREST]
    return f"one of {len(known):,}, such as {', '.join(close)}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it takes one ("1 digit", "5 digits")."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
