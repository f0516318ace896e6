"""What nothing that is written can depend on is refused, and nothing else: held against brute force.

Weights and texts are random and in double precision, so that only what follows from how a model is built makes no
difference. A part's values are replaced by random ones at an intervention's tokens, and the scores that decide what is
written are compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from playground.datasets import Template
from playground.errors import RequestError
from playground.interventions import (
    Intervention,
    SiteIntervention,
    WeightIntervention,
    check,
    fit,
    parse,
    shapes_of,
)
from playground.models import ARCHITECTURES, Edit, Network, Pass, Site, Size, Slice, WeightEdit
from playground.worlds import parse_world
from playground.worlds.files import read_rules

pytestmark = pytest.mark.slow

GALLERY = {path.stem: read_rules(path) for path in sorted(Path("data/worlds").glob("*.rules"))}
SIZES = {
    "gpt2": Size(width=8, layers=2, heads=2),
    "rnn": Size(width=5, layers=2),
    "cnn": Size(width=4, layers=4),
    "mann": Size(width=5, layers=2),
}
SMALLEST = 1e-14
"""By which scores of some units differ at least where something was changed that they depend on."""

TRIES = 5
"""Other numbers that are tried: of a unit that is silent on all texts some change nothing."""


def network_of(rules: str, architecture: str) -> Network:
    """Return a model with random weights in double precision."""
    template = Template(parse_world(rules))
    kind = ARCHITECTURES[architecture]
    size = SIZES[architecture]
    if architecture == "cnn":
        size = Size(width=size.width, layers=kind.default_size(template).layers)
    model = kind.make(template, size, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return kind.network(model.double(), template)


def texts_of(template: Template, *, any_text: bool, rows: int = 16) -> torch.Tensor:
    """Return texts: prompts of states, or any tokens; behind them any, right or wrong."""
    rng = np.random.default_rng(2)
    tokens = rng.integers(len(template.vocabulary), size=(rows, template.length))
    if not any_text:
        states = rng.integers(len(template.truth), size=rows)
        tokens[:, : template.prompt_length] = template.truth[states, : template.prompt_length]
    return torch.from_numpy(tokens)


def changes(network: Network, intervention: Intervention, tokens: torch.Tensor, deciding: slice) -> bool:
    """Return whether scores change if all numbers that an intervention names become others where it acts."""
    before = network.forward(tokens).logits
    for seed in range(TRIES):
        after = forward_with_others(network, intervention, tokens, seed).logits
        if (after - before)[:, deciding].abs().max() > SMALLEST:
            return True
    return False


def forward_with_others(
    network: Network, intervention: Intervention, tokens: torch.Tensor, seed: int
) -> Pass:
    """Run a model with random numbers in the place of all that an intervention names."""
    generator = torch.Generator().manual_seed(seed)

    def noise(value: torch.Tensor, at: object = None) -> torch.Tensor:
        return value + 2 * torch.randn(value.shape, generator=generator, dtype=value.dtype)

    at = tuple(np.flatnonzero(intervention.positions.mask(network.template)).tolist())
    assert isinstance(intervention, SiteIntervention)
    site = intervention.site
    if not isinstance(intervention, WeightIntervention):
        return network.forward(
            tokens, [Edit(place.hook, at, noise, place.index) for place in network.hook_locations(site)]
        )
    part = network.weights[site.whole][site.slices]
    meant, others = torch.from_numpy(intervention.meant(tuple(part.shape))), noise(part)

    def put(weight: torch.Tensor) -> torch.Tensor:
        return torch.where(meant, others - part + weight, weight)

    return network.forward(tokens, weights=(WeightEdit(site.whole, at, put, site.slices),))


def random_part(site: Site, shape: tuple[int, ...], rng: np.random.Generator) -> Site:
    """Return a site, or a part of it: one unit, or a range on some axes."""
    if not shape or rng.random() < 0.3:
        return site
    slices = []
    for count in shape[: rng.integers(1, len(shape) + 1)]:
        start = int(rng.integers(count))
        slices.append(Slice(start, int(rng.integers(start, count)) + 1) if rng.random() < 0.8 else Slice())
    return Site(site.layer, site.head, site.part, tuple(slices))


def random_positions(template: Template, rng: np.random.Generator) -> str:
    """Return positions: one, a range, a beginning, an end, or all; often near where something begins or ends."""
    names = list(template.positions)
    anchors = [*names, *(f">{name}" for name in names[1:])]
    kind = rng.integers(6)
    one = str(rng.choice([anchors[0], names[-1], str(rng.choice(anchors)), str(rng.choice(anchors))]))
    if kind == 0:
        return ""
    if kind in (1, 2):
        return f"@{one}"
    if kind == 3:
        return f"@{one}.."
    if kind == 4:
        return f"@..{one}"
    return f"@{one}..{rng.choice(anchors)}"


def draw(network: Network, rng: np.random.Generator) -> Intervention | None:
    """Return an intervention on a random part at random positions; None if these have no order."""
    template, weight = network.template, rng.random() < 0.6
    shapes = shapes_of(network, weights=bool(weight))
    site = list(shapes)[rng.integers(len(shapes))]
    shape = shapes[site]
    part = random_part(site, shape, rng)
    share = "~40%#3" if weight and rng.random() < 0.15 else ""
    found = parse(f"{'flip' if weight else 'zero'}:{part}{share}{random_positions(template, rng)}")
    try:
        found.positions.mask(template)
    except RequestError:
        return None
    # Of few numbers a share may come to none.
    meant = isinstance(found, WeightIntervention) and found.meant(network.weights[site][part.slices].shape)
    return None if weight and not np.any(meant) else found


def agree(network: Network, interventions: list[Intervention], *, any_text: bool = False) -> tuple[int, int]:
    """Hold what is refused against what changes no score that decides; return how many of each there are."""
    template = network.template
    tokens = texts_of(template, any_text=any_text)
    deciding = slice(0 if any_text else template.prompt_length - 1, template.length - 1)
    refused = 0
    for each in interventions:
        given = template.prompt_length if any_text else None
        accepted = bool(fit([each], network, given).applied)
        assert accepted == changes(network, each, tokens, deciding), f"{each} is accepted: {accepted}"
        refused += not accepted
    return refused, len(interventions) - refused


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("world", ["default", "shift"])
def test_random_ones(world, architecture):
    network = network_of(GALLERY[world], architecture)
    rng = np.random.default_rng(5)
    drawn = [each for each in (draw(network, rng) for _ in range(100)) if each is not None]
    refused, accepted = agree(network, drawn)
    assert accepted > 40
    assert refused > 1
    agree(network, drawn[:25], any_text=True)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_part_at_every_token(architecture):
    network = network_of(GALLERY["gate"], architecture)
    names = list(network.template.positions)
    anchors = [*names, *(f">{name}" for name in names[1:])]
    everything = [
        parse(f"{kind}:{site}@{anchor}")
        for kind, sites in (("zero", network.sites), ("flip", network.weights))
        for site in sites
        for anchor in anchors
    ]
    refused, accepted = agree(network, everything)
    assert refused
    assert accepted


@pytest.mark.parametrize("world", GALLERY)
def test_in_every_world_of_the_gallery(world):
    architecture = list(ARCHITECTURES)[len(world) % len(ARCHITECTURES)]
    network = network_of(GALLERY[world], architecture)
    rng = np.random.default_rng(6)
    drawn = [each for each in (draw(network, rng) for _ in range(25)) if each is not None]
    assert sum(agree(network, drawn)) == len(drawn) > 0


@pytest.mark.parametrize(
    ("architecture", "text", "said"),
    [
        ("gpt2", "flip:W_pos[21,:]", "nothing is written after this token"),
        ("gpt2", "zero:L1.mlp@A..C", "expected positions with E..sum2 for L1.mlp, got @A..C"),
        ("gpt2", "zero:L1H0@A", "positions with E..sum2"),
        ("gpt2", "nuke:L0H1.W_Q@A", "positions with >B..sum2"),
        ("gpt2", "flip:L0H1.b_K", "this change cancels out when made at all tokens"),
        ("gpt2", "flip:L1.attn.b_K@..sum2", "this change cancels out when made at all tokens"),
        ("gpt2", "flip:W_E[3,:]@B", "positions with >newA..sum2 for W_E[3,:]"),
        ("gpt2", "flip:W_U@A..D", "positions with E..sum2"),
        ("rnn", "zero:L0.f@A", "positions with >B..sum2 for L0.f"),
        ("rnn", "flip:L1.weight_hh@A", "positions with >B..sum2"),
        ("mann", "zero:write_head.key@A", "positions with >B..sum2"),
        ("mann", "flip:first_read@B", "positions with A for first_read"),
        ("cnn", "flip:L2.conv.weight[:,:,0]@..C", "positions with E"),
    ],
)
def test_what_is_refused_is_explained(architecture, text, said):
    network = network_of(GALLERY["default"], architecture)
    with pytest.raises(RequestError) as caught:
        check([parse(text)], network)
    assert said in str(caught.value)


@pytest.mark.parametrize("architecture", ["gpt2", "rnn"])
def test_after_the_last_answer_its_line_break_is_written(architecture):
    """It counts: what acts where the last answer is read changes the score of the line break, and no answer's."""
    network = network_of(GALLERY["default"], architecture)
    text = {"gpt2": "flip:L0H1.b_K@sum2", "rnn": "mean:L1.i[0]@sum2.."}[architecture]
    assert agree(network, [parse(text)]) == (0, 1)
    template = network.template
    assert template.length - 1 == template.positions["sum2"] + 1
    assert template.completion(template.world.states[0]).endswith("\n")
