"""Plots show the numbers that they are given, where they belong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from playground.plots import (
    MOST_LINES,
    Series,
    make_template,
    plot_attention,
    plot_bars,
    plot_curves,
    plot_grid,
    plot_units,
    templates_to_json,
    to_json,
)

NAN = float("nan")


def test_attention_side_by_side():
    draw = np.random.default_rng(0)
    patterns = [np.tril(draw.random((5, 5))) for _ in range(2)]
    labels = ["A=1", ",", "B=0", ",", "out=1"]
    figure = plot_attention(patterns, ["baseline", "edited"], labels, rows=[3])
    assert [trace.xaxis for trace in figure.data] == ["x", "x2"]
    for trace, pattern in zip(figure.data, patterns, strict=True):
        shown = np.array(trace.z, dtype=float)
        assert np.array_equal(shown[np.tril_indices(5)], pattern[np.tril_indices(5)])
        assert np.isnan(shown[np.triu_indices(5, 1)]).all(), "what comes later is not looked at"
        assert tuple(trace.customdata[4][2]) == ("out=1", "B=0")
    assert list(figure.layout.xaxis2.ticktext) == labels
    assert figure.layout.yaxis.autorange == "reversed"
    assert [annotation.text for annotation in figure.layout.annotations] == ["baseline", "edited"]
    assert [shape.y0 for shape in figure.layout.shapes] == [3.5, 3.5]


@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("count", [1, 2])
def test_units_are_drawn_with_their_values_under_their_tokens(components, count):
    draw = np.random.default_rng(0)
    maps = [draw.normal(size=(4, 5, components)) for _ in range(count)]
    labels = ["A=1", ",", "B=0", ",", "C=1"]
    figure = plot_units(
        maps, ["baseline", "edited"][:count], labels, limits=(-2.0, 2.0), unit="slot", seen=[1, 3]
    )
    assert len(figure.data) == count
    for trace, values in zip(figure.data, maps, strict=True):
        assert np.array_equal(np.array(trace.z), values.reshape(4, -1))
        for column, (x, text) in enumerate(zip(trace.x, trace.text[0], strict=True)):
            token, component = divmod(column, components)
            assert token - 0.5 < x < token + 0.5
            assert text.startswith(labels[token])
            assert components == 1 or text.endswith(f"component {component}")
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-2.0, 2.0)
    assert len(figure.layout.shapes) == 2 * count
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes[:2]] == [(0.5, 1.5), (2.5, 3.5)]


def shown(trace) -> np.ndarray:
    return np.array(trace.z, dtype=float)


def test_a_grid_has_its_numbers_in_colours_and_in_figures():
    values = np.array([[1.0, 0.254, NAN], [0.01, 0.5, 0.0]])
    figure = plot_grid(
        values,
        ["L0H0", "L1H0"],
        ["A", "A", ">p"],
        unit="accuracy",
        groups=["L0", "L1"],
        notes=[["a", "b", "c"], ["d", "e", "f"]],
        framed=[(1, 2)],
    )
    (trace,) = figure.data
    assert np.array_equal(shown(trace), values, equal_nan=True)
    assert [list(row) for row in trace.text] == [["1.00", "0.25", ""], ["·", "0.50", "·"]], (
        "nothing is not nought"
    )
    assert trace.hoverongaps is False
    assert tuple(trace.customdata[1][1]) == ("L1H0", "A", "<br>e")
    assert list(figure.layout.xaxis.ticktext) == ["A", "A", ">p"]
    assert list(figure.layout.yaxis.ticktext) == ["L0H0", "L1H0"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    frame, line = figure.layout.shapes
    assert (frame.type, frame.x0, frame.x1, frame.y0, frame.y1) == ("rect", 1.5, 2.5, 0.5, 1.5)
    assert (line.type, line.y0, line.y1) == ("line", 0.5, 0.5), "between the layers"


def test_a_grid_around_zero_says_minus_and_leaves_the_small_to_the_colour():
    figure = plot_grid(
        np.array([[-0.3, 0.01, 2.0]]), ["L0"], ["a", "b", "c"], unit="recovered", limits=(-1.0, 1.0)
    )
    assert list(figure.data[0].text[0]) == ["−0.30", "", "2.00"]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-1, 1)


def test_curves_have_a_panel_each_and_a_name_once():
    series = [
        Series("read", np.array([0.0, 0.5]), "p"),
        Series("recomputed", np.array([1.0, 0.25]), "p"),
        Series("read", np.array([1.0, NAN]), "q"),
        Series("held-out states", np.array([-0.5, 1.5]), "right"),
    ]
    figure = plot_curves(["0", "800"], series, axis="steps", is_share=True)
    assert [(trace.yaxis, trace.name) for trace in figure.data] == [
        ("y", "read"), ("y", "recomputed"), ("y2", "read"), ("y3", "held-out states")
    ]  # fmt: skip
    for trace, each in zip(figure.data, series, strict=True):
        assert np.array_equal(np.array(trace.y, dtype=float), each.values, equal_nan=True)
        assert list(trace.x) == [0, 1]
    assert list(figure.layout.xaxis.ticktext) == ["0", "800"]
    assert [figure.layout[f"yaxis{number}"].title.text for number in ("", "2", "3")] == ["p", "q", "right"]
    assert sum(trace.showlegend for trace in figure.data) == 3, "one name stands in the legend once"
    looks = {(trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 3, "lines can be told without their colour"
    low, high = figure.layout.yaxis3.range
    assert low < -0.5
    assert high > 1.5


def test_curves_over_numbers_may_be_logarithmic():
    figure = plot_curves(
        [10, 100],
        [Series("a", np.array([0.5, 1.0]), "kept")],
        axis="edges",
        is_share=True,
        is_logarithmic=True,
    )
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].x) == [10, 100]


def test_faint_lines_are_one_trace_behind_the_others_that_names_each_state():
    series = [
        Series("mean", np.array([2.0, 0.5]), "logits"),
        Series("s0", np.array([1.0, 2.0]), "logits", is_faint=True),
        Series("s2", np.array([3.0, -1.0]), "logits", is_faint=True),
    ]
    faint, mean = plot_curves(["embed", "L0.mlp"], series, axis="after", is_share=False).data
    assert list(mean.y) == [2.0, 0.5]
    assert np.array_equal(np.array(faint.y, dtype=float), [1.0, 2.0, NAN, 3.0, -1.0, NAN], equal_nan=True)
    assert list(faint.text) == ["s0"] * 3 + ["s2"] * 3
    assert faint.opacity < 0.5
    assert not faint.showlegend


def test_as_many_lines_as_are_promised_can_be_told_apart():
    series = [Series(str(number), np.array([0.0]), "y") for number in range(MOST_LINES)]
    figure = plot_curves(["x"], series, axis="x", is_share=True)
    assert len({(trace.line.dash, trace.marker.symbol) for trace in figure.data}) == MOST_LINES


def test_bars_have_values_notes_a_reference_and_the_extent_of_their_states():
    figure = plot_bars(
        ["W_E", "L0H0", "L0H1"],
        [2.0, -0.5, NAN],
        axis="logits",
        notes=["+2", "", ""],
        spread=[[1.0, 3.0], [-1.0, 0.0], []],
        spread_names=["s0", "s1"],
        reference=("chance", 0.1),
    )
    (bars,) = figure.data
    assert np.array_equal(np.array(bars.x, dtype=float), [2.0, -0.5, NAN], equal_nan=True)
    assert list(bars.text) == ["+2", "−0.50", ""], "a bar without a note has its value"
    assert list(bars.error_x.array)[:2] == [1.0, 0.5]
    assert list(bars.error_x.arrayminus)[:2] == [1.0, 0.5]
    assert bars.customdata[1][2] == "least -1.00 in s0, most 0.00 in s1"
    assert list(figure.layout.yaxis.ticktext) == ["W_E", "L0H0", "L0H1"]
    assert figure.layout.shapes[0].x0 == 0.1
    assert figure.layout.annotations[0].text == "chance 0.10"


def test_colour_scales_are_those_of_the_app():
    with (Path(__file__).parents[1] / "app" / ".streamlit" / "config.toml").open("rb") as file:
        theme = tomllib.load(file)["theme"]
    for dark, name in enumerate(("light", "dark")):
        scale = make_template(dark=bool(dark)).layout.colorscale
        assert [colour for _, colour in scale.sequential] == theme[name]["chartSequentialColors"]
        assert [colour for _, colour in scale.diverging] == theme[name]["chartDivergingColors"]
        assert make_template(dark=bool(dark)).layout.font.color == theme[name]["textColor"]


def test_figures_in_a_script_cannot_end_it():
    figure = plot_grid(np.array([[1.0]]), ["</script><b>"], ["x"], unit="share")
    for text in (to_json(figure), templates_to_json()):
        assert "<" not in text
    document = json.loads(to_json(figure))
    assert document["layout"]["yaxis"]["ticktext"] == ["</script><b>"]
    assert "template" not in document["layout"], "the page has one for light and one for dark"
