"""The report: all that was measured is in it, with its certificates, and nothing has to be fetched."""

from __future__ import annotations

import base64
import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from playground.analysis import (
    JUDGED,
    METHODS,
    Circuits,
    Claim,
    Edges,
    Emergence,
    Formulas,
    FreeRunningInterchange,
    Method,
    Share,
    Step,
    find_smallest,
    make_verdict,
    measure_interchange,
    measure_mechanism,
    measure_shapley,
    method_called,
)
from playground.analysis.circuits.circuits import Decoded
from playground.analysis.edges.trials import Trial
from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.models import Site
from playground.report import (
    Drawing,
    Exhibit,
    Section,
    Table,
    chapter_of,
    make_report,
    route_summary_bars,
    routes_diagram,
)
from playground.report.chapters import EXHIBITS
from playground.report.wording import WORDS
from playground.worlds import parse_world
from tests.conftest import random_checkpoint

NAN = float("nan")
SHORT = [method for method in METHODS if not method.is_long and method.name != "formulas"]
ON = "zero:L0.attn@>{answer}"


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, texts by the tag around them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    @cached_property
    def visible(self) -> str:
        """All text that is no script and no style, white space as one blank."""
        return " ".join(" ".join(text for tag, text in self.texts if tag not in ("script", "style")).split())

    @cached_property
    def figures(self) -> list[dict[str, Any]]:
        """The figures' data and layout."""
        return [
            json.loads(text) for tag, text in self.texts if tag == "script" and text.startswith('{"data"')
        ]


def array(value: Any) -> np.ndarray:
    """Return an array as plotly writes it: a list, or base64 with its type and shape."""
    if isinstance(value, dict):
        shape = [int(size) for size in value.get("shape", "-1").split(",")]
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"]).reshape(shape)
    return np.array(value, dtype=float)


def steps_of(model: Model, on: str = "") -> list[tuple[Method, Step]]:
    found = []
    for method in SHORT:
        if not method.unavailable_reason(model.network):
            *_, step = method.run(model, on, None)
            found.append((method, step))
    return found


def section_of(model: Model, on: str = "") -> Section:
    return Section(model, measure_mechanism(model, on), steps_of(model, on))


@pytest.fixture(scope="module")
def on(random_model: Model) -> str:
    return ON.format(answer=random_model.world.answers[-1])


@pytest.fixture(scope="module")
def section(random_model: Model, on: str) -> Section:
    return section_of(random_model, on)


