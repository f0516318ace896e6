"""Prints measurements as Markdown, with their ranges."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence


def spread(values: Sequence[float]) -> str:
    """Return the median and the range."""
    middle = f"{statistics.median(values):.1f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.1f} to {max(values):.1f})"


def ratio(some: Sequence[float], others: Sequence[float]) -> str:
    """Return the median and the range of the ratios, round by round."""
    found = [one / other for one, other in zip(some, others, strict=True)]
    middle = f"{statistics.median(found):.2f}"
    return middle if len(found) == 1 else f"{middle} ({min(found):.2f} to {max(found):.2f})"


def say(text: str) -> None:
    """Print the progress."""
    print(text, file=sys.stderr, flush=True)


def say_aloud(text: str) -> None:
    """Print a paragraph."""
    print(f"\n{text}", flush=True)


def show(heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    say_aloud(f"{heading}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
