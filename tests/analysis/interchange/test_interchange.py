"""Exchanges: in models of which it is known, against whole passes with the same change, and against TransformerLens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import AutoModelForCausalLM

from playground.analysis.interchange.exchange import MOST_PAIRS, choose_pairs
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.inference import Model, load_model, make_plan, open_model
from playground.inference.model import as_values
from playground.interventions import parse_site
from playground.models import Edit, HookLocation
from tests.analysis.planted import measured
from tests.conftest import random_checkpoint


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


def by_whole_passes(
    model: Model, interventions: str, found: Interchange, site: str, position: int
) -> Float[np.ndarray, "pair answer vocabulary"]:
    """Return the scores at every answer of whole passes in which the values at one token are the source's."""
    plan = make_plan(as_values(interventions), model.network, model.values)
    tokens = model.run_all(interventions).tokens
    base, source = torch.from_numpy(found.pairs.copy()).T
    places = model.network.hook_locations(parse_site(site))
    hooks = [place.hook for place in places]
    recorded = model.network.forward(tokens, plan.edits, hooks, plan.weights).recorded
    edits = [
        Edit(place.hook, (position,), taking(place, recorded[place.hook][source, position]))
        for place in places
    ]
    logits = model.network.forward(tokens[base], (*plan.edits, *edits), (), plan.weights).logits
    return logits[:, model.template.answer_positions - 1].numpy()


def taking(place: HookLocation, values: Tensor) -> Callable[[Tensor, Sequence[int]], Tensor]:
    """Return a change that puts the units that are meant in the place of what there is."""

    def change(value: Tensor, at: Sequence[int]) -> Tensor:
        changed = value.clone()
        for row in range(len(value)):
            changed[row, 0][place.index] = values[row][place.index]
        return changed

    return change


def check_against_whole_passes(
    model: Model, found: Interchange, interventions: str, sites: Sequence[str]
) -> int:
    """Compare some sites at all tokens, all pairs, all answers; return in how many something else is written."""
    moved = 0
    texts = model.run_all(interventions).tokens.numpy()
    whole = model.network.forward(torch.from_numpy(texts), *planned(model, interventions)).logits
    whole = whole[:, model.template.answer_positions - 1].numpy()
    own = whole.argmax(-1)
    assert (found.unpatched == own).all()
    base, source = found.pairs.T
    for site in sites:
        index = found.sites.index(site)
        for token in range(len(found.tokens)):
            scores = by_whole_passes(model, interventions, found, site, token)
            two = np.sort(scores, -1)[..., -2:]
            sure = two[..., 1] - two[..., 0] > 1e-3
            assert (found.written[index, token] == scores.argmax(-1))[sure].all(), (site, token)
            moved += int((scores.argmax(-1) != own[base]).sum())
            moves = scores[found.neighbours] - whole[base[found.neighbours]]
            ways = whole[source[found.neighbours]] - whole[base[found.neighbours]]
            of_base, of_source = own[base[found.neighbours]], own[source[found.neighbours]]
            for place, answer in np.ndindex(of_base.shape):
                one, other = of_source[place, answer], of_base[place, answer]
                got = found.recovered[index, token, place, answer]
                assert np.isnan(got) == (one == other)
                way = ways[place, answer, one] - ways[place, answer, other]
                if way > 0.1:
                    moved_by = moves[place, answer, one] - moves[place, answer, other]
                    assert abs(got - moved_by / way) < 2e-3, (site, token, place)
    return moved


def planned(model: Model, interventions: str):
    plan = make_plan(as_values(interventions), model.network, model.values)
    return plan.edits, (), plan.weights


SOME = {
    "gpt2": ["embed", "L0.resid", "L1H2", "L1.attn", "L2.mlp"],
    "rnn": ["embed", "L0", "L0.h", "L1.c"],
    "cnn": ["embed", "L1.conv", "L2.resid"],
    "mann": ["L0", "memory", "read", "read_weights", "write_weights"],
}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SOME)
@pytest.mark.parametrize("edited", [False, True])
def test_exchanges_are_what_whole_passes_give(second_spec, tmp_path, architecture, edited):
    """All pairs of the second world, every part without interventions."""
    model = open_model(random_checkpoint(second_spec, tmp_path / "run", architecture=architecture), "cpu")
    interventions = {"gpt2": "zero:L0H1;flip:L1.mlp.W_in@first..", "cnn": "zero:L1.conv[3]"}.get(
        architecture, "scale:L0.h~0.5@first..;flip:L0.weight_hh[0:9,:]@>second.."
    )
    interventions = interventions if edited else ""
    sites = tuple(map(parse_site, SOME[architecture])) if edited else None
    *_, found = measure_interchange(model, interventions, sites=sites)
    assert (found.exhaustive, len(found.pairs), len(found.neighbours)) == (True, 56, 24)
    assert check_against_whole_passes(model, found, interventions, found.sites) > 0


