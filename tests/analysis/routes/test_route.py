"""Routes: of models of which it is known, against what models write text by text, and against naive loops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from playground.analysis.base.store import Store
from playground.analysis.routes import route as routes
from playground.analysis.routes.route import NO_NUMBER, Route, Routes, grow_routes, measure_routes
from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.inference import Model, load_model, open_model
from playground.interventions import parse_site
from playground.worlds import parse_world
from tests.analysis.planted import answers_of
from tests.conftest import random_checkpoint


def test_what_follows_the_written_text_is_told(taught):
    found = measure_routes(taught.reader)
    assert [each.answer for each in found.chains] == ["last", "total"]
    for chain in found.chains:
        assert chain.follows(0).of >= 16
        assert chain.follows(0).share > 0.95
        assert chain.follows(-1).share < 0.05
        assert chain.best == 0
        assert chain.agreement[0] > 0.95
    assert found.of("last").follows_flip("mid").share > 0.95
    assert found.of("last").influence == pytest.approx([1, 0, 0, 0, 1], abs=0.05)
    assert (found.seen_right, found.seen) == (15, 15)


def test_what_follows_the_inputs_is_told(taught):
    found = measure_routes(taught.reckoner)
    for chain in found.chains:
        assert chain.follows(0).of >= 16
        assert chain.follows(0).share < 0.05
        assert chain.follows(-1).share > 0.95
        assert chain.best == len(chain.derivations) - 1
        assert chain.agreement[-1] > 0.95
        assert chain.agreement[0] < 0.6
    assert found.of("last").follows_flip("mid").share < 0.05
    assert found.of("last").influence == pytest.approx([1, 0.5, 0.5, 0, 0], abs=0.05)
    assert (found.seen_right, found.seen) == (15, 15), "on right texts it writes what the other writes"


def test_who_stops_half_way_can_go_on_and_finds_the_same(taught, tmp_path, monkeypatch):
    monkeypatch.setattr(routes, "_TOGETHER", 5)
    store, kind = Store(taught.reader, folder=tmp_path), ("routes test", 1, Routes)

    def pursue() -> Iterator[Routes]:
        return store.resume(
            *kind, lambda begun: grow_routes(taught.reader, begun=begun), lambda each: each.progress
        )

    growing = pursue()
    assert next(growing).progress == (5, 64)
    assert next(growing).progress == (10, 64)
    growing.close()
    assert store.load(*kind).answers == ()
    progress = [each.progress[0] for each in pursue()]
    assert progress == [*range(15, 64, 5), 64]
    (found,) = pursue()
    whole = measure_routes(taught.reader)
    for one, other in zip(found.answers, whole.answers, strict=True):
        assert one.answer == other.answer
        for name in ("texts", "written", "predicted", "held_out", "wrong"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_every_number_is_the_one_that_was_taught(taught):
    for model, reads in taught.both:
        for each in measure_routes(model).answers:
            for text, written in zip(each.texts, each.written, strict=True):
                values = dict.fromkeys(("mid", "last"), 0) | dict(zip(each.variables, text, strict=True))
                assert written == answers_of(values, reads=reads)[each.answer]


def test_numbers_are_those_that_transformers_writes(random_model, random_folder):
    """All texts there are, by transformers' own model from the same files."""
    model = AutoModelForCausalLM.from_pretrained(random_folder)
    for each in measure_routes(random_model).answers:
        texts = torch.from_numpy(tokens_before(random_model, each))
        with torch.no_grad():
            written = model(texts).logits[:, -1].argmax(-1).numpy()
        assert each.written.tolist() == [number(random_model, token) for token in written]
        assert len(set(written)) > 1


def number(model: Model, token) -> int:
    """Return the number that a token is, or that it is none."""
    text = model.template.vocabulary[int(token)]
    return int(text) if text.isdigit() else NO_NUMBER


def tokens_before(model: Model, route: Route) -> np.ndarray:
    """Return token ids of a route's texts up to the answer, put together by hand."""
    world, template = model.world, model.template
    rows = []
    for text in route.texts:
        values = dict(zip(route.variables, map(int, text), strict=True))
        row = []
        for slot in template.slots[: template.positions[route.answer]]:
            if slot.separator is not None:
                row.append(template.ids[slot.separator])
            elif slot.name in values:
                row.append(values[slot.name])
            else:
                (count,) = [each for each in world.counts if each.name == slot.name]
                row.append(sum(values[name] for name in count.variables))
        rows.append(row)
    return np.array(rows)


def test_numbers_are_those_with_which_a_text_goes_on(random_baseline):
    """A text of every combination of outputs, in some state each."""
    model, draw = random_baseline, np.random.default_rng(0)
    for each in measure_routes(model).answers:
        tokens = tokens_before(model, each)
        outputs = each.texts[:, len(model.world.inputs) :]
        for combination in np.unique(outputs, axis=0):
            index = draw.choice(np.flatnonzero((outputs == combination).all(1)))
            run = model.complete(model.template.decode(tokens[index]))
            assert each.written[index] == number(model, run.tokens[0, tokens.shape[1]])


@pytest.mark.slow
def test_numbers_are_those_of_boards_with_forced_outputs():
    model, interventions = load_model("shipped", "gpt2"), "zero:L1H2@>newA..;flip:L0.mlp.W_in[0:40,:]"
    found = measure_routes(model, interventions)
    for each in found.answers:
        before = each.variables[len(model.world.inputs) :]
        column = model.world.answers.index(each.answer)
        for values in list(product((0, 1), repeat=len(before)))[::3]:
            forced = ";".join(f"force:{name}={value}" for name, value in zip(before, values, strict=True))
            board = model.board(f"{interventions};{forced}".rstrip(";"))
            rows = (each.texts[:, len(model.world.inputs) :] == values).all(1)
            # A model that writes something else in between has another text before it.
            same = (
                tokens_before(model, each)[rows] == board.tokens[:, : model.template.positions[each.answer]]
            ).all(1)
            assert same.any()
            written = [number(model, token) for token in board.written[:, column]]
            assert (each.written[rows] == written)[same].all()


