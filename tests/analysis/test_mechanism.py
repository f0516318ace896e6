"""The verdict says what was measured: of models that are known, and of worlds in which little can be said."""

from __future__ import annotations

import json
import re

import pytest

from playground.analysis import (
    METHODS,
    Store,
    make_verdict,
    measure_mechanism,
    measure_routes,
    mechanism_document,
)
from playground.analysis.routes import route
from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.inference import Model, open_model
from playground.worlds import parse_world
from tests.conftest import random_checkpoint

NO_CHAIN = "first = A XOR B\nsecond = NOT B\n"
ALONE = "only = A AND B\n"
QUICK = [method for method in METHODS.values() if not method.is_long]


def untrained(rules: str, folder, architecture: str = "gpt2") -> Model:
    world = parse_world(rules)
    spec = DatasetSpec(world=world, held_out=(world.states[0],))
    return open_model(random_checkpoint(spec, folder, architecture=architecture), "cpu")


def test_the_verdict_on_models_that_are_known(taught):
    for model, reads in taught.both:
        found = measure_mechanism(model)
        assert found.caveats == (), "they write every state"
        assert [each.answer for each in found.route_summaries] == ["last", "total"]
        assert {each.way for each in found.route_summaries} == {"read" if reads else "recomputed"}
        word = "read from mid as written, not recomputed" if reads else "recomputed from"
        assert re.match(f"last is (mostly )?{word}", found.verdict[0])
        for claim in found.claims:
            assert claim.share.of - claim.share.holds == len(claim.counterexamples)
            # Of a text with another input and the same outputs some have never been taught what to make.
            least = 0.8 if "swapping" in claim.text else 0.95
            assert claim.share.share is None or claim.share.share > least, str(claim)
        does = "changes" if reads else "does not change"
        expected = f"swapping only the token mid {does} last as predicted"
        assert expected in [claim.text for claim in found.claims]


@pytest.mark.parametrize("rules", [NO_CHAIN, ALONE])
def test_a_world_without_a_chain_is_told_so(rules, tmp_path):
    model = untrained(rules, tmp_path / "gpt2")
    found = measure_mechanism(model)
    assert (found.verdict, found.route_summaries) == ((), ())
    assert any("No answer of this world reads another" in each for each in found.caveats)


def test_a_model_that_fails_on_seen_states_is_told_so_first(tmp_path):
    model = untrained("first = A XOR B\nsecond = first OR C\n", tmp_path / "gpt2")
    right, seen = model.baseline.tally["seen"]
    assert right < seen, "it is not trained"
    assert f"{right} of {seen} seen states" in measure_mechanism(model).caveats[0]


@pytest.mark.parametrize("architecture", ["gpt2", "rnn", "cnn", "mann"])
@pytest.mark.parametrize("rules", [NO_CHAIN, "first = A XOR B\nsecond = first OR C\n"])
def test_every_quick_method_has_an_answer_or_says_why_not(rules, architecture, tmp_path):
    model = untrained(rules, tmp_path / architecture, architecture)
    store = Store(model, (), tmp_path / "cache")
    for method in QUICK:
        if lack := method.unavailable_reason(model.network):
            with pytest.raises(RequestError) as caught:
                next(method.run(model, (), store))
            assert lack in str(caught.value)
            assert method.name in ("attention", "lens")
            continue
        *_, step = method.run(model, (), store)
        assert step.done == step.of
        document = method.figures(step.result, model)
        json.dumps(document, allow_nan=False)
        kept = method.load(model, (), store)
        assert kept is not None
        assert json.dumps(method.figures(kept.result, model)) == json.dumps(document)


def test_of_many_texts_some_are_drawn_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(route, "MOST_TEXTS", 100)
    model = untrained("p = A XOR B\nq = p OR C\nr = q AND D\ntotal(p+q+r)\n", tmp_path / "gpt2")
    routes = measure_routes(model)
    assert not routes.exhaustive
    assert [each.answer for each in routes.chains] == ["q", "r", "total"]
    found = routes.of("total")
    assert len(found.texts) <= 100
    assert (found.partners >= 0).any(1).all(), "each variable has texts that differ in it alone"
    verdict = make_verdict(model.world, routes)
    assert any("random sample" in each for each in verdict.caveats)
    json.dumps(mechanism_document(verdict, model), allow_nan=False)