@pytest.fixture(scope="module")
def html(section: Section) -> str:
    return make_report([section], made=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_nothing_is_fetched(html, page):
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        for name, value in attributes.items():
            if name in {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}:
                assert str(value).startswith("#"), (tag, name, value)
            assert name != "style" or "url(" not in str(value)
    styles = "".join(text for tag, text in page.texts if tag == "style")
    assert styles
    assert not re.search(r"url\(|@import|//", styles)
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert str(policy).startswith("default-src 'none';")
    assert "http" not in str(policy)
    assert html.count(get_plotlyjs()) == 1, "plotly.js stands in it once"


def test_what_it_links_to_is_there(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"}
    assert links <= ids
    assert {"verdict", "graph", "claims", "about"} <= links


def test_verdict_claims_and_caveats_are_all_there(page, section):
    mechanism = section.mechanism
    assert mechanism.claims
    assert mechanism.caveats, "a model with random weights has not learnt what it was shown"
    for sentence in (*mechanism.verdict, *mechanism.caveats):
        assert sentence in page.visible
    for claim in mechanism.claims:
        assert f"{claim.text} holds on {claim.share} {claim.cases}" in page.visible
        for text in claim.counterexamples:
            assert text in page.visible
    counted = [len(claim.counterexamples) for claim in mechanism.claims if claim.counterexamples]
    assert re.findall(r"(\d+) counterexample", page.visible) == [str(count) for count in counted]


def test_what_the_model_is_and_ran_under_is_said(page, section, on):
    model, board = section.model, section.model.board(on)
    for right, of in board.tally.values():
        assert f"{right} of {of}" in page.visible
    assert f"Interventions in force {on}" in page.visible
    assert " ".join(model.world.text.split()) in page.visible
    for state in model.dataset.held_out:
        assert ",".join(map(str, state)) in page.visible
    assert "2026-03-04 05:06 UTC" in page.visible
    assert re.search(r"the-experiment \d+\.\d+", page.visible)
    assert re.search(r"torch \d+\.\d+", page.visible)


def test_the_command_makes_it_again(page, section, on):
    (line,) = [text for tag, text in page.texts if tag == "pre" and text.startswith("the-experiment")]
    words = shlex.split(line)
    assert words[:2] == ["the-experiment", "mechanism"]
    assert words[words.index("--name") + 1] == section.model.checkpoint.folder.parent.name
    assert words[words.index("--model") + 1] == section.model.name
    assert words[words.index("--on") + 1] == on
    assert "--method" not in words, "what takes seconds is measured anyway"


def test_methods_are_there_with_question_how_and_what_misleads_and_others_are_named(page, section):
    measured = {method.name for method, _ in section.steps}
    for method in METHODS:
        assert (method.question in page.visible) == (method.name in measured)
        assert (WORDS[method.name].misleads in page.visible) == (method.name in measured)
        assert method.title in page.visible
    for method in METHODS:
        if method.name not in measured:
            assert method.title in page.visible.partition("Not measured")[2]


def test_every_method_has_words_and_exhibits():
    assert {method.name for method in METHODS} == set(WORDS) == set(EXHIBITS)


def test_figures_have_the_numbers_that_were_measured(page, section):
    routes = {method.name: step.result for method, step in section.steps}["routes"]
    grids = [
        array(trace["z"]) for figure in page.figures for trace in figure["data"] if trace["type"] == "heatmap"
    ]
    world = section.model.world
    influence = np.full((len(world.answers), len(world.inputs) + len(world.outputs)), NAN)
    for row, route in enumerate(routes.answers):
        influence[row, : len(route.variables)] = route.influence
    assert np.array_equal(grids[0], influence, equal_nan=True)
    lens = {method.name: step.result for method, step in section.steps}["lens"]
    lines = [
        array(trace["y"]) for figure in page.figures for trace in figure["data"] if trace["type"] == "scatter"
    ]
    for index in range(len(lens.answers)):
        assert any(
            len(line) == len(lens.parts) and np.allclose(line, lens.accuracy_seen[index]) for line in lines
        )


def test_diagram_and_route_summary_are_those_of_the_model(html, section):
    routes = section.steps[0][1].result
    assert routes_diagram(section.model, routes).svg in html
    assert route_summary_bars(section.mechanism).svg in html
    route = routes.answers[0]
    for name, strength in zip(route.variables, route.influence, strict=True):
        said = f"{name} on {route.answer}: {strength:.2f}"
        assert (said in html) == (
            strength >= 0.05 or route.world_influence[route.variables.index(name)] >= 0.05
        )


def test_what_people_wrote_is_escaped(section):
    evil = '</script><script>alert("x")</script><img src=http://example.org onerror=alert(1)>'
    mechanism = replace(section.mechanism, claims=(Claim(evil, evil, Share(1, 2), (evil,)),), caveats=(evil,))
    left = [(method_called("circuits"), evil)]
    html = make_report([Section(section.model, mechanism, section.steps, left)], command=evil)
    before = Page(make_report([section]))
    page = Page(html)
    assert page.visible.count('alert("x")') == 6
    for tag in ("script", "img"):
        assert sum(each == tag for each, _ in page.tags) == sum(each == tag for each, _ in before.tags)


def test_a_measurement_that_is_not_done_says_so(random_model):
    world = random_model.world
    patching = method_called("patching")
    steps = measure_interchange(
        random_model,
        sites=[Site(0, part="mlp"), Site(1, part="mlp")],
        tokens=[world.inputs[0], world.outputs[0]],
        neighbours_only=True,
    )
    result = next(steps)
    chapter = chapter_of(patching, Step(result, *result.progress), random_model)
    assert chapter.progress == "2 of 4 measured so far."
    grid = array(chapter.exhibits[0].figure.data[0].z)
    assert np.isnan(grid[1]).all(), "what has not been measured is empty"
    (routes,) = method_called("routes").run(random_model, "", None)
    mechanism = make_verdict(world, routes.result)
    html = make_report([Section(random_model, mechanism, [(patching, Step(result, 2, 4))])])
    assert "2 of 4 measured so far." in Page(html).visible
    assert "--method patching" in Page(html).visible


def test_recovered_effects_and_accuracies_stand_at_their_parts_and_tokens(random_model):
    world = random_model.world
    sites = [Site(part="embed"), Site(0, part="mlp"), Site(0, head=1)]
    *_, result = measure_interchange(
        random_model, sites=sites, tokens=[world.inputs[0], f">{world.answers[-1]}"]
    )
    patched = chapter_of(method_called("patching"), Step(result, 1, 1), random_model).exhibits
    # Heads stand before what they are a part of.
    order = [0, 2, 1]
    for answer in world.answers:
        exhibit = next(each for each in patched if each.caption.startswith(f"{answer}:"))
        assert isinstance(exhibit, Drawing)
        assert list(exhibit.figure.layout.yaxis.ticktext) == ["embed", "L0H1", "L0.mlp"]
        expected = result.mean_recovered(answer)[order]
        assert np.allclose(array(exhibit.figure.data[0].z), expected, equal_nan=True)
    exchanged = chapter_of(method_called("interchange"), Step(result, 1, 1), random_model).exhibits
    tables = [each for each in exchanged if isinstance(each, Table)]
    assert tables
    for table in tables:
        assert table.rows
        for row in table.rows:
            assert row[5] == pytest.approx(row[3] / row[4])


def exhibits_of(name: str, result: Any, model: Model) -> tuple[Exhibit, ...]:
    return chapter_of(method_called(name), Step(result, 1, 1), model).exhibits


def head_values(figure: Any) -> list[np.ndarray]:
    return [array(trace.z) for trace in figure.data]


@pytest.fixture
def circuits(random_model: Model) -> Circuits:
    """Return made-up circuits of three heads in two layers."""
    world = random_model.world
    subsets = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(bool)
    targets = (*world.answers, "everything")
    right = np.random.default_rng(0).integers(
        0, 256, (8, len(targets), -(-len(world.states) // 8)), dtype=np.uint8
    )
    right[7] = 255
    return Circuits(
        model=random_model.name,
        interventions=(),
        heads=("L0H0", "L0H1", "L1H0"),
        targets=targets,
        held_out=random_model.baseline.held_out,
        exhaustive=True,
        subsets=subsets,
        orders=np.zeros((0, 3), dtype=np.int64),
        right=right,
        done=np.ones(8, dtype=bool),
        decoded=Decoded(np.arange(2, 8), np.roll(right, 1, axis=0)[2:]),
    )


def test_circuits_show_the_smallest_sets_the_worth_of_heads_and_the_best_of_each_size(circuits, random_model):
    table, *drawings = exhibits_of("circuits", circuits, random_model)
    assert isinstance(table, Table)
    assert [row[:4] for row in table.rows] == [
        (each.target, each.states, each.size, each.count) for each in find_smallest(circuits)
    ]
    assert JUDGED in table.caption
    column = table.columns.index("right when decoded")
    assert [row[column] for row in table.rows] == [each.decoded_in_words for each in find_smallest(circuits)]
    assert any(row[column] != "–" for row in table.rows)
    shapley = measure_shapley(circuits)
    assert shapley.held_out is not None
    for index, target in enumerate(circuits.targets):
        worth, best = (
            each.figure
            for each in drawings
            if isinstance(each, Drawing) and each.caption.startswith(f"{target}:")
        )
        for found, shares in zip(head_values(worth), (shapley.seen, shapley.held_out), strict=True):
            first, second, third = shares.values[:, index]
            assert np.array_equal(found, [[first, second], [third, NAN]], equal_nan=True)
        right = circuits.right_in(index)
        for size in range(4):
            of_size = [row for row in range(8) if circuits.subsets[row].sum() == size]
            seen = {row: right[row][~circuits.held_out].mean() for row in of_size}
            most = max(seen.values())
            held_out = np.mean([right[row][circuits.held_out].mean() for row in of_size if seen[row] == most])
            expected = [most, np.mean(list(seen.values())), held_out]
            assert np.allclose([line.y[size] for line in best.data], expected)


def test_circuits_on_the_way_have_no_worth_yet(circuits, random_model):
    half = replace(circuits, done=np.arange(8) >= 4)
    table, *drawings = exhibits_of("circuits", half, random_model)
    assert isinstance(table, Table)
    assert len(drawings) == len(circuits.targets)
    assert np.isnan(drawings[0].figure.data[0].y[0]), "the empty set has not been measured"


def test_edges_show_the_largest_and_what_circuits_of_them_keep(random_model):
    answers = random_model.world.answers
    scores = np.zeros((len(answers), 1, 2, 2))
    scores[-1, 0] = [[0.5, -2.0], [1.0, 0.0]]
    trials = tuple(
        Trial(answers[-1], edges, 4, 0.25 * edges, 0.5 * edges, 0.5, 1.0, 1.0, None) for edges in (1, 2)
    )
    edges = Edges(
        model=random_model.name,
        interventions=(),
        answers=answers,
        writers=("embed",),
        readers=("L0.mlp", "logits"),
        positions=("A", ">p"),
        steps=5,
        sizes=(1, 2),
        scored=np.ones(len(answers), dtype=bool),
        pairs=np.full(len(answers), 8),
        gap=np.full(len(answers), 3.0),
        exists=np.ones(scores.shape, dtype=bool),
        scores=scores,
        trials=trials,
    )
    found = [
        each
        for each in exhibits_of("edges", edges, random_model)
        if each.caption.startswith(f"{answers[-1]}:")
    ]
    drawing, table = found
    assert isinstance(drawing, Drawing)
    assert isinstance(table, Table)
    assert {line.name: list(line.y) for line in drawing.figure.data} == {
        "recovered": [0.5, 1.0],
        "estimated by scores": [0.25, 0.5],
        "pairs right": [0.5, 0.5],
    }
    assert list(drawing.figure.data[0].x) == [1, 2]
    assert table.rows[:2] == (("embed", "L0.mlp", ">p", -2.0), ("embed", "logits", "A", 1.0))


def test_formulas_stand_where_the_answer_is_written(random_model):
    answer = random_model.world.answers[-1]
    states = len(random_model.world.states)
    rows = [
        ("L0H0", f">{answer}", "NOT D", 1, 0.99),
        ("L1H0", answer, "A", 1, 0.98),
        ("L2H0", f">{answer}", "NOT D", 1, 0.95),
        ("L2H1", f">{answer}", "A OR D", 2, 0.7),
        ("L2H2", f">{answer}", "NOT D", 1, 0.6),
        ("L2H3", f">{answer}", "constant", 0, 0.0),
    ]
    parts, positions, texts, literals, explained = zip(*rows, strict=True)
    formulas = Formulas(
        model=random_model.name,
        interventions=(),
        inputs=random_model.world.inputs,
        candidates=100,
        chance=0.2,
        parts=parts,
        positions=positions,
        formulas=texts,
        literals=np.array(literals),
        operators=np.zeros(6, dtype=int),
        explained=np.array(explained),
        exact=np.zeros(6, dtype=bool),
        captured=np.ones(6),
        values=np.zeros((6, states), dtype=np.float32),
        spectrum=np.zeros((6, states)),
    )
    written, stands = exhibits_of("formulas", formulas, random_model)
    assert isinstance(written, Drawing)
    assert isinstance(stands, Drawing)
    (bars,) = (trace for trace in written.figure.data if trace.type == "bar")
    assert list(bars.text) == ["NOT D  0.99", "A OR D  0.70"], "what is constant computes nothing"
    assert list(bars.customdata) == ["L0H0 + 1", "L2H1"], "one other is explained well"
    assert list(stands.figure.data[0].text) == ["A  0.98"]
    assert (written.folded, stands.folded) == (False, True)


def test_free_decoding_stands_beside_the_bases_own_text(random_model):
    answer = random_model.world.answers[-1]
    free = FreeRunningInterchange(
        model=random_model.name,
        interventions=(),
        variables=("A", "newB"),
        kinds=("input", "written"),
        answers=(answer, answer),
        sites=("embed", "L0.mlp"),
        tokens=("A", "newB"),
        counted=np.array([8, 4]),
        right=np.array([7, 2]),
        free_counted=np.array([6, 0]),
        free_right=np.array([5, 0]),
        done=np.array([True, False]),
    )
    (table,) = exhibits_of("free", free, random_model)
    assert isinstance(table, Table)
    assert table.texts == (
        ("A (input)", answer, "embed", "A", "7 of 8", "5 of 6"),
        ("newB (as written)", answer, "L0.mlp", "newB", "2 of 4", "–"),
    )


def test_emergence_shows_routes_and_exchanges_after_so_many_steps(random_model):
    emergence = Emergence(
        model=random_model.name,
        interventions=(),
        steps=(0, 800),
        answers=("p",),
        read=np.array([[0.25], [1.0]]),
        recomputed=np.array([[0.5], [0.0]]),
        variables=(("A", "p"), ("q", "p")),
        exchanged=np.array([[0.0, NAN], [0.5, 1.0]]),
        seen=np.array([0.0, 1.0]),
        held_out=np.array([0.0, 0.5]),
        by_answer=np.zeros((2, len(random_model.world.answers))),
        done=np.ones(2, dtype=bool),
    )
    curves, grid = exhibits_of("emergence", emergence, random_model)
    assert isinstance(curves, Drawing)
    assert isinstance(grid, Drawing)
    assert {line.name: list(line.y) for line in curves.figure.data}["read"] == [0.25, 1.0]
    assert np.array_equal(array(grid.figure.data[0].z), emergence.exchanged.T, equal_nan=True)
    assert list(grid.figure.layout.yaxis.ticktext) == ["p follows A", "p follows q"]
    assert list(grid.figure.layout.xaxis.ticktext) == ["0", "800"]


def test_a_baseline_has_its_report_and_what_it_lacks_is_said(random_baseline):
    routes = method_called("routes")
    (step,) = routes.run(random_baseline, "", None)
    mechanism = make_verdict(random_baseline.world, step.result)
    page = Page(make_report([Section(random_baseline, mechanism, [(routes, step)])]))
    for method in METHODS:
        lack = method.unavailable_reason(random_baseline.network)
        if lack:
            assert f"{method.title}: {lack}" in page.visible
    assert page.figures


def test_two_models_stand_beside_each_other(section, random_model):
    (step,) = method_called("routes").run(random_model, "", None)
    mechanism = make_verdict(random_model.world, step.result)
    clean = Section(random_model, mechanism, [(method_called("routes"), step)])
    page = Page(make_report([section, clean]))
    (on,) = section.mechanism.interventions
    labels = [f"{random_model.name} under {on}", f"{random_model.name} under no intervention"]
    assert f"How {labels[0]} and {labels[1]} compute" in page.visible
    title = next(text for tag, text in page.texts if tag == "title")
    assert title == f"How {labels[0]} and {labels[1]} compute"
    lens = page.visible.partition(WORDS["lens"].misleads)[2]
    assert lens.index(labels[0]) < lens.index(labels[1]) < lens.index("Not measured.")
    commands = [text for tag, text in page.texts if tag == "pre" and text.startswith("the-experiment")]
    assert [line.count("--on") for line in commands[0].split("\n")] == [1, 0]


def test_a_world_without_chains_has_a_report(tmp_path):
    spec = DatasetSpec(world=parse_world("y = P AND Q\nz = NOT P\n"), held_out=())
    model = open_model(random_checkpoint(spec, tmp_path / "models" / "flat" / "gpt2"), "cpu")
    page = Page(make_report([section_of(model)]))
    assert "There is no answer here that could come about in more than one way." in page.visible
    assert "none were held out" in page.visible
    assert page.figures


def test_what_the_page_is_made_of_is_in_the_package():
    for name in ("report.html.jinja", "report.css", "report.js"):
        assert files("playground.report").joinpath(name).is_file()