def test_influence_and_effect_by_naive_loops(random_model):
    for each in measure_routes(random_model).answers:
        written = {tuple(text): int(value) for text, value in zip(each.texts, each.written, strict=True)}
        world = {tuple(text): int(value) for text, value in zip(each.texts, each.predicted[0], strict=True)}
        for index, name in enumerate(each.variables):
            pairs = [(text, (*text[:index], 1 - text[index], *text[index + 1 :])) for text in written]
            changed = [written[text] != written[other] for text, other in pairs]
            assert each.influence[index] == pytest.approx(np.mean(changed))
            asked = [world[text] != world[other] for text, other in pairs]
            assert each.world_influence[index] == pytest.approx(np.mean(asked))
            grown = [
                written[other] - written[text]
                for text, other in pairs
                if not text[index] and min(written[text], written[other]) >= 0
            ]
            assert each.effect[index] == pytest.approx(np.mean(grown) if grown else np.nan, nan_ok=True)
            along = [
                written[other] - written[text] == world[other] - world[text]
                and min(written[text], written[other]) >= 0
                for text, other in pairs
                if world[text] != world[other]
            ]
            share = each.follows_flip(name)
            assert (share.holds, share.of) == (sum(along), len(along))


def test_what_each_text_is_said_to_be(random_model):
    world = random_model.world
    for each in measure_routes(random_model).answers:
        assert len(np.unique(each.texts, axis=0)) == len(each.texts) == 2 ** len(each.variables)
        for index, text in enumerate(each.texts):
            values = dict(zip(each.variables, map(int, text), strict=True))
            state = tuple(values[name] for name in world.inputs)
            assert world.states[each.state[index]] == state
            truth = world.evaluate(state)
            assert each.wrong[index] == sum(
                values[name] != truth[name] for name in each.variables if name in truth
            )
            assert each.held_out[index] == (state in random_model.dataset.held_out)
        right = each.wrong == 0
        assert right.sum() == len(world.states)
        # Where nothing is wrong nothing can be told.
        assert not each.is_diagnostic[right].any()
        assert each.follows(0, right).of == 0
        assert each.follows(0, right).share is None


def test_of_too_many_texts_some_are_drawn_with_what_differs_in_one_variable(random_model, monkeypatch):
    whole = measure_routes(random_model)
    assert whole.exhaustive
    monkeypatch.setattr(routes, "MOST_TEXTS", 2 ** len(whole.answers[-1].variables) // 2)
    some = measure_routes(random_model, seed=1)
    assert not some.exhaustive
    for each, every in zip(some.answers, whole.answers, strict=True):
        written = {tuple(text): value for text, value in zip(every.texts, every.written, strict=True)}
        assert [written[tuple(text)] for text in each.texts] == each.written.tolist()
        texts = [tuple(text) for text in each.texts]
        for index in range(len(each.variables)):
            for text, partner in zip(texts, each.partners[index], strict=True):
                other = (*text[:index], 1 - text[index], *text[index + 1 :])
                assert partner == (texts.index(other) if other in texts else -1)
        assert ((each.partners >= 0).all(0)).any(), "some are drawn with all their neighbours"
    assert len(some.answers[-1].texts) < len(whole.answers[-1].texts)
    assert (measure_routes(random_model, seed=1).answers[-1].texts == some.answers[-1].texts).all()


def test_what_is_forced_already_changes_nothing_and_what_is_wrong_is_said(random_model):
    output = random_model.world.outputs[0]
    forced, free = measure_routes(random_model, f"force:{output}=!"), measure_routes(random_model)
    for one, other in zip(forced.answers, free.answers, strict=True):
        assert (one.written == other.written).all()
    with pytest.raises(RequestError, match="L9"):
        measure_routes(random_model, "zero:L9")


def test_in_a_world_without_a_chain_nothing_can_be_told(tmp_path):
    world = parse_world("inputs: P, Q\none = P AND Q\ntwo = NOT Q\nin(P+Q)\n")
    spec = DatasetSpec(world=world, held_out=())
    found = measure_routes(open_model(random_checkpoint(spec, tmp_path / "gpt2"), "cpu"))
    assert found.chains == ()
    for each in found.answers:
        assert len(each.derivations) == 1
        assert not each.is_diagnostic.any()
        assert each.follows(0).share is None
        assert str(each.follows(-1)) == "0 of 0"
        assert each.best == 0


def test_what_is_no_number_follows_no_way_and_has_no_size(second_spec, tmp_path):
    """The same world and weights, but the separators written wherever a number was: no way is followed."""
    model = open_model(random_checkpoint(second_spec, tmp_path / "gpt2"), "cpu")
    ids = [model.template.ids[text] for text in ("0", "1")]
    with torch.no_grad():
        model.network.weights[parse_site("W_E")][ids] = 0.0  # Tied: the scores of 0 and 1 are always 0.
        model.network.weights[parse_site("ln_final.b")].copy_(
            10 * model.network.weights[parse_site("W_E")][model.template.ids[","]]
        )
    for each in measure_routes(model).answers:
        assert (each.written == NO_NUMBER).all()
        assert (each.agreement == 0).all()
        assert (each.influence == 0).all()
        assert np.isnan(each.effect).all()
        assert each.follows(0).holds == each.follows(-1).holds == 0
        assert (each.predicted[0] != each.written).all()
        assert all(each.follows_flip(name).holds == 0 for name in each.variables)
