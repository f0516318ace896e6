"""Routes: of models of which it is known, against what models write text by text, and against naive loops."""

from __future__ import annotations

import pytest

from playground.analysis.route import measure_routes
from tests.analysis.planted import answers_of


def test_what_follows_the_written_text_is_told(taught):
    found = measure_routes(taught.reader)
    assert [each.answer for each in found.chains] == ["last", "total"]
    for chain in found.chains:
        assert chain.follows(0).of >= 16
        assert chain.follows(0).share > 0.95
        assert chain.follows(-1).share < 0.05
        assert chain.best == 0
        assert chain.agreement[0] > 0.95
    assert found.of("last").goes_along("mid").share > 0.95
    assert found.of("last").influence == pytest.approx([1, 0, 0, 0, 1], abs=0.05)
    assert (found.seen_right, found.seen) == (15, 15)


def test_what_follows_the_inputs_is_told(taught):
    found = measure_routes(taught.reckoner)
    for chain in found.chains:
        assert chain.follows(0).of >= 16
        assert chain.follows(0).share < 0.05
        assert chain.follows(-1).share > 0.95
        assert chain.best == len(chain.formulations) - 1
        assert chain.agreement[-1] > 0.95
        assert chain.agreement[0] < 0.6
    assert found.of("last").goes_along("mid").share < 0.05
    assert found.of("last").influence == pytest.approx([1, 0.5, 0.5, 0, 0], abs=0.05)
    assert (found.seen_right, found.seen) == (15, 15), "on right texts it writes what the other writes"


def test_every_number_is_the_one_that_was_taught(taught):
    for model, reads in taught.both:
        for each in measure_routes(model).answers:
            for text, written in zip(each.texts, each.written, strict=True):
                values = dict.fromkeys(("mid", "last"), 0) | dict(zip(each.variables, text, strict=True))
                assert written == answers_of(values, reads=reads)[each.answer]
