"""Plots show the numbers that they are given, where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from playground.plots import plot_attention, plot_units


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
