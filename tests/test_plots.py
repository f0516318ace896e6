"""Plots show the numbers that they are given, where they belong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from playground.plots import (
    make_template,
    plot_attention,
    plot_attribution,
    plot_emergence,
    plot_explained,
    plot_grid,
    plot_head_values,
    plot_kept,
    plot_lens,
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


def test_values_of_heads_stand_side_by_side_on_one_scale():
    seen, held_out = np.array([[0.25, 0.0], [-0.5, 0.1]]), np.array([[0.75, 0.0], [0.0, NAN]])
    figure = plot_head_values([seen, held_out], ["seen", "held out"], unit="share")
    for trace, values in zip(figure.data, (seen, held_out), strict=True):
        assert np.array_equal(shown(trace), values, equal_nan=True)
        assert trace.coloraxis == "coloraxis"
    assert [trace.xaxis for trace in figure.data] == ["x", "x2"]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-0.75, 0.75)
    assert [each.text for each in figure.layout.annotations] == ["seen", "held out"]
    assert list(figure.layout.yaxis2.ticktext) == ["L0", "L1"]
    assert list(figure.layout.xaxis2.ticktext) == ["H0", "H1"]


def test_the_lens_shows_every_state_faintly_and_the_means():
    margins = np.array([[1.0, -2.0, 3.0], [2.0, 4.0, -1.0]])
    held_out = np.array([False, True, False])
    figure = plot_lens(
        ["embed", "L0.mlp"],
        (np.array([0.5, 1.0]), np.array([0.0, 1.0])),
        margins,
        held_out,
        ["s0", "s1", "s2"],
    )
    shares, faint, mean, *of_held_out = figure.data
    assert list(shares.y) == [0.5, 1.0]
    assert list(shares.text) == ["50%", "100%"]
    assert np.array_equal(faint.y, [1.0, 2.0, NAN, 3.0, -1.0, NAN], equal_nan=True)
    assert list(faint.text) == ["s0"] * 3 + ["s2"] * 3
    assert faint.opacity < 0.5
    assert list(mean.y) == [2.0, 0.5]
    assert list(of_held_out[0].y) == [0.0, 1.0]
    assert list(of_held_out[2].y) == [-2.0, 4.0]
    assert (mean.line.dash, mean.marker.symbol) != (of_held_out[2].line.dash, of_held_out[2].marker.symbol)
    without = plot_lens(["embed"], (np.array([0.5]), None), margins[:1, :1], held_out[:1], ["s0"])
    assert len(without.data) == 3


def test_attribution_has_means_ranges_a_state_and_the_sum():
    values = np.array([[1.0, -1.0], [3.0, 0.0]])
    figure = plot_attribution(["W_E", "L0H0"], values, ["s0", "s1"], chosen=1)
    bars, marks = figure.data
    assert list(bars.x) == [2.0, -0.5, 1.5]
    assert list(bars.error_x.array) == [1.0, 0.5, 1.5]
    assert list(bars.error_x.arrayminus) == [1.0, 0.5, 1.5]
    assert tuple(bars.customdata[1]) == ("L0H0", -1.0, "s0", 0.0, "s1")
    assert list(marks.x) == [3.0, 0.0, 3.0]
    assert marks.name == "in s1"
    assert list(figure.layout.yaxis.ticktext) == ["W_E   +2.00", "L0H0   −0.50", "sum   +1.50"]


def test_of_too_many_components_the_rest_is_one():
    draw = np.random.default_rng(0)
    values = draw.normal(size=(6, 30)) * np.arange(30)
    names = [f"h[{unit}]" for unit in range(30)]
    figure = plot_attribution(names, values, [f"s{state}" for state in range(6)], most=5)
    (bars,) = figure.data
    largest = sorted(sorted(range(30), key=lambda unit: -abs(values[:, unit].mean()))[:5])
    assert [label.split()[0] for label in figure.layout.yaxis.ticktext] == [
        names[unit] for unit in largest
    ] + ["25", "sum"]
    assert np.allclose(bars.x[-1], values.sum(1).mean())
    assert np.allclose(sum(bars.x[:-1]), bars.x[-1]), "nothing is left out"


def test_emergence_has_a_panel_for_every_answer():
    read, recomputed = np.array([[0.0, 1.0], [0.5, NAN]]), np.array([[1.0, 0.0], [0.25, NAN]])
    figure = plot_emergence(
        [0, 800], ["p", "q"], read, recomputed, np.array([0.0, 1.0]), np.array([0.0, 0.5])
    )
    lines = {(trace.yaxis, trace.name): np.array(trace.y) for trace in figure.data}
    assert list(lines) == [
        ("y", "read"),
        ("y", "recomputed"),
        ("y2", "read"),
        ("y2", "recomputed"),
        ("y3", "seen states right"),
        ("y3", "held-out states right"),
    ]
    assert np.array_equal(lines["y", "read"], [0.0, 0.5])
    assert np.array_equal(lines["y2", "read"], [1.0, NAN], equal_nan=True)
    assert np.array_equal(lines["y3", "held-out states right"], [0.0, 0.5])
    assert list(figure.layout.xaxis.ticktext) == ["0", "800"]
    assert [figure.layout[f"yaxis{number}"].title.text for number in ("", "2", "3")] == ["p", "q", "right"]
    assert sum(trace.showlegend for trace in figure.data) == 4, "one name stands in the legend once"
    looks = {(trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 4, "lines can be told without their colour"


def test_what_circuits_keep_is_all_in_sight():
    kept = np.array([[0.0, 1.5, 1.0], [-0.5, NAN, 1.0]])
    figure = plot_kept([10, 100, 1000], ["a", "b"], kept, x_title="edges", y_title="kept", logarithmic=True)
    low, high = figure.layout.yaxis.range
    assert low < -0.5
    assert high > 1.5
    assert figure.layout.xaxis.type == "log"
    assert [list(trace.x) for trace in figure.data] == [[10, 100, 1000]] * 2
    assert np.array_equal([trace.y for trace in figure.data], kept, equal_nan=True)


def test_explained_shares_have_their_formulas():
    figure = plot_explained(["L0H0 at p", "L1H0 at p"], ["NOT D", "A"], np.array([0.99, 0.5]), chance=0.1)
    (bars,) = figure.data
    assert list(bars.x) == [0.99, 0.5]
    assert list(bars.text) == ["NOT D  0.99", "A  0.50"]
    assert list(figure.layout.yaxis.ticktext) == ["L0H0 at p", "L1H0 at p"]
    assert figure.layout.shapes[0].x0 == 0.1


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
