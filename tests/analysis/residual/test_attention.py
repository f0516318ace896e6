"""Where heads look, held against transformers' own `output_attentions`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.analysis import measure_attention
from playground.analysis.base.answers import chained_answers
from playground.analysis.base.presentation import Selection, Sentence
from playground.analysis.base.view import View
from playground.analysis.residual.attention import ATTENTION
from playground.errors import RequestError
from playground.interventions import parse_all
from tests.analysis.references import CONDITIONS, condition

TOLERANCE = 1e-5


def check_spread(spread, expected: np.ndarray) -> None:
    """Compare with the weights of some states, state x layer x head x key, for one answer."""
    for name, reduce in (("mean", np.mean), ("smallest", np.min), ("largest", np.max)):
        assert getattr(spread, name) == pytest.approx(reduce(expected, axis=0), abs=TOLERANCE), name


def one(spread, answer: int):
    """Return what a spread says of one answer."""
    return type(spread)(*(getattr(spread, name)[[answer]] for name in ("mean", "smallest", "largest")))


def check(attention, expected: dict[str, np.ndarray], held_out: np.ndarray) -> None:
    """Compare with weights by answer, state x layer x head x key."""
    assert attention.answers == tuple(expected)
    for index, weights in enumerate(expected.values()):
        groups = {"all": held_out | True, "seen": ~held_out, "held_out": held_out}
        for name, group in groups.items():
            check_spread(one(getattr(attention, name), index), weights[group][:, None])


def test_the_shipped_model(shipped, shipped_reference):
    attention = measure_attention(shipped)
    with torch.no_grad():
        result = shipped_reference(shipped.baseline_run.tokens.clone(), output_attentions=True)
    patterns = torch.stack(result.attentions, 1).numpy()  # state x layer x head x query x key
    writing = {"newA": 9, "newB": 11, "newC": 13, "newD": 15, "sum2": 19}
    held_out = np.array([state in shipped.dataset.held_out for state in shipped.world.states])
    check(attention, {name: patterns[:, :, :, at] for name, at in writing.items()}, held_out)
    assert attention.tokens[:3] == ("A", ">B", "B")
    assert attention.tokens[16:20] == ("newD", ">sum", "sum", ">sum2")
    # The largest difference, looked for by hand.
    largest, found = 0.0, None
    for name, at in writing.items():
        change = patterns[held_out][:, :, :, at].mean(0) - patterns[~held_out][:, :, :, at].mean(0)
        for place in np.ndindex(change.shape):
            if abs(change[place]) > abs(largest):
                largest, found = change[place], (name, place)
    name, (layer, head, key) = found
    difference = attention.largest_differences[attention.answers.index(name)]
    assert difference.value == pytest.approx(largest, abs=TOLERANCE)
    assert (difference.answer, difference.head, difference.token) == (
        name,
        f"L{layer}H{head}",
        attention.tokens[key],
    )
    assert [each.answer for each in attention.largest_differences] == list(writing)
    assert difference == max(attention.largest_differences, key=lambda each: abs(each.value))


@pytest.mark.slow
@pytest.mark.parametrize("text", CONDITIONS)
def test_under_interventions(random_model, reading, text):
    template = random_model.template
    text = condition(text, template)
    answers = random_model.world.answers
    _, steps = reading(text)
    expected = {}
    for name in answers:
        at = template.positions[name] - 1
        weights = torch.stack(steps[at].attentions, 1).numpy()
        expected[name] = np.pad(weights, [(0, 0)] * 3 + [(0, template.length - at - 1)])
    held_out = np.array([state in random_model.dataset.held_out for state in random_model.world.states])
    attention = measure_attention(random_model, text, answers)
    check(attention, expected, held_out)
    assert attention.interventions == tuple(map(str, parse_all(text)))
    if any(kind in text for kind in ("W_Q", "patch", "zero", "W_E")):
        clean = measure_attention(random_model, answers=answers)
        assert np.abs(clean.all.mean - attention.all.mean).max() > 100 * TOLERANCE, "something moves"


def test_without_held_out_states(all_seen):
    attention = measure_attention(all_seen)
    assert attention.answers == chained_answers(all_seen.world)
    assert attention.held_out is None
    assert attention.difference is None
    assert attention.largest_differences == ()
    assert np.array_equal(attention.seen.mean, attention.all.mean)


def test_a_model_without_attention(random_baseline):
    with pytest.raises(RequestError, match="expected a model with attention patterns") as caught:
        measure_attention(random_baseline)
    has = {"rnn": "hidden state", "cnn": "feature maps", "mann": "read weights"}
    architecture = random_baseline.network.architecture
    assert f"got {architecture}, which has: {has[architecture]}" in str(caught.value)


def test_an_answer_that_there_is_not(random_model):
    with pytest.raises(RequestError, match="unknown answer"):
        measure_attention(random_model, answers=["nothing"])


def cells(blocks):
    """Yield every cell of some heatmaps, with its row and column."""
    for block in blocks:
        for row, column in np.ndindex(block.values.shape):
            yield block, row, column


def test_the_answers_weights_are_shown_with_their_range_and_difference(random_model):
    found = measure_attention(random_model)
    blocks = list(ATTENTION.present(found, View(random_model)))
    world, network = random_model.world, random_model.network
    patterns = random_model.record(network.pattern_hooks).recorded
    held_out = np.array([state in random_model.dataset.held_out for state in world.states])
    reading = [name for name in world.answers if set(world.dependencies[name]) & set(world.outputs)]
    assert len(blocks) == 2 * len(found.answers)
    for answer, mean, difference in zip(found.answers, blocks[::2], blocks[1::2], strict=True):
        query = random_model.template.positions[answer] - 1
        weights = np.stack([patterns[hook][:, :, query, : query + 1] for hook in network.pattern_hooks], 1)
        weights = weights.reshape(len(weights), -1, query + 1)  # state x head x key
        assert mean.values == pytest.approx(weights.mean(0), abs=TOLERANCE)
        change = weights[held_out].mean(0) - weights[~held_out].mean(0)
        assert difference.values == pytest.approx(change, abs=TOLERANCE)
        assert mean.notes[3][1] == f"from {weights[:, 3, 1].min():.2f} to {weights[:, 3, 1].max():.2f}"
        assert f"{np.abs(change).max():.2f}" in difference.caption
        assert (mean.unit, difference.unit) == ("weight", "difference")
        assert mean.folded == difference.folded == (answer not in reading)
        assert mean.columns == found.tokens[: query + 1]
        assert (mean.rows[5], mean.groups[5]) == ("L1H1", "L1")
        assert mean.selects(5, 1) == Selection("L1H1", found.tokens[1], answer)


@pytest.mark.parametrize("interventions", [(), "zero:L0H1@>{answer}"])
def test_each_choice_has_the_states_behind_its_numbers(random_model, interventions):
    answer = random_model.world.outputs[-1]
    asked = parse_all(interventions.format(answer=answer)) if interventions else ()
    found = measure_attention(random_model, asked, [answer])
    view = View(random_model, asked, answer=answer, state=1)
    (option,) = ATTENTION.options(view)
    expected = {
        "mean": lambda weights: np.mean(list(weights.values())),
        "smallest": lambda weights: min(weights.values()),
        "largest": lambda weights: max(weights.values()),
        "difference": lambda weights: (
            np.mean([weights[each] for each in held_out])
            - np.mean([weight for state, weight in weights.items() if state not in held_out])
        ),
    }
    held_out = [
        view.states[random_model.world.states.index(state)] for state in random_model.dataset.held_out
    ]
    assert [name for name, _ in option.choices] == list(expected)
    (first,) = ATTENTION.present(found, view)
    assert (
        first.values == found.all.mean[0].reshape(first.values.shape[0], -1)[:, : first.values.shape[1]]
    ).all()
    for choice, count in expected.items():
        blocks = list(ATTENTION.present(found, replace(view, options={"spread": choice})))
        for block, row, column in list(cells(blocks))[::17]:
            cases = block.cases(row, column)
            weights = {state: float(weight) for state, weight in (each.cells for each in cases.rows)}
            assert set(weights) == set(view.states)
            assert list(weights.values()) == sorted(weights.values(), reverse=True)
            assert block.values[row, column] == pytest.approx(count(weights), abs=6e-4)


def test_what_cannot_be_shown_says_why(all_seen):
    found = measure_attention(all_seen)
    view = View(all_seen, answer=found.answers[-1])
    (option,) = ATTENTION.options(view)
    assert "difference" not in dict(option.choices)
    assert all(block.unit == "weight" for block in ATTENTION.present(found, View(all_seen)))
    (said,) = ATTENTION.present(found, replace(view, options={"spread": "difference"}))
    assert said == Sentence(text="No state was held out: there is nothing to compare seen states with.")
    (said,) = ATTENTION.present(measure_attention(all_seen, (), [found.answers[0]]), view)
    assert f"{view.answer} was not measured" in said.text
