"""What is shown of routes, held against recounts of the texts that are listed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.analysis.base.presentation import Heatmap, Sentence, Table
from playground.analysis.base.view import View
from playground.analysis.routes.route import measure_routes
from playground.analysis.routes.route_blocks import ROUTES, routes_graph


@pytest.fixture(scope="module")
def found(random_model):
    return measure_routes(random_model)


def tables_of(found, view) -> dict[str, Table]:
    return {each.title: each for each in ROUTES.present(found, view) if isinstance(each, Table)}


def test_influence_is_that_of_the_pairs_that_are_listed(random_model, found):
    world, view = random_model.world, View(random_model)
    model, rules = (each for each in ROUTES.present(found, view) if isinstance(each, Heatmap))
    assert (model.folded, rules.folded) == (False, True)
    for row, answer in enumerate(world.answers):
        before = found.of(answer).variables
        for column, variable in enumerate((*world.inputs, *world.outputs)):
            cases = model.cases(row, column)
            if variable not in before:
                assert cases is None
                assert np.isnan([model.values[row, column], rules.values[row, column]]).all()
                assert model.notes[row][column] == ""
                continue
            changed = [low != high for _, _, low, high, _ in (each.cells for each in cases.rows)]
            by_rules = [len(set(each.cells[-1].split(", "))) == 2 for each in cases.rows]
            assert len(cases.rows) == 2 ** (len(before) - 1)
            assert model.values[row, column] == pytest.approx(np.mean(changed))
            assert rules.values[row, column] == pytest.approx(np.mean(by_rules))
            assert model.notes[row][column] == f"{100 * np.mean(by_rules):.0f}%"
            for case, *changes in zip(cases.rows, changed, by_rules, strict=True):
                assert case.as_expected == (changes[0] == changes[1])


def test_the_graph_has_the_same_numbers(random_model, found):
    graph = routes_graph(found, random_model.world)
    model, rules = (each for each in ROUTES.present(found, View(random_model)) if isinstance(each, Heatmap))
    assert np.array_equal(graph.found, model.values, equal_nan=True)
    assert np.array_equal(graph.expected, rules.values, equal_nan=True)
    assert (*graph.outputs, *graph.counts) == model.rows
    assert (*graph.inputs, *graph.outputs) == model.columns


def test_every_diagnostic_text_is_listed_with_the_route_that_it_took(random_model, found):
    for answer in random_model.world.answers:
        tables = tables_of(found, View(random_model, answer=answer, state=0))
        texts, route = tables[f"texts of {answer}"], found.of(answer)
        if len(route.derivations) == 1:
            assert len(texts.rows) == (route.predicted[0] != route.written).sum()
            assert not any(row.as_expected for row in texts.rows)
            continue
        taken = [row.cells[-1] for row in texts.rows]
        assert len(taken) == route.is_diagnostic.sum()
        for _, _, read, recomputed, written, way in (row.cells for row in texts.rows):
            ways = {read: "read", recomputed: "recomputed"}
            assert read != recomputed
            assert way == ways.get(written, "neither")
        ways = {row.cells[0]: row.cells for row in tables[f"derivations of {answer}"].rows}
        assert ways[route.derivations[0]][3] == f"{taken.count('read')} of {len(taken)}"
        assert ways[route.derivations[-1]][3] == f"{taken.count('recomputed')} of {len(taken)}"
        states = [random_model.world.parse_state(row.cells[0]) for row in texts.rows]
        held_out = [
            way for way, state in zip(taken, states, strict=True) if state in random_model.dataset.held_out
        ]
        counted = f"{held_out.count('read')} of {len(held_out)}" if held_out else "–"
        assert ways[route.derivations[0]][5] == counted


def test_all_derivations_and_variables_are_there(random_model, found):
    for view in (
        View(random_model),
        *(View(random_model, answer=name) for name in random_model.world.answers),
    ):
        tables = tables_of(found, view)
        for route in found.answers if view.answer is None else (found.of(view.answer),):
            names = [row.cells[0] for row in tables[f"influence on {route.answer}"].rows]
            assert names == list(route.variables)
            assert tables[f"influence on {route.answer}"].folded == (view.answer is None)
            shown = [
                row.cells[0]
                for title, table in tables.items()
                if title.endswith(f"derivations of {route.answer}")
                for row in table.rows
            ]
            if view.answer is not None or len(route.derivations) > 1:
                assert set(shown) == set(route.derivations)
            else:
                assert not shown


def test_until_all_texts_are_read_it_says_how_many(random_model, found):
    partial = replace(found, answers=(), written=np.zeros((3, len(random_model.world.answers)), dtype=int))
    (said,) = ROUTES.present(partial, View(random_model))
    assert isinstance(said, Sentence)
    assert said.text.startswith(f"3 of {found.texts:,} texts have been read")
