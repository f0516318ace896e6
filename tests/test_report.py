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
    METHODS,
    Claim,
    Method,
    Share,
    Step,
    make_verdict,
    measure_interchange,
    measure_mechanism,
    method_called,
)
from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.models import Site
from playground.report import Section, make_report, route_summary_bars, routes_diagram
from playground.worlds import parse_world
from tests.conftest import random_checkpoint

NAN = float("nan")
SHORT = [method for method in METHODS.values() if not method.is_long and method.name != "formulas"]
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
    for method in METHODS.values():
        assert (method.question in page.visible) == (method.name in measured)
        assert (method.caution in page.visible) == (method.name in measured)
        assert method.title in page.visible
    for method in METHODS.values():
        if method.name not in measured:
            assert method.title in page.visible.partition("Not measured")[2]


def test_figures_have_the_numbers_that_were_measured(page, section):
    routes = {method.name: step.result for method, step in section.steps}["routes"]
    grids = [
        array(trace["z"]) for figure in page.figures for trace in figure["data"] if trace["type"] == "heatmap"
    ]
    world = section.model.world
    influence = np.full((len(world.answers), len(world.inputs) + len(world.outputs)), NAN)
    for row, route in enumerate(routes.answers):
        influence[row, : len(route.variables)] = route.influence
    assert any(
        grid.shape == influence.shape and np.array_equal(grid, influence, equal_nan=True) for grid in grids
    )
    lens = {method.name: step.result for method, step in section.steps}["lens"]
    assert any(grid.shape == lens.accuracy.T.shape and np.allclose(grid, lens.accuracy.T) for grid in grids)
    lines = [
        array(trace["y"]) for figure in page.figures for trace in figure["data"] if trace["type"] == "scatter"
    ]
    for index in range(len(lens.answers)):
        mean = lens.margin[index][:, ~lens.held_out].mean(1)
        assert any(len(line) == len(mean) and np.allclose(line, mean) for line in lines)


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
    (routes,) = method_called("routes").run(random_model, "", None)
    mechanism = make_verdict(world, routes.result)
    page = Page(make_report([Section(random_model, mechanism, [(patching, Step(result, *result.progress))])]))
    assert "2 of 4 measured so far." in page.visible
    assert "--method patching" in page.visible
    grid = array(page.figures[0]["data"][0]["z"])
    assert np.isnan(grid[1]).all(), "what has not been measured is empty"


def test_a_baseline_has_its_report_and_what_it_lacks_is_said(random_baseline):
    routes = method_called("routes")
    (step,) = routes.run(random_baseline, "", None)
    mechanism = make_verdict(random_baseline.world, step.result)
    page = Page(make_report([Section(random_baseline, mechanism, [(routes, step)])]))
    for method in METHODS.values():
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
    lens = page.visible.partition(method_called("lens").caution)[2]
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
