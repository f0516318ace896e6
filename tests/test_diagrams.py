"""Diagrams: every number stands where it belongs, nothing lies on anything else, and nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from playground.plots import draw_dependencies, draw_route_summaries, draw_routes, draw_routes_apart
from playground.plots.layers import GAP, Box, lay_out
from playground.plots.routes import COLOURS
from playground.worlds import World, parse_world, structure_of
from tests.conftest import SECOND_RULES

NAN = float("nan")


def parts(picture: ET.Element, kind: str) -> list[ET.Element]:
    return picture.findall(f".//{{*}}{kind}")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314


def panels(picture: ET.Element) -> list[ET.Element]:
    """Return the two graphs."""
    return [group for group in picture.findall("{*}g") if "transform" in group.attrib]


def titles(panel: ET.Element, kind: str) -> dict[str, ET.Element]:
    """Return lines (`path`) or numbers (`g`) by what they say when pointed at."""
    return {str(each.findtext("{*}title")): each for each in panel.findall(f"{{*}}{kind}")}


def small_graph(**words: Sequence[str]) -> tuple[ET.Element, ET.Element]:
    # x and y are read by p; q reads p. The model does without p, and takes x instead.
    world = np.array([[0.5, 0.25, NAN, NAN], [0.0, 0.0, 1.0, NAN]])
    model = np.array([[0.5, 0.25, NAN, NAN], [0.75, 0.03, 0.02, NAN]])
    by_rules, found = panels(parsed(draw_routes(["x", "y"], ["p", "q"], [], world, model, **words)))
    return by_rules, found


def test_apart_they_are_what_they_are_together():
    arguments = random_influences(5, 4, 2, 0)
    together = parsed(draw_routes(*arguments))
    by_rules, found, legend = map(parsed, draw_routes_apart(*arguments))
    for panel, alone in zip(panels(together), (by_rules, found), strict=True):
        (graph,) = alone.findall("{*}g")
        assert [ET.tostring(each) for each in graph] == [ET.tostring(each) for each in panel]
    words = {each.text for each in legend.findall("{*}text")}
    assert words <= {each.text for each in together.findall("{*}text")}
    width = float(by_rules.attrib["viewBox"].split()[2])
    rows = [float(each.attrib["y"]) for each in legend.findall("{*}text")]
    assert len(set(rows)) > 1, "a legend that is wider than a graph has several rows"
    assert float(legend.attrib["viewBox"].split()[2]) <= width
    assert max(rows) < float(legend.attrib["viewBox"].split()[3])


def test_edges_have_their_numbers():
    by_rules, found = small_graph()
    assert set(titles(by_rules, "path")) == {
        "x on p: 0.50, as in the rules",
        "y on p: 0.25, as in the rules",
        "p on q: 1.00, as in the rules",
    }
    assert set(titles(found, "path")) == {
        "x on p: 0.50, as in the rules",
        "y on p: 0.25, as in the rules",
        "x on q: 0.75, in the model, not in the rules",
        "p on q: 0.02, in the rules, but under 0.05 in the model",
    }, "an edge below 0.05 that no rule has is not drawn"
    chips = titles(found, "g")
    assert {name.split(":")[0] for name in chips} == {"x on q", "p on q"}, (
        "p reads no output: its edges are faint"
    )
    assert [
        "".join(text.itertext())
        for text in parts(chips["x on q: 0.75, in the model, not in the rules"], "text")
    ] == [
        "x",
        "0.75",
    ]


def test_long_names_are_cut_and_told_where_they_are_pointed_at():
    world = np.array([[0.5, NAN, NAN], [0.0, 1.0, NAN]])
    long = "something_that_has_a_very_long_name"
    by_rules, _ = panels(parsed(draw_routes(["x"], [long, "q"], [], world, world)))
    boxes = titles(by_rules, "g")
    assert "".join(parts(boxes[long], "text")[0].itertext()) == "something_that_has…ame"
    assert "".join(parts(boxes[f"{long} on q: 1.00, as in the rules"], "text")[0].itertext()) == "someth…ame"


def test_edges_of_chosen_answers_have_numbers():
    _, found = small_graph(answers=["p"])
    assert {name.split(":")[0] for name in titles(found, "g")} == {"x on p", "y on p"}


def test_what_differs_is_told_by_colour_and_by_dashes():
    _, found = small_graph(answers=["p", "q"])
    styles = {name.split(", ", 1)[1]: line.attrib["style"] for name, line in titles(found, "path").items()}
    dashes = {meaning: re.search(r"stroke-dasharray: ([^;]+)", style)[1] for meaning, style in styles.items()}
    assert len(styles) == len(set(dashes.values())) == 3
    assert dashes["as in the rules"] == "none"
    for kind, meaning in (("same", "as in the rules"), ("extra", "in the model, not in the rules")):
        assert f"stroke: {COLOURS[kind]}" in styles[meaning]


def test_a_stronger_edge_is_wider():
    by_rules, _ = small_graph(answers=["p", "q"])
    widths = {
        name.split(":")[0]: float(re.search(r"stroke-width: ([\d.]+)", line.attrib["style"])[1])
        for name, line in titles(by_rules, "path").items()
    }
    assert widths["y on p"] < widths["x on p"] < widths["p on q"]


def random_influences(
    inputs: int, outputs: int, counts: int, seed: int
) -> tuple[list[str], list[str], list[str], np.ndarray, np.ndarray]:
    """Return a world in which some outputs read others, and a model that does half of it in another way."""
    draw = np.random.default_rng(seed)
    before = np.array([inputs + min(row, outputs) for row in range(outputs + counts)])
    there = np.arange(inputs + outputs) < before[:, None]
    world = np.where(draw.random(there.shape) < 3 / before[:, None], 0.5, 0.0)
    world[outputs:, inputs:] = 1.0
    model = np.where(
        draw.random(there.shape) < 0.5, world, draw.random(there.shape) * (draw.random(there.shape) < 0.3)
    )
    names = [f"in{index}" for index in range(inputs)], [f"out{index}" for index in range(outputs)]
    return (
        *names,
        [f"sum{index}" for index in range(counts)],
        *(np.where(there, each, NAN) for each in (world, model)),
    )


@pytest.mark.parametrize(("inputs", "outputs", "counts"), [(5, 4, 2), (3, 2, 0), (1, 1, 0), (10, 10, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_lies_on_anything_else(inputs, outputs, counts, seed):
    picture = parsed(draw_routes(*random_influences(inputs, outputs, counts, seed)))
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    for panel in panels(picture):
        right, down = map(float, re.findall(r"[\d.]+", panel.attrib["transform"]))
        boxes = panel.findall("{*}rect")
        assert len(boxes) == inputs + outputs + counts
        for frames in (boxes, [chip.find("{*}rect") for chip in panel.findall("{*}g")]):
            corners = [
                (
                    x := float(each.attrib["x"]),
                    y := float(each.attrib["y"]),
                    x + float(each.attrib["width"]),
                    y + float(each.attrib["height"]),
                )
                for each in frames
            ]
            for one, other in combinations(corners, 2):
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, (one, other)
            for left, top, end, bottom in corners:
                assert left + right >= 0
                assert top + down >= 0
                assert end + right <= width
                assert bottom + down <= height


@pytest.mark.parametrize("seed", range(5))
def test_no_edge_leads_behind_a_box(seed):
    draw = np.random.default_rng(seed)
    boxes = [
        Box(f"{level}.{index}", level, float(draw.integers(30, 200)))
        for level in range(4)
        for index in range(5)
    ]
    edges = [
        (upper.name, lower.name)
        for upper, lower in combinations(boxes, 2)
        if upper.level < lower.level and draw.random() < 0.3
    ]
    layout = lay_out(boxes, edges)
    for level in range(4):
        inside = [box for box in boxes if box.level == level]
        ends = sorted(
            (layout.centres[box.name] - box.width / 2, layout.centres[box.name] + box.width / 2)
            for box in inside
        )
        assert all(other[0] - one[1] >= GAP - 1e-6 for one, other in pairwise(ends))
        passing = [
            bends[level - int(source[0]) - 1]
            for (source, target), bends in layout.bends.items()
            if int(source[0]) < level < int(target[0])
        ]
        assert all(x < left or right < x for x in passing for left, right in ends)
    assert set(layout.bends) == set(edges)
    first = [layout.centres[box.name] for box in boxes if box.level == 0]
    assert first == sorted(first), "inputs stand in the order of the text"


def test_a_chain_is_straight():
    boxes = [Box(name, level, 40.0) for level, name in enumerate("abc")]
    layout = lay_out(boxes, [("a", "b"), ("b", "c")])
    assert layout.centres == {"a": 20, "b": 20, "c": 20}
    assert layout.width == 40


def test_crossings_that_need_not_be_are_not_there():
    boxes = [Box(name, 0, 30.0) for name in "abc"] + [Box(name, 1, 30.0) for name in "xyz"]
    layout = lay_out(boxes, [("a", "z"), ("b", "y"), ("c", "x")])
    assert layout.centres["z"] < layout.centres["y"] < layout.centres["x"]


def test_a_diagram_can_be_read_aloud_and_fetches_nothing():
    text = draw_routes(
        ["x"], ["p<q"], [], np.array([[1.0, NAN]]), np.array([[0.0, NAN]]), titles=("a & b", "c")
    )
    picture = parsed(text)
    assert picture.attrib["role"] == "img"
    assert picture.findtext("{*}title") == picture.attrib["aria-label"]
    assert picture.findtext("{*}desc") == (
        "a & b: p<q depends on x 1.00. c: p<q depends on x 0.00 (in the rules, but under 0.05 in the model)."
    )
    assert re.findall(r"https?://\S+|url\(|href|src", text) == ['http://www.w3.org/2000/svg"']
    assert "currentColor" in text


def test_the_default_world_has_its_boxes(world: World):
    names, variables = world.answers, (*world.inputs, *world.outputs)
    influence = np.array(
        [[float(name in world.dependencies[answer]) for name in variables] for answer in names]
    )
    for row, answer in enumerate(names):
        before = world.outputs.index(answer) if answer in world.outputs else len(world.outputs)
        influence[row, len(world.inputs) + before :] = NAN
    counts = tuple(count.name for count in world.counts)
    text = draw_routes(world.inputs, world.outputs, counts, influence, influence)
    for panel in panels(parsed(text)):
        lines = {name.split(":")[0] for name in titles(panel, "path")}
        assert lines == {f"{name} on {answer}" for answer in names for name in world.dependencies[answer]}
        y = {text.text: float(text.attrib["y"]) for text in panel.findall("{*}text")}
        assert all(y[name] < y[answer] for answer in names for name in world.dependencies[answer])


def test_a_route_summary_has_its_shares():
    counts = np.array([[[1, 2, 1], [0, 0, 0]], [[4, 0, 0], [2, 1, 1]]])
    text = draw_route_summaries(["p", "q"], counts, 25 * counts)
    picture = parsed(text)
    bars = titles(picture, "g")
    assert list(bars) == [
        "p, all: read 25 %, recomputed 50 %, neither 25 %",
        "q, all: read 100 %, recomputed 0 %, neither 0 %",
        "q, held out: read 50 %, recomputed 25 %, neither 25 %",
    ]
    for said, shares in zip(bars, [(1, 2, 1), (4, 0, 0), (2, 1, 1)], strict=True):
        found = [float(part.attrib["width"]) for part in parts(bars[said], "rect")]
        assert np.allclose(np.array(found) / sum(found), np.array(shares) / 4, atol=1e-3)
        assert [part.text for part in parts(bars[said], "text")] == re.findall(r"\d+ %", said)
    assert "no such text" in text
    assert picture.findtext("{*}desc") == "; ".join(bars)


def dependencies(world: World) -> ET.Element:
    found = structure_of(world)
    counts = [count.name for count in world.counts]
    return parsed(draw_dependencies(world.inputs, world.outputs, counts, found.edges, found.noise))


DEEP = "\n".join(
    [
        "inputs: A, B, C, D, E, F, G, H, I, noise",
        "one = A XOR B",
        *(
            f"step{index} = {'one' if index == 2 else f'step{index - 1}'} XOR {'CDEFGHIA'[index - 2]}"
            for index in range(2, 9)
        ),
        "wide = A AND B AND C AND D OR E",
        "a_name_that_is_longer_than_its_box = noise XOR noise",
        "sum(A+B+C+D+E+F+G+H+I) - odd(one+step3+step5) - last(step8+wide)",
    ]
)


@pytest.mark.parametrize("rules", [None, SECOND_RULES, "inputs: A, B\nout = 1", DEEP])
def test_a_world_is_drawn_with_all_edges_and_nothing_on_anything_else(default_world, rules):
    world = default_world if rules is None else parse_world(rules)
    picture = dependencies(world)
    lines = [each for each in parts(picture, "path") if each.get("class") == "edge"]
    expected = [(name, answer) for answer, read in world.dependencies.items() for name in read]
    assert sorted((each.get("data-source"), each.get("data-target")) for each in lines) == sorted(expected)
    boxes = {}
    for group in parts(picture, "g"):
        (rect,) = group.findall("{*}rect")
        x, y, width, height = (float(str(rect.get(side))) for side in ("x", "y", "width", "height"))
        boxes[group.get("data-name")] = (x, y, x + width, y + height)
    assert set(boxes) == {*world.inputs, *world.answers}
    for one, other in combinations(boxes.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    wide, high = (float(side) for side in str(picture.get("viewBox")).split()[2:])
    assert all(
        left >= 0 and right <= wide and top >= 0 and foot <= high for left, top, right, foot in boxes.values()
    )
    # From the right of one box to the left of another, which stands further to the right.
    for line in lines:
        numbers = [float(number) for number in re.findall(r"-?\d+\.\d", str(line.get("d")))]
        source, target = (boxes[str(line.get(f"data-{end}"))] for end in ("source", "target"))
        assert numbers[0] == pytest.approx(source[2], abs=0.2)
        assert source[1] <= numbers[1] <= source[3]
        assert numbers[-1] == pytest.approx(target[0], abs=0.2)
        assert target[1] <= numbers[-2] <= target[3]
        assert source[2] < target[0]


def test_an_input_without_effect_says_so_and_counts_stand_last():
    picture = dependencies(parse_world(DEEP))
    said = {
        group.get("data-name"): [each.text for each in parts(group, "text")] for group in parts(picture, "g")
    }
    assert [name for name, words in said.items() if "no effect" in words] == ["noise"]
    assert said["a_name_that_is_longer_than_its_box"] == ["a_name_that…"]
    lefts = {
        group.get("data-name"): float(str(parts(group, "rect")[0].get("x"))) for group in parts(picture, "g")
    }
    last = {name for name, left in lefts.items() if left > lefts["step8"]}
    assert last == {"sum", "odd", "last"}
