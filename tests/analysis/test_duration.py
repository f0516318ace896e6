"""How long a method takes is told before it begins, and larger worlds take longer."""

from __future__ import annotations

import pytest

from playground.analysis import (
    METHODS,
    duration,
    estimate_seconds,
    in_words,
    measure_interchange,
    method_called,
)
from playground.datasets import DatasetSpec
from playground.inference import open_model
from playground.worlds import parse_world
from tests.conftest import random_checkpoint

TOLD = ["routes", "tokens", *(method.name for method in METHODS.values() if method.is_long)]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a GPT-2 of three inputs, and one of six."""
    found = []
    for inputs in ("ABC", "ABCDEF"):
        world = parse_world(f"inputs: {', '.join(inputs)}\nx = A AND B\ny = x XOR C\n")
        folder = tmp_path_factory.mktemp("models") / inputs
        (folder / "snapshots").mkdir(parents=True)
        (folder / "snapshots" / "10.safetensors").touch()
        found.append(open_model(random_checkpoint(DatasetSpec(world=world, held_out=()), folder), "cpu"))
    return found


@pytest.mark.parametrize("name", TOLD)
def test_more_states_take_longer(models, name, monkeypatch):
    monkeypatch.setattr(duration, "_seconds_a_token", lambda model: 1.0)
    few, many = (estimate_seconds(method_called(name), model) for model in models)
    # Eight times as many states, whose texts are longer, and more pairs of them.
    assert 8 <= many / few < 400


def test_exchanges_are_as_many_as_are_made(models, monkeypatch):
    monkeypatch.setattr(duration, "_seconds_a_token", lambda model: 1.0)
    model = models[0]
    first = next(measure_interchange(model))
    made = first.done.size * len(first.pairs) * model.template.length
    assert estimate_seconds(method_called("interchange"), model) == pytest.approx(made / 2)


def test_what_takes_seconds_has_no_estimate(models):
    told = [method.name for method in METHODS.values() if estimate_seconds(method, models[0]) is not None]
    assert sorted(told) == sorted(TOLD)


def test_times_in_words():
    assert [in_words(seconds) for seconds in (40, 89, 90, 3000, 15_000)] == [
        "about 40 seconds",
        "about 89 seconds",
        "about 2 minutes",
        "about 50 minutes",
        "about 4 hours",
    ]


def test_to_decode_freely_can_be_stopped_while_exchanges_are_made(models):
    steps = method_called("free").run(models[0], (), None)
    first = next(steps)
    assert first.result.waiting
    assert first.done < first.of
    steps.close()
    *_, last = method_called("free").run(models[0], (), None)
    assert not last.result.waiting
    assert last.done == last.of
