"""What is right by the rules and as written, from a second, independent copy of the rules, text by text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from playground.worlds import World

Values = Mapping[str, int]

RULES: dict[str, Callable[[Values], int]] = {
    "newA": lambda v: int(v["A"] != v["C"]),
    "newB": lambda v: int(not v["D"]),
    "newC": lambda v: min(v["B"], v["E"]),
    "newD": lambda v: max(v["A"], v["newB"]),
    "sum": lambda v: sum(v[name] for name in "ABCDE"),
    "sum2": lambda v: sum(v[name] for name in ("newA", "newB", "newC", "newD")),
    "first": lambda v: int(not (v["X"] and v["Y"])),
    "second": lambda v: int(v["first"] != v["Z"]),
}
"""Of the worlds of `tests/conftest.py`."""
READS = {
    "newA": "A C",
    "newB": "D",
    "newC": "B E",
    "newD": "A newB",
    "sum": "A B C D E",
    "sum2": "newA newB newC newD",
    "first": "X Y",
    "second": "first Z",
}
MARKS = {
    "right": "",
    "right_as_written": "≈",
    "right_by_rules_alone": "†",
    "wrong": "✗",
    "forced": "⚑",
    "given": "",
    "given_against_rules": "⚑",
}


def judge_by_hand(
    world: World,
    tokens: Sequence[str],
    names: Sequence[str | None],
    separators: Sequence[str | None],
    *,
    given: int,
    forced: Sequence[str] = (),
) -> tuple[list[str], list[str | None]]:
    """Return the judgement of every token of a text, in the words of documents, and what is right as written.

    Args:
        world: one of the two worlds.
        tokens: of the whole text.
        names: the name of each position, None for a separator.
        separators: the separator at each position, None for a value.
        given: number of given tokens.
        forced: outputs that were forced.
    """
    written = {name: token for name, token in zip(names, tokens, strict=True) if name}
    true = {name: int(written[name]) for name in world.inputs}
    for name in world.answers:
        true[name] = RULES[name](true)
    judged, as_written = [], []
    for index, (name, token, separator) in enumerate(zip(names, tokens, separators, strict=True)):
        right, follows = separator, separator
        if name in world.inputs:
            right = follows = token
        elif name:
            right, follows = str(true[name]), None
            if all(written[read] in ("0", "1") for read in READS[name].split()):
                follows = str(RULES[name]({read: int(written[read]) for read in READS[name].split()}))
        if name in forced:
            word = "forced"
        elif index < given:
            word = "given" if follows in (token, None) else "given_against_rules"
        elif token == right:
            word = "right" if token == follows else "right_by_rules_alone"
        else:
            word = "right_as_written" if token == follows else "wrong"
        judged.append(word)
        as_written.append(follows)
    return judged, as_written
