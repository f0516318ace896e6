"""Interchange accuracy: of models of which it is known where a variable stands, against loops, against chance."""

from __future__ import annotations

import numpy as np
import pytest

from playground.analysis.interchange.alignment import Alignment, align, expect, outcomes
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.datasets import DatasetSpec
from playground.inference import Model, load_model, open_model
from playground.interventions import parse_site
from playground.worlds import CausalVariable, World, causal_variables, parse_world
from tests.analysis.handmade import BEFORE, BOTH, EITHER, make_by_hand
from tests.analysis.planted import measured
from tests.conftest import random_checkpoint
from tests.worlds.by_hand import by_hand


def of(found: tuple[Alignment, ...], variable: str, answer: str) -> Alignment:
    (one,) = [each for each in found if (each.variable, each.answer) == (variable, answer)]
    return one


@pytest.mark.slow
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


def test_of_a_model_made_by_hand_each_place_has_the_accuracy_that_its_weights_say(tmp_path):
    """Every channel that computes something, as what the weights say it is, pair by pair."""
    model = make_by_hand(tmp_path / "cnn")
    assert model.baseline.correct.all()
    sites = [f"L1.conv[{BOTH}]", f"L1.conv[{EITHER}]", f"L0.conv[{BEFORE}]"]
    *_, exchanges = measure_interchange(model, sites=tuple(map(parse_site, sites)))
    found = align(model.world, exchanges)

    def accuracy(variable: str, answer: str, site: int, token: str) -> float:
        return float(of(found, variable, answer).accuracy[site, exchanges.tokens.index(token)])

    assert accuracy("X AND Y", "mid", 0, ">mid") == 1
    assert accuracy("mid OR Z", "last", 1, ">last") == 1
    assert accuracy("mid", "last", 2, ">last") == 1
    assert accuracy("Z", "last", 2, ">mid") == 1
    assert accuracy("X", "mid", 2, ">Y") == accuracy("Y", "mid", 2, ">Z") == 1
    # And nowhere else.
    for variable, answer, place in (
        ("X AND Y", "mid", (0, ">mid")),
        ("mid", "last", (2, ">last")),
        ("Z", "last", (2, ">mid")),
        ("X", "mid", (2, ">Y")),
    ):
        others = of(found, variable, answer).accuracy.copy()
        others[place[0], exchanges.tokens.index(place[1])] = 0
        assert others.max() < 1
        assert (others > 0).sum() <= 3, "what is not looked at moves nothing"
    # Where the answer stands whole, part of the pairs come out right for the wrong reason: as many as this.
    states = model.world.states
    pairs = [(states[base], states[source]) for base, source in exchanges.pairs]
    of_x = [(x & y, other & y, other & also) for (x, y, _), (other, also, _) in pairs]
    counted = [wanted == got for own, wanted, got in of_x if wanted != own]
    assert accuracy("X", "mid", 0, ">mid") == sum(counted) / len(counted) == 0.75
    of_mid = [
        (x & y | z, other & also | z, other & also | third) for (x, y, z), (other, also, third) in pairs
    ]
    counted = [wanted == got for own, wanted, got in of_mid if wanted != own]
    assert accuracy("mid", "last", 1, ">last") == sum(counted) / len(counted) < 1


def counted_by_loops(
    model: Model, found: Interchange, variable: CausalVariable, answer: str
) -> list[tuple[int, int]]:
    """Return the pairs that count and what the causal model says of each, one by one."""
    world, template = model.world, model.template
    texts = model.run_all(";".join(found.interventions)).tokens.numpy()
    written = texts[:, [template.positions[name] for name in world.outputs]]
    needed = {"written": {variable.output}, "partial sum": set()}.get(variable.kind, set())
    if variable.kind in ("written", "partial sum") and answer != variable.output:
        needed |= {name for name in world.dependencies[answer] if name in world.outputs}
    columns = [world.outputs.index(name) for name in needed]
    counted = []
    for index, (base, source) in enumerate(found.pairs.tolist()):
        if any(written[state, column] > 1 for state in (base, source) for column in columns):
            continue
        bits = np.minimum(written, 1)
        expected = by_hand(world, variable, answer, (base, source), (bits[base], bits[source]))
        own = by_hand(world, variable, answer, (base, base), (bits[base], bits[base]))
        if expected != own:
            counted.append((index, expected))
    return counted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interventions", "kinds"),
    [("zero:L0.mlp", ("written", "partial sum")), ("force:newD=!", ("input", "recomputed"))],
)
def test_accuracy_by_naive_loops(shipped, interventions, kinds):
    sites = tuple(map(parse_site, ("L0.resid", "L2.attn")))
    *_, found = measure_interchange(shipped, interventions, sites=sites, neighbours_only=True)
    asked = [each for each in variables(shipped.world) if each[0].kind in kinds]
    wanted = list(dict.fromkeys(variable for variable, _ in asked))
    for alignment, (variable, answer) in zip(align(shipped.world, found, wanted), asked, strict=True):
        assert (alignment.variable, alignment.kind, alignment.answer) == (
            variable.name,
            variable.kind,
            answer,
        )
        column = found.answers.index(answer)
        counted = counted_by_loops(shipped, found, variable, answer)
        check_counts(found, alignment, column, counted)


