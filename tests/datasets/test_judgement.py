"""Right by the rules and right as written, against the rules written out by hand."""

from __future__ import annotations

import numpy as np

from playground.datasets import JUDGEMENTS, LEGEND, MARKS, NOT_JUDGED, DatasetSpec, judge, truth_as_written
from tests.support.judged_by_hand import MARKS as BY_HAND
from tests.support.judged_by_hand import judge_by_hand


def test_any_text_is_judged_as_by_hand(spec: DatasetSpec):
    """Texts of all sorts: random tokens in random places of right ones, commas where values belong among them."""
    template, random = spec.template, np.random.default_rng(0)
    names = [slot.name for slot in template.slots]
    separators = [slot.separator for slot in template.slots]
    found = set()
    for share in (0.05, 0.3, 1.0):
        truth = np.tile(template.truth, (8, 1))
        tokens = np.where(
            random.random(truth.shape) < share,
            random.integers(0, len(template.vocabulary), truth.shape),
            truth,
        )
        bits = random.random(truth.shape) < share
        tokens = np.where(bits, random.integers(0, 2, truth.shape), tokens)
        tokens[:, : template.prompt_length] = truth[:, : template.prompt_length]
        given = int(random.integers(template.prompt_length, template.length + 1))
        forced = spec.world.outputs[1:2] if share < 1 else ()
        judged = judge(template, tokens, truth, given=given, forced=forced)
        as_written = truth_as_written(template, tokens)
        for row, ids in enumerate(tokens):
            words = [template.vocabulary[index] for index in ids]
            expected, follows = judge_by_hand(
                spec.world, words, names, separators, given=given, forced=forced
            )
            assert [str(JUDGEMENTS[place]) for place in judged[row]] == expected
            assert [
                None if index == NOT_JUDGED else template.vocabulary[index] for index in as_written[row]
            ] == [follows[position] for position in template.answer_positions]
            found |= set(expected) | {"not judged"} if None in follows else set(expected)
    assert found == {*map(str, JUDGEMENTS), "not judged"}


def test_every_judgement_has_its_mark_and_the_legend_names_each():
    assert {str(judgement): mark.symbol for judgement, mark in MARKS.items()} == BY_HAND
    for mark in MARKS.values():
        assert mark.symbol in LEGEND
        assert mark.plain.isascii()
        assert bool(mark.plain) == bool(mark.symbol)
    assert len({mark.plain for mark in MARKS.values()}) == len(set(BY_HAND.values()))
    assert LEGEND.count(".") == 1
