"""Edits that a click in the browser makes, read by the library: they mean what was chosen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from api.asked.address import write_query
from api.asked.condition import Condition, lowest_amount
from api.models.frames import frame_data
from playground.inference import open_model
from playground.interventions import (
    LARGEST_AMOUNT,
    SiteIntervention,
    activation_kinds,
    parse,
    parse_positions,
    parse_site,
    weight_kinds,
)
from playground.seeds import LARGEST_SEED
from tests.app.client.node import call_client

FAMILIES = {"kind": activation_kinds(), "weights": weight_kinds()}
CLICK = (
    "({ frame, clicks }) => clicks.map(({ site, family, query }) => clickedEdit(site, family, query, frame))"
)
AMOUNTS = (
    2.5,
    0.1,
    3.0,
    1 / 3,
    1e-5,
    1.5e-5,
    999_999.5,
    LARGEST_AMOUNT,
    0.0,
    -0.0,
    -2.5,
    -1e-5,
    -LARGEST_AMOUNT,
)
POSITIONS = ("", "@newB", "@>newB", "@A..>newB", "@>newB..", "@..newB")


@pytest.fixture(scope="module")
def model(workplace):
    return open_model(workplace / "models" / "default" / "gpt2", "cpu")


@pytest.fixture(scope="module")
def frame(model) -> dict[str, Any]:
    """Return what the client knows of a model, without the arrays."""
    return json.loads(json.dumps(frame_data(model), default=lambda array: array.tolist()))


def clicks(model, family: str, kind: type[SiteIntervention]) -> list[tuple[str, Condition]]:
    """Return what is clicked, and under which condition: every option in turn."""
    world, first = model.world, Condition(state=model.world.states[0])
    name, chosen = ("amount", "kind") if family == "kind" else ("noise", "weight_kind")
    action = replace(first.click_action, **{chosen: kind, name: kind.default_amount})
    found = [action]
    found += [replace(action, **{name: each}) for each in AMOUNTS if each >= lowest_amount(kind)]
    found += [replace(action, seed=seed) for seed in (7, LARGEST_SEED)]
    found += [replace(action, positions=parse_positions(each)) for each in POSITIONS]
    found += [
        replace(action, source=world.states[3], minus=world.states[4]),
        replace(action, source=world.states[0], minus=world.states[-1]),
        replace(
            action, seed=3, source=world.states[2], positions=parse_positions("@>newB.."), **{name: 0.125}
        ),
    ]
    sites = ("L1H2", "L0", "L1.mlp[3]") if family == "kind" else ("L0.mlp.W_in[3,5]", "W_E[2,:]")
    return [(site, replace(first, click_action=each)) for site in sites for each in found]


def meant(model, site: str, family: str, condition: Condition) -> SiteIntervention:
    """Return the intervention that a condition's options mean."""
    action, world = condition.click_action, model.world
    kind = action.kind if family == "kind" else action.weight_kind
    options = {
        "amount": action.amount if family == "kind" else action.noise,
        "seed": action.seed,
        "source": action.source or world.states[-1],
        "minus": action.minus or world.states[0],
    }
    taken = {name: value for name, value in options.items() if name in kind.clicked_options()}
    return kind(site=parse_site(site), positions=action.positions, **taken)


@pytest.mark.parametrize(
    ("family", "kind"),
    [(family, kind) for family, kinds in FAMILIES.items() for kind in kinds.values()],
    ids=[f"{family}-{name}" for family, kinds in FAMILIES.items() for name in kinds],
)
def test_a_click_makes_the_edit_that_its_options_mean(model, frame, family, kind):
    asked = clicks(model, family, kind)
    sent = [{"site": site, "family": family, "query": write_query(condition)} for site, condition in asked]
    texts = call_client("store/edits", "clickedEdit", CLICK, {"frame": frame, "clicks": sent})
    for text, (site, condition) in zip(texts, asked, strict=True):
        made = parse(text)
        assert made == meant(model, site, family, condition)
        # The server names edits by the text that the library writes.
        assert text == str(made)
