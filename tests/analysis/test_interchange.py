"""Exchanges: in models of which it is known, against whole passes with the same change, and against TransformerLens."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from playground.analysis.interchange import Interchange
from playground.inference import Model
from tests.analysis.planted import measured


def effect(
    found: Interchange, site: str, token: str, answer: str, among: Bool[np.ndarray, " neighbour"]
) -> float:
    """Return the mean recovered effect of one part at one token."""
    values = found.mean_recovered(answer, among)
    return float(values[found.sites.index(site), found.tokens.index(token)])


def differ(model: Model, found: Interchange, name: str) -> Bool[np.ndarray, " neighbour"]:
    """Return the neighbours in which an input or output is not the same, by the world."""
    world = model.world
    values = {**dict(zip(world.inputs, np.array(world.states).T, strict=True))}
    values |= dict(zip(world.answers, world.truth_table.T, strict=True))
    base, source = found.pairs[found.neighbours].T
    return values[name][base] != values[name][source]


def test_what_stands_written_moves_what_reads_it_and_nothing_else(taught):
    for model, reads in taught.both:
        found = measured(model)
        among = differ(model, found, "mid")
        assert among.sum() == 16
        assert abs(effect(found, "embed", "mid", "last", among) - reads) < 0.1
        assert abs(effect(found, "embed", "mid", "ones", differ(model, found, "W"))) < 0.1


def test_an_input_moves_what_is_computed_from_it_though_the_written_text_stays(taught):
    for model, reads in taught.both:
        found = measured(model)
        for name in ("X", "Y"):
            among = differ(model, found, "mid") & differ(model, found, name)
            assert among.sum() == 8
            assert abs(effect(found, "embed", name, "last", among) - (not reads)) < 0.1
            assert effect(found, "embed", name, "mid", among) > 0.9, "the middle is computed by both"
        assert effect(found, "embed", "W", "last", differ(model, found, "W")) > 0.9, "both read W"
        assert abs(effect(found, "embed", "Z", "last", differ(model, found, "mid"))) < 0.1, "neither reads Z"


def test_where_an_answer_is_written_the_whole_of_it_is_exchanged(taught):
    found = measured(taught.reader)
    last = len(found.answers) - 1
    stream = {"gpt2": "L1.resid", "rnn": "L0", "cnn": "L3.resid"}[taught.reader.network.architecture]
    site, token = found.sites.index(stream), found.tokens.index(f">{found.answers[last]}")
    assert (found.written[site, token, :, last] == found.unpatched[found.pairs[:, 1], last]).all()
    assert np.nanmin(found.recovered[site, token, :, last]) > 0.99
    assert np.nanmax(found.recovered[site, token, :, last]) < 1.01
