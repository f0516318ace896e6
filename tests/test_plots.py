"""Plots show the numbers that they are given, where they belong."""

from __future__ import annotations

import numpy as np

from playground.plots import plot_attention


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
