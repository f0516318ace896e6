"""Which interventions a model can carry out, and what is said of the others."""

from __future__ import annotations

import pytest

from playground.errors import RequestError
from playground.interventions import check, fit, parse, parse_all
from playground.models import ARCHITECTURES
from tests.conftest import SMALL


@pytest.fixture(scope="module")
def networks(default_world):
    """Return an untrained model of every architecture, as it begins: LayerNorms are ones, biases zeros."""
    from playground.datasets import Template

    template = Template(default_world)
    return {
        name: kind.network(kind.make(template, SMALL[name], 0), template)
        for name, kind in ARCHITECTURES.items()
    }


WRONG = [
    (
        "gpt2",
        "zero:L9H0",
        "zero needs an activation of this model: expected a layer from L0 to L2, got L9H0",
    ),
    ("gpt2", "zero:L1H7", "expected a head from L1H0 to L1H3, got L1H7"),
    ("gpt2", "zero:L1.mpl", "expected one of L1.mlp"),
    ("gpt2", "zero:L1.foo", "expected one of"),
    ("gpt2", "zero:memory[3]", "expected one of embed, "),
    ("gpt2", "flip:L1.mlp.W_inn", "expected one of L1.mlp.W_in"),
    ("gpt2", "flip:L1H9.W_Q", "expected a head from L1H0 to L1H3, got L1H9.W_Q"),
    ("gpt2", "flip:w_E", "got w_E"),
    ("gpt2", "flip:L1H2", "got L1H2, which is an activation. Activations are changed by zero, mean"),
    ("gpt2", "flip:L1.mlp", "which is an activation"),
    (
        "gpt2",
        "zero:L1.mlp.W_in",
        "got L1.mlp.W_in, which is a weight. Weights are changed by flip, nuke and noise",
    ),
    ("gpt2", "scale:W_E~2", "which is a weight"),
    ("gpt2", "zero:L1.mlp[128]", "an index within L1.mlp[0..127], got L1.mlp[128]"),
    ("gpt2", "zero:L1H2[8]", "an index within L1H2[0..7]"),
    ("gpt2", "zero:L1H2[3,4]", "an index within L1H2[0..7]"),
    ("gpt2", "zero:L1[3]", "L1, which has no units that can be named"),
    (
        "gpt2",
        "flip:L0.mlp.W_in[32,0]",
        "index outside the weight: expected an index within L0.mlp.W_in[0..31,0..127]",
    ),
    ("gpt2", "flip:L0.mlp.b_in[4:200]", "an index within L0.mlp.b_in[0..127]"),
    ("gpt2", "flip:L0.attn.W_Q[4,0,0]", "an index within L0.attn.W_Q[0..3,0..31,0..7]"),
    ("gpt2", "flip:L1H2.W_Q[3,5,1]", "an index within L1H2.W_Q[0..31,0..7]"),
    ("gpt2", "nuke:W_U[0,99]", "an index within W_U[0..31,0.."),
    ("gpt2", "zero:L1H0@newZ", "Did you mean new"),
    ("gpt2", "zero:L1H0@>A", "the first token"),
    ("gpt2", "zero:L1H0@newB..A", "begins before it ends"),
    ("gpt2", "nuke:L1H0.W_Q@newZ..", "unknown position"),
    ("gpt2", "patch:L1H2<1,0,1", "invalid state"),
    ("gpt2", "resample:L1H2<1,0,1,0,2", "'2' is neither 0 nor 1"),
    ("gpt2", "steer:L1.resid~1<1,0,1,0,1>0,0", "invalid state"),
    (
        "gpt2",
        "force:newZ=1",
        "this output cannot be forced: expected one of newA, newB, newC, newD, got newZ. Did you mean new",
    ),
    ("gpt2", "force:A=1", "got A, which is given and not written"),
    ("gpt2", "force:sum=1", "expected one of newA, newB, newC, newD, got sum"),
    ("gpt2", "flip:W_pos[3,:]@newB", "at these tokens: expected positions with >C for W_pos[3,:], got @newB"),
    ("gpt2", "flip:W_pos[0:5,2]@>newB..", "positions with A..C for W_pos[0:5,2], got @>newB.."),
    ("gpt2", "flip:W_pos[:,2]~5%#3@newB", " for what is drawn of W_pos[:,2], got @newB"),
    ("gpt2", "flip:L0.mlp.b_in~0.3%", "a share that comes to at least one of 128 weights, got 0.3%"),
    ("gpt2", "nuke:W_E[0,0]~50%", "a share that comes to at least one of 1 weights"),
    (
        "gpt2",
        "noise:L0.ln1.w~1",
        "a weight whose numbers differ, so that they have a standard deviation, got L0.ln1.w",
    ),
    ("gpt2", "noise:L0.mlp.b_in[3]~1", "whose numbers are all the same"),
    ("rnn", "zero:L2.h", "a layer from L0 to L1, got L2.h"),
    ("rnn", "zero:L0.h[24]", "an index within L0.h[0..23]"),
    ("rnn", "zero:L0.h[20:25]", "an index within L0.h[0..23]"),
    ("rnn", "zero:L0.h[5:5]", "an index within L0.h[0..23]"),
    ("rnn", "zero:L0.h[9:5]", "an index within L0.h[0..23]"),
    ("rnn", "zero:L0H1", "got L0H1"),
    ("rnn", "flip:L0.weight_hh[96,0]", "an index within L0.weight_hh[0..95,0..23]"),
    ("rnn", "flip:L0.weights_hh", "L0.weight_hh"),
    ("cnn", "zero:L1.h", "expected one of L1.conv, L1.resid, L1"),
    ("cnn", "nuke:L1.conv.weight[0,0,3]", "an index within L1.conv.weight[0..23,0..23,0..2]"),
    ("mann", "zero:L1.h", "expected layer L0, got L1.h"),
    ("mann", "zero:memory[16]", "an index within memory[0..15,0..23]"),
    ("mann", "zero:memory[3,24]", "an index within memory[0..15,0..23]"),
    ("mann", "flip:first_read@newB", "expected positions with A for first_read, got @newB"),
    ("mann", "flip:read_head.first_weights@>newA..", "positions with A for read_head.first_weights"),
]


