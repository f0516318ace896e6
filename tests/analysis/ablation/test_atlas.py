"""The flip atlas, held against boards under the interventions that its entries stand for."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.analysis import flip_atlas
from playground.errors import RequestError
from playground.inference import Model, Run, open_model
from playground.interventions import Flip, parse_site
from playground.models import ARCHITECTURES, Site

SHIPPED = Path(__file__).parents[3] / "models" / "shipped"
SAMPLED = 3
WEIGHTS = {
    "gpt2": [
        "L0.mlp.W_in",
        "L1H2.W_Q",
        "L0.attn.W_V",
        "L2.attn.b_Q",
        "L1.mlp.b_in",
        "W_E",
        "W_pos",
        "W_U",
        "ln_final.w",
    ],
    "rnn": ["L0.weight_ih", "L1.weight_hh", "L1.bias_ih", "embed.weight"],
    "cnn": ["L0.conv.weight", "L1.conv.weight", "L0.conv.bias", "unembed.weight"],
    "mann": ["L0.weight_ih", "read_head.linear.weight", "first_read", "unembed.bias"],
}


def all_right(model: Model) -> Model:
    """Return a model of which it is taken that whatever it writes is right, so that any change counts."""
    another = Model(model.checkpoint)
    vars(another.baseline)["correct"] = np.ones(len(model.world.states), dtype=bool)
    return another


def last(model: Model, weight: str, by: str | None = None):
    *_, atlas = flip_atlas(model, parse_site(weight), by)
    return atlas


def parts(shape: tuple[int, ...], by: str) -> int:
    return int(np.prod(shape)) if by == "weights" else shape[{"rows": -2, "columns": -1, "blocks": 0}[by]]


def flipped(model: Model, part: Site) -> Run:
    """Return what is written with a part flipped: what it is unedited, if nothing that is written depends on the part."""
    flip = Flip(part)
    fit = model.fit([flip])
    if fit.applied:
        return model.run_all([flip], shown=False)
    assert [fault.message for fault in fit.faults] == ["nothing is written after this token"]
    return model.baseline_run


def check_against_boards(model: Model, weight: str, by: str, draw: random.Random) -> set[int]:
    """Compare some entries of an atlas, the most fragile among them, with boards; return what was seen."""
    atlas = last(model, weight, by)
    assert atlas.done.all()
    assert atlas.states == model.baseline.correct.sum()
    entries = list(np.ndindex(atlas.broken.shape))
    chosen = draw.sample(entries, min(SAMPLED, len(entries))) + atlas.fragile(1)
    given = model.template.prompt_length
    for index in chosen:
        run = flipped(model, atlas.part(*index))
        changed = (run.tokens != model.baseline_run.tokens).any(-1).numpy()
        assert atlas.broken[index] == (changed & model.baseline.correct).sum(), (weight, index)
        if not atlas.broken[index] and atlas.states:
            scores = run.logits[torch.from_numpy(model.baseline.correct), given - 1 : -1]
            best = scores.topk(2).values
            assert atlas.margin[index] == pytest.approx(float((best[..., 0] - best[..., 1]).min()), abs=1e-3)
        else:
            assert atlas.margin[index] <= 0
    return {int(atlas.broken[index]) for index in chosen}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["rows", "columns", "blocks", "weights"])
def test_entries_are_what_boards_show_gpt2(random_model, by):
    check_random(random_model, by)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["rows", "columns", "blocks", "weights"])
def test_entries_are_what_boards_show_baselines(random_baseline, by):
    check_random(random_baseline, by)


def check_random(model: Model, by: str) -> None:
    model, draw, seen = all_right(model), random.Random(0), set()
    shapes = {str(site): tuple(each.shape) for site, each in model.network.weights.items()}
    for weight in WEIGHTS[model.network.architecture]:
        shape = shapes[weight]
        axes = {"rows": 2, "columns": 2, "blocks": 3, "weights": 1}[by]
        if len(shape) < axes or (by == "weights" and np.prod(shape) > 400):
            continue
        seen |= check_against_boards(model, weight, by, draw)
    if by in ("rows", "weights"):
        assert len(seen) > 1, "what breaks differs from part to part"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_of_a_trained_model_what_breaks_is_what_was_right(architecture):
    model = open_model(SHIPPED / architecture, "cpu")
    assert 0 < model.baseline.correct.sum() < len(model.world.states)
    weight = {"gpt2": "L3H1.W_O", "rnn": "unembed.weight", "cnn": "unembed.weight", "mann": "unembed.weight"}
    atlas = last(model, weight[architecture], "rows")
    for index in [*atlas.fragile(2), (len(atlas.broken) - 1,)]:
        board = model.board([Flip(atlas.part(*index))])
        assert atlas.broken[index] == (model.baseline.correct & ~board.correct).sum()


def test_each_part_is_an_intervention_on_it_alone(random_model):
    two = last(random_model, "L1H2.W_Q", "columns")
    assert str(two.part(3)) == "L1H2.W_Q[:,3]"
    three = last(random_model, "L0.attn.W_Q", "blocks")
    assert (three.broken.shape, str(three.part(1))) == ((4,), "L0.attn.W_Q[1,:,:]")
    one = last(random_model, "L0.attn.b_O")
    assert (one.by, str(one.part(5))) == ("weights", "L0.attn.b_O[5]")
    assert last(random_model, "L1H2.W_Q").by == "rows"


def test_blocks_of_a_convolution_are_its_taps(spec, random_baseline):
    if random_baseline.network.architecture != "cnn":
        return
    for by, count, text in (("rows", 24, "2,:,:"), ("columns", 24, ":,2,:"), ("blocks", 3, ":,:,2")):
        atlas = last(random_baseline, "L1.conv.weight", by)
        assert (atlas.broken.shape, str(atlas.part(2))) == ((count,), f"L1.conv.weight[{text}]")


def test_it_grows_largest_first_and_can_be_left_at_any_time(random_model):
    before = {name: each.clone() for name, each in random_model.network.parameters().items()}
    board = random_model.board("zero:L0H1").tokens
    model = all_right(random_model)
    steps = flip_atlas(model, parse_site("L0.mlp.W_in"), "rows")
    first, second, third = next(steps), next(steps), next(steps)
    del steps
    batch = ARCHITECTURES["gpt2"].sweep_batch
    assert [each.progress for each in (first, second, third)] == [(0, 32), (batch, 32), (2 * batch, 32)]
    assert not first.done.any(), "what was handed out stays as it was"
    weight = model.network.weights[parse_site("L0.mlp.W_in")]
    norms = weight.norm(dim=1).numpy()
    assert norms[third.done].min() >= norms[~third.done].max()
    assert (third.done[second.done]).all()
    assert (third.broken[second.done] == second.broken[second.done]).all()
    assert np.isinf(third.margin[~third.done]).all()
    assert all(torch.equal(before[name], each) for name, each in random_model.network.parameters().items())
    assert (random_model.board("zero:L0H1").tokens == board).all()


def test_what_is_zero_needs_no_pass_and_where_nothing_is_right_nothing_breaks(random_baseline, monkeypatch):
    model = all_right(random_baseline)
    network, passes = model.network, []
    site = next(site for site, weight in network.weights.items() if weight.dim() == 2)
    sweep = network.sweep
    with torch.no_grad():
        kept = network.weights[site].clone()
        network.weights[site][1:-1] = 0
    try:
        monkeypatch.setattr(network, "sweep", lambda *args: passes.append(len(args[2])) or sweep(*args))
        model = all_right(random_baseline)
        atlas = last(model, str(site), "rows")
        assert passes == [1, 2]
        assert (atlas.broken[1:-1] == 0).all()
        assert atlas.margin[1:-1] == pytest.approx(atlas.baseline)
        vars(model.baseline)["correct"] = np.zeros(len(model.world.states), dtype=bool)
        nothing = last(model, str(site), "columns")
        assert passes == [1, 2]
        assert nothing.states == 0
        assert nothing.done.all()
        assert not nothing.broken.any()
    finally:
        with torch.no_grad():
            network.weights[site].copy_(kept)


@pytest.mark.parametrize(
    ("weight", "by", "message"),
    [
        ("L0.mlp.W_inn", None, "L0.mlp.W_in"),
        ("L0.mlp", None, "which is an activation"),
        ("L0.mlp.W_in[3,:]", None, "Write L0.mlp.W_in."),
        ("L0.mlp.W_in", "blocks", "rows or columns or weights, got blocks"),
        ("L0.mlp.b_in", "rows", "expected weights, got rows"),
        ("L9.mlp.W_in", None, "a layer from L0 to L2"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(random_model, weight, by, message):
    with pytest.raises(RequestError, match="expected") as caught:
        flip_atlas(random_model, parse_site(weight), by)
    assert message in str(caught.value)
    if "W_inn" in weight:
        with pytest.raises(RequestError, match="expected") as other:
            random_model.board(f"flip:{weight}")
        assert str(other.value) == str(caught.value)
