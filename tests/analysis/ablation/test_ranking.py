"""The ranking of heads, from boards by another way."""

from __future__ import annotations

import pytest

from playground.analysis import ablations, measure_effect, rank
from playground.interventions import Mean, Zero, parse_positions


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Zero, Mean])
def test_every_head_is_there_with_what_its_ablation_alone_does(random_model, kind):
    positions = parse_positions(f"@>{random_model.world.answers[0]}..")
    clean = random_model.board()
    effects = rank(
        (
            measure_effect(clean, random_model.board([each]), each)
            for each in ablations(random_model, kind, positions)
        ),
        clean,
    )
    assert {str(e.intervention.site) for e in effects} == {f"L{i}H{j}" for i in range(3) for j in range(4)}
    overall = []
    for effect in effects:
        board = random_model.board(str(effect.intervention))
        sums, counts, broken = {False: 0.0, True: 0.0}, {False: 0, True: 0}, {False: 0, True: 0}
        for state in range(len(random_model.world.states)):
            group = bool(clean.held_out[state])
            for answer in range(len(random_model.world.answers)):
                sums[group] += abs(float(board.margin[state, answer]) - float(clean.margin[state, answer]))
                counts[group] += 1
            broken[group] += bool(clean.correct[state]) and not board.correct[state]
        assert effect.moved_seen == pytest.approx(sums[False] / counts[False], rel=1e-4)
        assert effect.moved_held_out == pytest.approx(sums[True] / counts[True], rel=1e-4)
        assert (effect.broken_seen, effect.broken_held_out) == (broken[False], broken[True])
        overall.append((sums[False] + sums[True]) / (counts[False] + counts[True]))
    assert overall == sorted(overall, reverse=True)
    assert overall[0] > 0