@pytest.mark.parametrize(("name", "text", "said"), WRONG, ids=[f"{name} {text}" for name, text, _ in WRONG])
def test_what_a_model_cannot_do_is_explained(networks, name, text, said):
    fine = parse("zero:L0")
    found = fit([fine, parse(text), fine], networks[name])
    assert found.applied == (fine, fine)
    assert found.left_out == (parse(text),)
    assert len(found.faults) == 1
    assert said in str(found.faults[0])
    assert found.faults[0].where == text
    with pytest.raises(RequestError) as caught:
        check([parse(text)], networks[name])
    assert caught.value.faults == found.faults


@pytest.mark.parametrize(
    ("first", "second"), [("force:newB=1", "force:newB=0"), ("force:newB=!", "force:newB=!")]
)
def test_forces_that_contradict_each_other(networks, first, second):
    found = fit(parse_all(f"{first};force:newA=1;{second}"), networks["gpt2"])
    assert found.applied == parse_all(f"{first};force:newA=1")
    assert found.left_out == (parse(second),)
    assert f"expected no other value for newB beside {first}, got {second}" in str(found.faults[0])


def test_a_force_that_is_left_out_contradicts_nothing(networks):
    found = fit(parse_all("force:newA=1;force:newB=1"), networks["gpt2"], given=11)
    assert found.applied == parse_all("force:newB=1")
    assert "newA, which stands in the text already" in str(found.faults[0])
    assert len(fit(parse_all("force:newB=1"), networks["gpt2"], given=13).faults) == 1


def test_all_faults_are_told_at_once(networks):
    text = "zero:L9;steer:L1~1@newZ<1,0>0,1;flip:L1H2;force:sum=1"
    with pytest.raises(RequestError) as caught:
        check(parse_all(text), networks["gpt2"])
    assert [fault.where for fault in caught.value.faults] == [
        "zero:L9",
        *["steer:L1~1@newZ<1,0>0,1"] * 3,
        "flip:L1H2",
        "force:sum=1",
    ]


def test_what_every_model_can_do(networks):
    for name, network in networks.items():
        random = {site for site, weight in network.weights.items() if weight.std(correction=0)}
        texts = [f"{kind}:{site}" for site in network.sites for kind in ("zero", "mean")]
        # What is added to all keys alike cancels out: these are changed at some tokens.
        at = {site: "@newA" if str(site).endswith("b_K") else "" for site in network.weights}
        texts += [f"{kind}:{site}{at[site]}" for site in network.weights for kind in ("flip", "nuke")]
        texts += [f"noise:{site}~1{at[site]}" for site in random]
        texts += [f"flip:{site.at(*(0 for _ in w.shape))}{at[site]}" for site, w in network.weights.items()]
        texts += [f"zero:{site.at(*(count - 1 for count in shape))}" for site, shape in network.sites.items()]
        found = fit([parse(text) for text in texts], network)
        assert found.faults == (), name
        assert len(found.applied) == len(texts)
