"""Interchange accuracy: of models of which it is known where a variable stands, against loops, against chance."""

from __future__ import annotations

import pytest

from playground.analysis.alignment import Alignment, align
from tests.analysis.planted import measured


def of(found: tuple[Alignment, ...], variable: str, answer: str) -> Alignment:
    (one,) = [each for each in found if (each.variable, each.answer) == (variable, answer)]
    return one


def test_a_variable_stands_where_the_model_takes_it_from(taught):
    for model, reads in taught.both:
        exchanges = measured(model)
        found = align(model.world, exchanges)
        embed = exchanges.sites.index("embed")
        written, computed = of(found, "mid", "last"), of(found, "X", "last")
        assert (written.counted, computed.counted) == (96, 64)
        assert (written.unpatched, computed.unpatched) == (0, 0)
        middle, source = exchanges.tokens.index("mid"), exchanges.tokens.index("X")
        assert written.accuracy[embed, middle] == pytest.approx(float(reads), abs=0.05)
        assert computed.accuracy[embed, source] == pytest.approx(float(not reads), abs=0.05)
        # They point to different tokens.
        best = (written if reads else computed).best
        assert exchanges.tokens[best[1]] == ("mid" if reads else "X")
        # A count that follows from it tells the same.
        assert of(found, "mid", "total").accuracy[embed, middle] == pytest.approx(float(reads), abs=0.05)
        assert of(found, "X", "total").accuracy[embed, source] == pytest.approx(float(not reads), abs=0.05)


def test_a_variable_that_no_model_uses_stands_nowhere(taught):
    exchanges = measured(taught.reader)
    found = of(align(taught.reader.world, exchanges), "Z", "ones")
    assert found.accuracy[exchanges.sites.index("embed"), exchanges.tokens.index("Z")] > 0.95
    others = [index for index, name in enumerate(exchanges.tokens) if name not in ("Z", ">mid", "mid")]
    assert found.accuracy[exchanges.sites.index("embed"), others].max() < 0.6
