"""The verdict on one answer in words, from counts of texts: which word is used, and how shares are rounded.

Every text on which reading and recomputing lead to different answers is counted once: the model followed the outputs
as written, the inputs, or neither. The largest of the three counts decides the word; the other two are named by size.
Sentence, bar, table and document all take their percentages from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Way = Literal["read", "recomputed", "neither", "mixed", "undecided"]
WAYS: tuple[Literal["read", "recomputed", "neither"], ...] = ("read", "recomputed", "neither")
"""The order in which routes are drawn, and in which equally frequent ones are named."""

PLAIN, MOSTLY = 95, 50
"""A route is named without qualification from the first percentage of texts on, and with "mostly" above the second.
Both are compared with the exact share, not the rounded one."""


@dataclass(frozen=True)
class RouteCounts:
    """In how many diagnostic texts an answer is read, and in how many it is recomputed.

    Args:
        read: number of texts in which the answer follows the outputs as written.
        recomputed: number of texts in which it follows the inputs alone.
        texts: number of diagnostic texts.
    """

    read: int
    recomputed: int
    texts: int

    def __post_init__(self) -> None:
        assert min(self.read, self.recomputed, self.neither) >= 0, "no text is counted twice"

    @property
    def neither(self) -> int:
        """Number of texts in which the answer follows neither."""
        return self.texts - self.read - self.recomputed

    @property
    def counts(self) -> tuple[int, int, int]:
        """The counts of read, recomputed, neither."""
        return self.read, self.recomputed, self.neither

    @property
    def shares(self) -> tuple[float, float, float]:
        """The counts as shares from 0 to 1; zeros if there are no texts."""
        read, recomputed, neither = (count / max(self.texts, 1) for count in self.counts)
        return read, recomputed, neither

    @property
    def percent(self) -> tuple[int, int, int]:
        """The counts in whole per cent, which add up to 100; zeros if there are no texts."""
        read, recomputed, neither = whole_percentages(self.counts)
        return read, recomputed, neither

    @property
    def largest(self) -> tuple[Literal["read", "recomputed", "neither"], ...]:
        """The most frequent route, or several in a tie; none if there are no texts."""
        return tuple(
            way
            for way, count in zip(WAYS, self.counts, strict=True)
            if self.texts and count == max(self.counts)
        )

    @property
    def way(self) -> Way:
        """The route of more than half of the texts; mixed if there is none, undecided if there are no texts."""
        if not self.texts:
            return "undecided"
        return self.largest[0] if 100 * max(self.counts) > MOSTLY * self.texts else "mixed"

    @property
    def plain(self) -> bool:
        """Whether the most frequent route is that of nearly all texts."""
        return bool(self.texts) and 100 * max(self.counts) >= PLAIN * self.texts


def whole_percentages(counts: Sequence[int]) -> tuple[int, ...]:
    """Return counts in whole per cent of their sum, which add up to 100; zeros if they are zero.

    All are rounded down, and those that lose most get one more (largest remainder method); in a tie, the first does.
    A larger count never gets less than a smaller one.
    """
    total = sum(counts)
    if not total:
        return tuple(0 for _ in counts)
    found = [100 * count // total for count in counts]
    order = sorted(range(len(counts)), key=lambda index: -(100 * counts[index] % total))
    for index in order[: 100 - sum(found)]:
        found[index] += 1
    return tuple(found)


def sentence_of(answer: str, outputs: Sequence[str], inputs: Sequence[str], counts: RouteCounts) -> str:
    """Return in one sentence how the model derives an answer.

    Args:
        answer: its name.
        outputs: the outputs that its rule reads; at least one.
        inputs: the inputs from which it can be recomputed.
        counts: counts over the diagnostic texts, on which reading and recomputing disagree.
    """
    read = f"read from {join_names(outputs)}"
    recomputed = f"recomputed from {join_names(inputs) or 'the rules alone'}"
    if counts.way == "undecided":
        return f"{answer} is the same whether it is {read} as written or {recomputed}: no text tells the two apart."
    long = {
        "read": f"{read} as written",
        "recomputed": recomputed,
        "neither": f"neither {read} as written nor {recomputed}",
    }
    texts = f"the {counts.texts:,} texts where they disagree"
    count = max(counts.counts)
    held = f"all {texts.removeprefix('the ')}" if count == counts.texts else f"{count:,} of {texts}"
    if counts.plain:
        others = {"read": f", not {recomputed}", "recomputed": f", not {read}", "neither": ""}
        way = counts.largest[0]
        return f"{answer} is {long[way]}{others[way]} ({held})."
    # Above, "they" refers to the two routes just named; below, only one is named, so both are spelled out.
    held = held.replace("they", "reading and recomputing")
    percent = dict(zip(WAYS, counts.percent, strict=True))
    if counts.way != "mixed":
        way = counts.largest[0]
        return f"{answer} is mostly {long[way]} ({percent[way]} %, {held}); {_others(counts)}."
    if len(counts.largest) == 1:
        way = counts.largest[0]
        return f"{answer} is mixed: most often {long[way]} ({percent[way]} %, {held}); {_others(counts)}."
    equal = [{**long, "neither": "neither of the two"}[way] for way in counts.largest]
    each = held.replace(f"{count:,} of", f"{count:,} each of", 1)
    others = _others(counts)
    return f"{answer} is mixed: equally often {join_names(equal)} ({each}){f'; {others}' if others else ''}."


def _others(counts: RouteCounts) -> str:
    """Return the routes that occur but are not the most frequent, the more frequent first."""
    says = {"read": "read as written", "recomputed": "recomputed", "neither": "neither"}
    rows = zip(WAYS, counts.counts, counts.percent, strict=True)
    found = sorted((row for row in rows if row[1] and row[0] not in counts.largest), key=lambda row: -row[1])
    return ", ".join(f"{says[way]} in {percent} %" for way, _, percent in found)


def join_names(names: Sequence[str]) -> str:
    """Return names as a list in a sentence; "" if there are none."""
    return " and ".join(each for each in (", ".join(names[:-1]), *names[-1:]) if each)
