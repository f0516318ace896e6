"""Judging a text: right by the rules, and right as written.

An answer is right by the rules if it is what the rules give for the state. It is right as written if it is what its own
rule gives for the text before it: for the inputs, and for the outputs above it as written, whether the model wrote
them, was forced to write them, or was given them. If its rule reads an output that was written as something other
than 0 or 1, it cannot be judged as written, and does not count as right.

The marks for both, on the terminal and on the pages, are defined here (`app/client/drawing/marks.js`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Int, UInt8

from playground.datasets.template import Template

NOT_JUDGED = -1
"""Placeholder for the token that would be right as written, where it is unknown."""


class Judgement(StrEnum):
    """The judgement of one token; arrays hold its index in `JUDGEMENTS`, documents its value."""

    RIGHT = "right"
    AS_WRITTEN = "right_as_written"
    BY_RULES = "right_by_rules_alone"
    WRONG = "wrong"
    FORCED = "forced"
    GIVEN = "given"
    GIVEN_OTHERWISE = "given_against_rules"


JUDGEMENTS = tuple(Judgement)


@dataclass(frozen=True)
class Mark:
    """The mark behind a token.

    Args:
        symbol: the mark.
        plain: the mark in plain ASCII.
    """

    symbol: str
    plain: str


_NONE, _FLAG = Mark("", ""), Mark("⚑", "*")
MARKS = {
    Judgement.RIGHT: _NONE,
    Judgement.AS_WRITTEN: Mark("≈", "~"),
    Judgement.BY_RULES: Mark("†", "+"),
    Judgement.WRONG: Mark("✗", "x"),
    Judgement.FORCED: _FLAG,
    Judgement.GIVEN: _NONE,
    Judgement.GIVEN_OTHERWISE: _FLAG,
}
LEGEND = (
    "No mark: right; ≈ right as written, given what stands before it in the text, but wrong by the rules; "
    "† right by the rules, but not as written; ✗ wrong both ways; ⚑ forced, or given against the rules: not judged."
)
"""The meaning of the marks in one sentence, shown wherever they are used."""


def truth_as_written(
    template: Template, tokens: Int[np.ndarray, "row token"]
) -> Int[np.ndarray, "row answer"]:
    """Return the token that would be right as written for each answer, in the world's order.

    Args:
        template: the template of the texts.
        tokens: token ids of whole texts, right or wrong.

    Returns:
        Token ids; `NOT_JUDGED` where the answer's rule reads something that is neither 0 nor 1.
    """
    world = template.world
    written = {name: tokens[:, template.positions[name]] for name in (*world.inputs, *world.outputs)}
    # The id of a number's token is the number.
    is_bit = {name: (value == 0) | (value == 1) for name, value in written.items()}
    found = world.follow({name: np.where(is_bit[name], value, 0) for name, value in written.items()})
    table = np.full((len(tokens), len(world.answers)), NOT_JUDGED)
    for index, name in enumerate(world.answers):
        can_be_judged = np.ones(len(tokens), dtype=bool)
        for read in world.dependencies[name]:
            can_be_judged &= is_bit[read]
        table[:, index] = np.where(can_be_judged, found[name], NOT_JUDGED)
    return table


def judge(
    template: Template,
    tokens: Int[np.ndarray, "row token"],
    truth: Int[np.ndarray, "row token"],
    *,
    given: int,
    forced: Collection[str] = (),
) -> UInt8[np.ndarray, "row token"]:
    """Return the judgement of every token of some texts, as an index in `JUDGEMENTS`.

    Separators are right if they match the template. Given and forced tokens are not judged.

    Args:
        template: the template of the texts.
        tokens: token ids of whole texts, each beginning with a state's prompt.
        truth: token ids of the correct samples of the same states.
        given: the number of given tokens, including the prompt.
        forced: names of the outputs that were forced.
    """
    as_written = truth.copy()
    as_written[:, template.answer_positions] = truth_as_written(template, tokens)
    by_rules, follows = tokens == truth, tokens == as_written
    judged = np.select(
        [by_rules & follows, by_rules, follows],
        [_place(Judgement.RIGHT), _place(Judgement.BY_RULES), _place(Judgement.AS_WRITTEN)],
        _place(Judgement.WRONG),
    ).astype(np.uint8)
    # A token that cannot be judged is not against the rules.
    is_otherwise = ~follows & (as_written != NOT_JUDGED)
    otherwise = np.where(is_otherwise, _place(Judgement.GIVEN_OTHERWISE), _place(Judgement.GIVEN))
    judged[:, :given] = otherwise[:, :given]
    judged[:, [template.positions[name] for name in forced]] = _place(Judgement.FORCED)
    return judged


def _place(judgement: Judgement) -> int:
    return JUDGEMENTS.index(judgement)
