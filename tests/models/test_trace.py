"""Going on from the middle of a pass gives what a whole pass with the same change gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from playground.inference import load_model, make_plan
from playground.interventions import parse_all
from playground.models import Edit, HookLocation, Replacement, Site

EDITED = {
    "gpt2": [
        "",
        "zero:L1H2@>newB..;steer:L0.resid~1@newA<1,0,1,0,1>0,0,0,0,0;zero:L2.mlp[3]",
        "flip:L1.mlp.W_in;zero:L0.attn",
        "flip:L1.mlp.W_in@newB..",
    ],
    "rnn": ["", "zero:L0.h[3]@newA..;flip:L1.weight_hh[0:9,:]@>newB.."],
    "cnn": ["", "zero:L1.conv[4];flip:L2.conv.weight[0:3]@newB.."],
    "mann": ["", "zero:memory[3];flip:read_head.linear.weight[0:9,:]@>newB.."],
}
CASES = [(run, text) for run, texts in EDITED.items() for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize(("run", "text"), CASES)
def test_it_is_gone_on_with_exactly(run: str, text: str) -> None:
    model = load_model("shipped", run)
    network, tokens = model.network, model.baseline_run.tokens
    plan = make_plan(parse_all(text) if text else (), network, model.values)
    trace = network.trace(tokens, plan.edits, plan.weights)
    whole = network.forward(tokens, plan.edits, (), plan.weights)
    torch.testing.assert_close(trace.logits, whole.logits, rtol=1e-4, atol=1e-4)
    rows = torch.tensor([0, 3, 3, 17, 31])
    sources = torch.tensor([9, 1, 30, 4, 0])
    newest = model.template.positions
    sites = [site for site in network.sites if site.layer in (None, 0, 1, 3)]
    for number, site in enumerate(sites):
        position = [newest["A"], newest["newB"], newest["newB"] - 1, newest["sum2"] - 1][number % 4]
        at = [
            each for each in (newest["newA"] - 1, newest["newD"] - 1, newest["sum2"] - 1) if each >= position
        ]
        places = network.hook_locations(site)
        taken = [trace.values(place, position)[sources] for place in places]

        edits = [_put(place, position, values) for place, values in zip(places, taken, strict=True)]
        expected = network.forward(tokens[rows], (*plan.edits, *edits), (), plan.weights).logits[:, at]
        with torch.no_grad():
            got = trace.rerun_with(
                [Replacement(place, values) for place, values in zip(places, taken, strict=True)],
                position,
                rows,
                at,
            )
        torch.testing.assert_close(
            got, expected, rtol=1e-4, atol=1e-4, msg=lambda text, site=site: f"{site}: {text}"
        )


def _put(place: HookLocation, position: int, values: Tensor) -> Edit:
    def change(value: Tensor, at: Sequence[int]) -> Tensor:
        changed = value.clone()
        changed[(slice(None), slice(None), *place.index)] = values[:, None]
        return changed

    return Edit(place.hook, (position,), change)


def test_gradients_flow_to_what_is_put_in() -> None:
    for run, site in (
        ("gpt2", Site(1, part="resid")),
        ("rnn", Site(0, part="h")),
        ("cnn", Site(1, part="conv")),
    ):
        model = load_model("shipped", run)
        trace = model.network.trace(model.baseline_run.tokens)
        (place,) = model.network.hook_locations(site)
        position = model.template.positions["newB"]
        values = trace.values(place, position).clone().requires_grad_()
        scores = trace.rerun_with([Replacement(place, values)], position, torch.arange(32), [position])
        (slope,) = torch.autograd.grad(scores[:, 0, 1].sum(), values)
        step = 1e-2 * slope / slope.norm(dim=-1, keepdim=True)
        with torch.no_grad():
            after = trace.rerun_with(
                [Replacement(place, values + step)], position, torch.arange(32), [position]
            )
        gained = (after - scores)[:, 0, 1].detach()
        torch.testing.assert_close(gained, (slope * step).sum(-1), rtol=0.1, atol=1e-4)