@pytest.mark.slow
def test_exchanges_of_a_few_parts_on_the_default_world(default_world, tmp_path):
    """Neurons, channels and slots among them: what is asked for by an index."""
    spec = DatasetSpec(world=default_world, held_out=())
    for architecture, sites in (
        ("gpt2", ["L0.mlp[3:20]", "L1H3[2]"]),
        ("cnn", ["L2.conv[5]"]),
        ("mann", ["memory[3]"]),
    ):
        model = open_model(random_checkpoint(spec, tmp_path / architecture, architecture=architecture), "cpu")
        wanted = tuple(map(parse_site, sites))
        *_, found = measure_interchange(model, sites=wanted, neighbours_only=True)
        assert len(found.pairs) == 160
        check_against_whole_passes(model, found, "", found.sites)


THEIRS = {
    "get_act_patch_resid_pre": lambda layer: f"L{layer - 1}.resid" if layer else "embed",
    "get_act_patch_attn_out": lambda layer: f"L{layer}.attn",
    "get_act_patch_mlp_out": lambda layer: f"L{layer}.mlp",
    "get_act_patch_attn_head_out_by_pos": lambda layer, head: f"L{layer}H{head}",
}
"""TransformerLens' own activation patching, those of it that are right, and what each patches."""


@pytest.mark.slow
@pytest.mark.parametrize("name", THEIRS)
def test_recovered_effects_are_those_of_transformer_lens(name):
    """Some pairs of neighbours of the shipped GPT-2, some layers, tokens and heads, all answers at once."""
    from transformer_lens import patching
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

    ours, draw = load_model("shipped", "gpt2"), np.random.default_rng(0)
    reference = AutoModelForCausalLM.from_pretrained(ours.checkpoint.folder).eval()
    bridge = build_bridge_from_module(reference, architecture="GPT2LMHeadModel", hf_config=reference.config)
    axes = ["layer", "pos", "head"][: 3 if "head" in name else 2]
    sizes = [reference.config.n_layer, ours.template.length - 2, reference.config.n_head]
    rows = pd.DataFrame({axis: draw.integers(size, size=20) for axis, size in zip(axes, sizes, strict=False)})
    sites = tuple(
        dict.fromkeys(parse_site(THEIRS[name](layer, *head)) for layer, _, *head in rows.to_numpy())
    )
    *_, found = measure_interchange(ours, neighbours_only=True, sites=sites)
    chosen = np.sort(draw.choice(len(found.pairs), 12, replace=False))
    base, source = torch.from_numpy(found.pairs[chosen]).T
    answers, own = torch.from_numpy(ours.template.answer_positions) - 1, torch.from_numpy(found.unpatched)
    tokens = ours.baseline_run.tokens

    def difference(logits: Tensor) -> Tensor:
        """Return how far each answer of the source is above that of the base, pair x answer."""
        scores = logits[:, answers]
        return (scores.gather(-1, own[source, :, None]) - scores.gather(-1, own[base, :, None]))[..., 0]

    kept: list[Tensor] = []

    def metric(logits: Tensor) -> Tensor:
        kept.append(difference(logits))
        return logits.new_zeros(())

    _, cache = bridge.run_with_cache(tokens[source])
    with torch.no_grad():
        getattr(patching, name)(bridge, tokens[base], cache, metric, index_axis_names=None, index_df=rows)
        low, high = difference(bridge(tokens[base])), difference(bridge(tokens[source]))
    compared = 0
    for (layer, position, *head), now in zip(rows.to_numpy().tolist(), kept, strict=True):
        expected = ((now - low) / (high - low)).numpy()
        got = found.recovered[found.sites.index(THEIRS[name](layer, *head)), position, chosen]
        assert np.isnan(got).tolist() == (own[base] == own[source]).tolist()
        np.testing.assert_allclose(got, np.where(np.isnan(got), np.nan, expected), atol=1e-3)
        compared += int((np.abs(np.nan_to_num(got)) > 0.01).sum())
    assert compared > 10, "some of them have an effect"


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["gpt2", "mann"])
def test_it_goes_on_from_what_was_measured(second_spec, tmp_path, architecture):
    model = open_model(random_checkpoint(second_spec, tmp_path / "run", architecture=architecture), "cpu")
    for interventions in ("zero:L0H0" if architecture == "gpt2" else "zero:memory[3]", "force:first=!"):
        sites = model.network.interchange_sites[:3]
        steps = list(measure_interchange(model, interventions, sites=sites, neighbours_only=True))
        tokens = len(steps[0].tokens)
        assert 0 < steps[0].progress[0] < tokens, "the first few tokens are there soon"
        first, second, third = (each for each in steps if each.progress[0] % tokens == 0)
        assert [each.progress for each in (first, second, third)] == [
            (tokens, 3 * tokens),
            (2 * tokens, 3 * tokens),
            (3 * tokens, 3 * tokens),
        ]
        assert (first.done.all(1)).tolist() == [True, False, False]
        assert np.isnan(first.recovered[1:]).all(), "what was handed out stays as it was"
        for begun in (steps[0], first, second, third):
            *_, whole = measure_interchange(
                model, interventions, sites=sites, neighbours_only=True, begun=begun
            )
            assert (whole.written == third.written).all()
            np.testing.assert_array_equal(whole.recovered, third.recovered)
            assert whole.done.all()
        assert first.progress == (tokens, 3 * tokens)
        *_, clean = measure_interchange(model, sites=sites, neighbours_only=True)
        assert not np.array_equal(clean.recovered, third.recovered, equal_nan=True), (
            "what is in force matters"
        )
        assert third.interventions == (interventions,)