def variables(world: World) -> list[tuple[CausalVariable, str]]:
    return [(variable, answer) for variable in causal_variables(world) for answer in variable.answers(world)]


def check_counts(
    found: Interchange, alignment: Alignment, column: int, counted: list[tuple[int, int]]
) -> None:
    assert alignment.counted == len(counted)
    for site, token in np.ndindex(alignment.right.shape):
        right = sum(int(found.written[site, token, index, column]) == wanted for index, wanted in counted)
        assert alignment.right[site, token] == right
    unpatched = sum(found.unpatched[found.pairs[index, 0], column] == wanted for index, wanted in counted)
    assert alignment.unpatched == unpatched
    if counted:
        assert alignment.accuracy == pytest.approx(alignment.right / len(counted))
        places = [(token, site) for site, token in np.ndindex(alignment.right.shape)]
        token, site = min(places, key=lambda place: (-alignment.right[place[1], place[0]], place))
        assert alignment.best == (site, token)
    else:
        assert np.isnan(alignment.accuracy).all()


@pytest.fixture(scope="module")
def shipped() -> Model:
    return load_model("shipped", "gpt2")


def test_outcomes_are_those_of_the_pairs_that_count(random_model):
    world, sites = random_model.world, tuple(map(parse_site, ("embed", "L1.resid")))
    *_, found = measure_interchange(random_model, sites=sites, neighbours_only=True)
    for alignment, (variable, answer) in zip(align(world, found), variables(world), strict=True):
        counted, column = counted_by_loops(random_model, found, variable, answer), found.answers.index(answer)
        for site, token in ((0, 0), (1, len(found.tokens) - 1)):
            written = found.written[site, token, :, column]
            expected = [(*found.pairs[i].tolist(), tok, written[i]) for i, tok in counted]
            got = outcomes(world, found, alignment, site, token)
            rows = zip(got.pairs.tolist(), got.expected, got.written, strict=True)
            assert [(*pair, *rest) for pair, *rest in rows] == expected
            assert got.right.tolist() == [wanted == wrote for *_, wanted, wrote in expected]


TWINS = "inputs: X, Y\none = X XOR Y\ntwo = X XOR Y\nthree = two\nsame = 1\nin(X+Y) - all(one+same)\n"


def test_outputs_of_one_rule_are_told_apart(tmp_path):
    """And an output that is always the same counts nowhere."""
    world = parse_world(TWINS)
    spec = DatasetSpec(world=world, held_out=())
    model = open_model(random_checkpoint(spec, tmp_path / "gpt2"), "cpu")
    *_, found = measure_interchange(model, sites=(parse_site("L0.resid"),))
    for alignment, (variable, answer) in zip(align(world, found), variables(world), strict=True):
        counted = counted_by_loops(model, found, variable, answer)
        check_counts(found, alignment, found.answers.index(answer), counted)
        assert alignment.output == variable.output
        written = found.written[0, 0, :, found.answers.index(answer)]
        got = outcomes(world, found, alignment, 0, 0)
        assert got.pairs.tolist() == [found.pairs[index].tolist() for index, _ in counted]
        assert got.expected.tolist() == [token for _, token in counted]
        assert got.written.tolist() == [written[index] for index, _ in counted]
        if variable.kind == "recomputed" and variable.output == "same":
            assert alignment.counted == 0
            assert np.isnan(alignment.accuracy).all()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["gpt2", "rnn"])
def test_of_random_weights_no_place_stands_for_a_variable(default_world, tmp_path, architecture):
    """Accuracy is what it is if it is decided by lot which pair has which expected token."""
    spec = DatasetSpec(world=default_world, held_out=())
    model = open_model(random_checkpoint(spec, tmp_path / "run", architecture=architecture), "cpu")
    names = {"gpt2": ("embed", "L0.resid", "L1H1", "L2.mlp"), "rnn": ("embed", "L0", "L1.h")}[architecture]
    *_, found = measure_interchange(model, sites=tuple(map(parse_site, names)))
    by_lot, accuracies, draw = [], [], np.random.default_rng(0)
    for alignment, (variable, answer) in zip(
        align(default_world, found), variables(default_world), strict=True
    ):
        # The place where an answer is written has whatever stands written, by whatever weights.
        if (variable.output == answer and variable.kind == "written") or alignment.counted < 100:
            continue
        expected = expect(default_world, found.pairs, found.outputs, variable, answer)
        written = found.written[:, :, expected.counts, found.answers.index(answer)]
        tokens = expected.tokens[expected.counts]
        by_lot.append(np.mean([(written == draw.permutation(tokens)).mean(-1) for _ in range(10)], 0))
        accuracies.append(alignment.accuracy)
    assert len(accuracies) > 10
    assert abs(np.mean(accuracies) - np.mean(by_lot)) < 0.03
    assert np.max(accuracies) < 0.8
    assert np.max(by_lot) < 0.8
