"""The words of a verdict: over all triples of counts, and on every world of the gallery."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from playground.analysis import (
    WAYS,
    Routes,
    make_verdict,
    measure_mechanism,
    measure_routes,
    mechanism_document,
)
from playground.analysis.routes.verdict import MOSTLY, PLAIN, RouteCounts, sentence_of, whole_percentages
from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.report import route_summary_bars
from playground.worlds import parse_world
from playground.worlds.files import read_rules
from tests.conftest import random_checkpoint

GALLERY = sorted(Path("data/worlds").glob("*.rules"))
OUTPUTS, INPUTS = ("newA", "newB"), ("A", "D")
LONG = {
    "read": "read from newA and newB as written",
    "recomputed": "recomputed from A and D",
    "neither": "neither read from newA and newB as written nor recomputed from A and D",
}
SHORT = {"read": "read as written", "recomputed": "recomputed", "neither": "neither"}


def triples(texts: int) -> list[RouteCounts]:
    return [
        RouteCounts(read, recomputed, texts)
        for read, recomputed in product(range(texts + 1), repeat=2)
        if read + recomputed <= texts
    ]


EVERY = [counts for texts in (0, 1, 2, 3, 7, 20, 64, 100) for counts in triples(texts)]


def shares(counts: RouteCounts) -> dict[str, Fraction]:
    found = {"read": counts.read, "recomputed": counts.recomputed}
    found["neither"] = counts.texts - counts.read - counts.recomputed
    return {way: Fraction(count, counts.texts) for way, count in found.items()}


def test_the_word_follows_the_largest_share():
    assert (PLAIN, MOSTLY) == (95, 50)
    for counts in EVERY:
        said = sentence_of("x", OUTPUTS, INPUTS, counts)
        if not counts.texts:
            assert "no text tells the two apart" in said
            assert (counts.way, counts.largest) == ("undecided", ())
            continue
        found = shares(counts)
        highest = max(found.values())
        largest = [way for way in WAYS if found[way] == highest]
        assert list(counts.largest) == largest
        first = said.split(" (")[0]
        if highest >= Fraction(95, 100):
            assert first.startswith(f"x is {LONG[largest[0]]}"), said
            assert counts.way == largest[0]
        elif highest > Fraction(1, 2):
            assert first == f"x is mostly {LONG[largest[0]]}", said
            assert counts.way == largest[0]
        elif len(largest) == 1:
            assert first == f"x is mixed: most often {LONG[largest[0]]}", said
            assert counts.way == "mixed"
        else:
            assert first.startswith("x is mixed: equally often "), said
            assert all((way in LONG and LONG[way] in first) == (way in largest) for way in WAYS[:2]), said
            assert ("neither of the two" in first) == ("neither" in largest)
            assert counts.way == "mixed"


def test_the_sentence_never_contradicts_the_bar():
    """Every number in it is one of the counts or percentages that the bar has, behind the word for that part."""
    for counts in EVERY:
        if not counts.texts:
            continue
        said = sentence_of("x", OUTPUTS, INPUTS, counts)
        percent = dict(zip(WAYS, counts.percent, strict=True))
        number = dict(zip(WAYS, counts.counts, strict=True))
        assert sum(counts.percent) == 100
        highest = max(number.values())
        if highest == counts.texts:
            assert f"(all {counts.texts} texts" in said
        else:
            assert re.search(rf"\b{highest} (each )?of the {counts.texts} texts", said), said
        way = counts.largest[0]
        if not counts.plain and len(counts.largest) == 1:
            assert f"{LONG[way]} ({percent[way]} %, {highest} of" in said
        rest = said.partition("; ")[2].rstrip(".")
        if counts.plain:
            assert not rest
            continue
        named = re.findall(r"(read as written|recomputed|neither) in (\d+) %", rest)
        others = [other for other in WAYS if other not in counts.largest and number[other]]
        others.sort(key=lambda other: -number[other])
        assert named == [(SHORT[other], str(percent[other])) for other in others], said


def test_percentages_add_up_and_keep_the_order():
    for counts in EVERY:
        found = whole_percentages(counts.counts)
        assert sum(found) == (100 if counts.texts else 0)
        for count, percent in zip(counts.counts, found, strict=True):
            assert abs(percent - 100 * count / max(counts.texts, 1)) < 1
        for one, other in product(range(3), repeat=2):
            if counts.counts[one] > counts.counts[other]:
                assert found[one] >= found[other]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            RouteCounts(1, 63, 64),
            "newD is recomputed from A and D, not read from newB (63 of the 64 texts where they disagree).",
        ),
        (
            RouteCounts(64, 0, 64),
            "newD is read from newB as written, not recomputed from A and D (all 64 texts where they disagree).",
        ),
        (
            RouteCounts(62, 13, 100),
            (
                "newD is mostly read from newB as written (62 %, 62 of the 100 texts where reading and recomputing disagree); "
                "neither in 25 %, recomputed in 13 %."
            ),
        ),
        (
            RouteCounts(32, 32, 64),
            (
                "newD is mixed: equally often read from newB as written and recomputed from A and D (32 each of the 64 texts "
                "where reading and recomputing disagree)."
            ),
        ),
        (
            RouteCounts(25, 43, 100),
            (
                "newD is mixed: most often recomputed from A and D (43 %, 43 of the 100 texts where reading and recomputing "
                "disagree); neither in 32 %, read as written in 25 %."
            ),
        ),
    ],
)
def test_how_it_reads(counts, words):
    assert sentence_of("newD", ["newB"], ["A", "D"], counts) == words


@pytest.mark.slow
@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
@pytest.mark.parametrize("architecture", ["gpt2", "mann"])
def test_on_every_world_of_the_gallery(path, architecture, tmp_path):
    """Sentence, claims, document and bars agree with what a model, untrained and with a part silenced, really wrote."""
    world = parse_world(read_rules(path))
    spec = DatasetSpec(world=world, held_out=(world.states[-1],))
    model = open_model(random_checkpoint(spec, tmp_path / architecture, architecture=architecture), "cpu")
    routes = measure_routes(model)
    check(model, routes)
    # Models that read or recompute as well as one that does neither: what they would have written is put in its place.
    for way in (0, -1):
        check(model, written_by(routes, way))
    if len(world.states) <= 32:
        assert measure_mechanism(model).verdict == make_verdict(world, routes).verdict


def written_by(routes: Routes, way: int) -> Routes:
    """Return routes of a model that takes one way in nearly all texts."""
    rng = np.random.default_rng(0)
    answers = []
    for route in routes.answers:
        follows = rng.random(len(route.written)) < 0.9
        answers.append(replace(route, written=np.where(follows, route.predicted[way], route.written)))
    return replace(routes, answers=tuple(answers))


def check(model: Model, routes: Routes) -> None:
    mechanism = make_verdict(model.world, routes)
    document = mechanism_document(mechanism, model)
    assert len(mechanism.verdict) == len(routes.chains)
    bars = route_summary_bars(mechanism).svg if routes.chains else ""
    for route, said, row in zip(routes.chains, mechanism.verdict, document["route_summaries"], strict=True):
        differ = route.predicted[0] != route.predicted[-1]
        read = int((route.written == route.predicted[0])[differ].sum())
        recomputed = int((route.written == route.predicted[-1])[differ].sum())
        texts = int(differ.sum())
        counts = {"read": read, "recomputed": recomputed, "neither": texts - read - recomputed}
        assert row["counts"] == counts
        assert row["sentence"] == said
        assert said.startswith(f"{route.answer} is ")
        if not texts:
            assert "no text tells" in said
            continue
        highest = max(counts.values())
        assert row["way"] in (
            ["mixed"] if 2 * highest <= texts else [way for way in WAYS if counts[way] == highest]
        )
        percent = ", ".join(f"{way} {row['percent'][way]} %" for way in WAYS)
        assert f"{route.answer}, all states: {percent}" in bars
        claims = [each for each in document["claims"] if each["text"].startswith(f"{route.answer} follows")]
        assert claims[-1]["holds"] == highest
        assert claims[-1]["of"] == texts


def test_a_rule_that_cannot_tell_is_said_to_be_so(tmp_path):
    world = parse_world("inputs: A, B\np = A AND NOT A\nq = B OR (p AND NOT p)\n")
    spec = DatasetSpec(world=world, held_out=())
    model = open_model(random_checkpoint(spec, tmp_path / "gpt2"), "cpu")
    found = measure_mechanism(model)
    for said, each in zip(found.verdict, found.route_summaries, strict=True):
        assert ("no text tells" in said) == (each.counts.texts == 0)
