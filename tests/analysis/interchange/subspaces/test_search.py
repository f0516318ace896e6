"""A subspace for every variable: where it is looked for, what is learned there, and how it is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.analysis import Store, to_document
from playground.analysis.base.presentation import Sentence, Table
from playground.analysis.base.share import Share
from playground.analysis.base.view import View
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.alignment import align
from playground.analysis.interchange.subspaces.blocks import SUBSPACES, shares_of_units, subspace_blocks
from playground.analysis.interchange.subspaces.search import Subspaces
from playground.analysis.interchange.subspaces.subspace import Subspace, measure_subspace
from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.worlds import World, causal_variables, parse_world
from tests.conftest import random_checkpoint

RULES = "inputs: X, Y, Z\nmid = NOT X\nlast = mid AND Z\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    return make(parse_world(RULES), tmp_path_factory.mktemp("gpt2"), "gpt2")


def make(world: World, folder, architecture: str) -> Model:
    spec = DatasetSpec(world=world, held_out=())
    return open_model(random_checkpoint(spec, folder / "run", architecture=architecture), "cpu")


@pytest.fixture(scope="module")
def store(model, tmp_path_factory) -> Store:
    return Store(model, (), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def found(model, store) -> Subspaces:
    *_, last = SUBSPACES.run(model, (), store)
    assert last.done == last.of
    return last.result


def test_a_subspace_is_looked_for_where_interchange_is_best_behind_the_embeddings(model, store, found):
    step = INTERCHANGE.load(model, (), store)
    assert step is not None
    measured = step.result
    expected = [each for each in align(model.world, measured) if each.counted]
    names = [(each.variable, each.kind, each.answer) for each in expected]
    assert [(each.variable, each.kind, each.answer) for each in found.candidates] == names
    for each, alignment in zip(found.candidates, expected, strict=True):
        last = model.template.positions[each.answer]
        best = max(
            alignment.right[site, token]
            for site, name in enumerate(measured.sites)
            for token in range(last)
            if name != "embed"
        )
        site, token = measured.sites.index(each.site), measured.tokens.index(each.token)
        assert each.site != "embed"
        assert token < last
        assert alignment.right[site, token] == best


def test_it_is_the_one_that_is_learned_there_alone(model, found):
    learned = [each for each in found.candidates if each.subspace is not None]
    candidate = learned[-1]
    (variable,) = [each for each in causal_variables(model.world) if each.name == candidate.variable]
    alone = measure_subspace(model, variable, candidate.answer, candidate.site, candidate.token)
    assert to_document(candidate.subspace) == to_document(alone)
    for each in found.candidates:
        assert each.is_done
        assert each.subspace is not None or "too few pairs" in each.reason


def test_what_was_begun_is_continued(model, found, tmp_path):
    store = Store(model, (), tmp_path)
    steps = SUBSPACES.run(model, (), store)
    waiting = next(steps)
    assert (waiting.result.waiting, waiting.done, waiting.of) == (True, 0, 1)
    (said,) = SUBSPACES.present(waiting.result, View(model))
    assert said.text == "Interchange accuracy has to be measured first."
    while next(steps).done < 2:
        pass
    steps.close()
    kept = SUBSPACES.load(model, (), store)
    assert kept is not None
    assert (kept.done, kept.of) == (2, len(found.candidates))
    *_, last = SUBSPACES.run(model, (), store)
    assert to_document(last.result) == to_document(found)
    again = SUBSPACES.load(model, (), store)
    assert again is not None
    assert to_document(again.result) == to_document(found)


def test_tables_have_what_was_counted(model, found):
    for answer in model.world.answers:
        table, *others = SUBSPACES.present(found, View(model, answer=answer))
        meant = [each for each in found.candidates if each.answer == answer]
        assert isinstance(table, Table)
        assert not table.folded
        for row, each in zip(table.rows, meant, strict=True):
            shown = dict(zip([column.name for column in table.columns], row.cells, strict=True))
            assert (shown["part"], shown["token"]) == (each.site, each.token)
            assert (row.selects.part, row.selects.token, row.selects.answer) == (
                each.site,
                each.token,
                answer,
            )
            if each.subspace is not None:
                assert shown["subspace"] == f"{each.subspace.test.holds} of {each.subspace.test.of}"
                assert shown["whole part"] == str(each.subspace.whole)
                assert shown["shuffled labels"] == str(each.subspace.control)
                assert shown["dimensions"] == f"2 of {each.subspace.basis.shape[1]}"
        cautions = [each for each in others if isinstance(each, Sentence) and each.is_caution]
        off = [each for each in meant if each.subspace is not None and each.subspace.off_the_states]
        assert len(cautions) == len(off)
        reasons = [each for each in others if isinstance(each, Sentence) and not each.is_caution]
        assert len(reasons) == sum(bool(each.reason) for each in meant)
    whole = [each.title for each in SUBSPACES.present(found, View(model)) if isinstance(each, Table)]
    assert [f"subspaces for {answer}" for answer in model.world.answers] == [
        each for each in whole if each.startswith("subspaces")
    ]


def one(found: Subspaces) -> Subspace:
    return next(each.subspace for each in found.candidates if each.subspace is not None)


def test_units_are_those_that_an_exchange_changes_most(found):
    subspace = one(found)
    shares = shares_of_units(subspace)
    projector = subspace.basis.T @ subspace.basis
    np.testing.assert_allclose(shares, np.linalg.norm(projector, axis=0) ** 2, atol=1e-5)
    assert shares.sum() == pytest.approx(2, abs=1e-4)
    *_, table = subspace_blocks([subspace])
    (row,) = table.rows
    largest = int(shares.argmax())
    assert row.cells[3].startswith(f"{largest} ({shares[largest]:.2f}), ")
    count = row.cells[4]
    ordered = np.sort(shares)[::-1]
    assert ordered[:count].sum() >= shares.sum() / 2 > ordered[: count - 1].sum()


def test_directions_that_do_what_the_whole_part_does_not_have_a_caution(found):
    none, some = Share(0, 8), Share(5, 8)
    off = replace(one(found), test=some, whole=none, unpatched=none)
    blocks = list(subspace_blocks([off, replace(off, whole=some)]))
    (caution,) = [each for each in blocks if isinstance(each, Sentence)]
    assert caution.is_caution
    assert f"{off.site} at {off.token}: exchanging the whole part changes no answer" in caution.text
    assert list(subspace_blocks([])) == []


def test_figures_have_all_subspaces(model, found):
    figures = SUBSPACES.figures(found, model)
    learned = [each.subspace for each in found.candidates if each.subspace is not None]
    assert figures["subspaces"] == to_document(learned)
    assert len(figures["left_out"]) == len(found.candidates) - len(learned)
    started = replace(
        found, candidates=tuple(replace(each, subspace=None, reason="") for each in found.candidates)
    )
    left_out = SUBSPACES.figures(started, model)["left_out"]
    assert {each["reason"] for each in left_out} == {"not measured"}


def test_where_nothing_changes_there_is_nothing_to_learn(tmp_path):
    world = parse_world("inputs: X, Y\nsame = 1\nboth = X AND same\n")
    *_, last = SUBSPACES.run(make(world, tmp_path, "rnn"), (), None)
    reasons = {(each.variable, each.answer): each.reason for each in last.result.candidates}
    assert last.done == last.of == len(reasons)
    # Of four states one is left to judge by: there is no pair.
    assert set(reasons.values()) == {"too few pairs of states to learn from"}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["rnn", "cnn", "mann"])
def test_of_all_architectures(tmp_path, architecture):
    model = make(parse_world(RULES), tmp_path, architecture)
    *_, last = SUBSPACES.run(model, (), None)
    assert last.done == last.of > 0
    assert len(list(SUBSPACES.present(last.result, View(model)))) >= len(model.world.answers)