def test_the_model_stays_as_it_was(random_model):
    before = {name: each.clone() for name, each in random_model.network.parameters().items()}
    board = random_model.board("zero:L1H1").tokens
    steps = measure_interchange(random_model, sites=random_model.network.interchange_sites[:2])
    next(steps)
    del steps
    assert all(torch.equal(before[name], each) for name, each in random_model.network.parameters().items())
    assert (random_model.board("zero:L1H1").tokens == board).all()


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 5, 7, 10])
@pytest.mark.parametrize("neighbours_only", [False, True])
def test_pairs_are_all_or_drawn(bits, neighbours_only):
    states = tuple(product((0, 1), repeat=bits))

    def near(base: int, source: int) -> bool:
        return sum(one != other for one, other in zip(states[base], states[source], strict=True)) == 1

    pairs, neighbours, exhaustive = choose_pairs(states, neighbours_only, seed=3)
    found = [(base, source) for base, source in pairs.tolist()]
    assert len(set(found)) == len(found) <= MOST_PAIRS
    assert all(base != source for base, source in found)
    assert {found[index] for index in neighbours} == {pair for pair in found if near(*pair)}
    every = [pair for pair in product(range(len(states)), repeat=2) if pair[0] != pair[1]]
    wanted = [pair for pair in every if near(*pair)] if neighbours_only else every
    assert exhaustive == (sorted(found) == wanted)
    if len(every) <= MOST_PAIRS:
        assert exhaustive
    elif not neighbours_only:
        assert len(found) == MOST_PAIRS
        assert len(neighbours) >= min(len(states) * bits, MOST_PAIRS // 2)
        another = choose_pairs(states, seed=4)[0]
        assert (choose_pairs(states, seed=3)[0] == pairs).all()
        assert (another != pairs).any()


@pytest.mark.parametrize(
    ("architecture", "site", "message"),
    [
        ("gpt2", "L9.resid", "a layer from L0 to L2"),
        ("gpt2", "L0H7", "a head from"),
        ("gpt2", "L1.mlp[500]", "500"),
        ("gpt2", "L0.mlp.W_in", "W_in"),
        ("gpt2", "memory", "memory"),
        ("gpt2", "L1", "values cannot be exchanged here"),
        ("rnn", "L0.resid", "resid"),
        ("rnn", "L0.i", "values cannot be exchanged here"),
        ("cnn", "L1H2", "L1H2"),
        ("mann", "erase", "values cannot be exchanged here"),
        ("mann", "memory[16]", "16"),
    ],
)
def test_a_part_that_a_model_lacks_is_said_before_anything_runs(
    second_spec, tmp_path, monkeypatch, architecture, site, message
):
    model = open_model(random_checkpoint(second_spec, tmp_path / "run", architecture=architecture), "cpu")
    monkeypatch.setattr(model.network, "trace", lambda *args: pytest.fail("nothing is to be run"))
    with pytest.raises(RequestError) as caught:
        measure_interchange(model, sites=(parse_site(site), parse_site("embed"), parse_site("L77.h")))
    assert message in str(caught.value)
    assert [fault.where for fault in caught.value.faults] == [site, "L77.h"], (
        "all that is wrong is said at once"
    )
    with pytest.raises(RequestError, match="zero:L9"):
        measure_interchange(model, "zero:L9")


def test_what_is_no_bit_is_kept_as_none(random_model, random_baseline):
    for model in (random_model, random_baseline):
        *_, found = measure_interchange(
            model, sites=model.network.interchange_sites[:1], neighbours_only=True
        )
        for state, text in enumerate(model.baseline_run.tokens.tolist()):
            for column, name in enumerate(model.world.outputs):
                token = model.template.vocabulary[text[model.template.positions[name]]]
                assert found.outputs[state, column] == (int(token) if token in ("0", "1") else -1)
