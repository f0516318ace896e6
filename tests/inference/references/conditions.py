"""Which interventions the comparisons with the references are made of: kinds x parts x positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.datasets import Template
from playground.interventions import fit, parse, parse_positions
from playground.models import Network, Site, Slice
from playground.worlds import state_text

ACTIVATION_KINDS = ("zero", "mean", "resample", "scale", "steer", "patch")
WEIGHT_KINDS = ("flip", "nuke", "noise")

POSITIONS = ("", "@>{last}..", "@{last}", "@{first}..{middle}")
"""The whole sequence, from the middle of the completion on, one position, a range."""


def fill(positions: str, template: Template) -> str:
    """Return positions with the names of a world."""
    answers = template.world.answers
    return positions.format(first=template.world.inputs[0], middle=answers[0], last=answers[1])


def activation_text(kind: str, site: Site | str, positions: str, template: Template) -> str:
    """Return an intervention on an activation, with the options that its kind needs."""
    states = template.world.states
    one, other = state_text(states[len(states) // 2 + 1]), state_text(states[2])
    # What is carried on and multiplied anew at every token would leave the range of single precision.
    carried = str(site).startswith("memory") or ".c" in str(site).replace(".conv", "")
    amount = {"scale": "~0.5" if carried else "~2.5", "steer": "~1.5"}.get(kind, "")
    source = {"steer": f"<{one}>{other}", "resample": f"<{one}", "patch": f"<{other}"}.get(kind, "")
    return f"{kind}:{site}{amount}{fill(positions, template)}{source}"


def weight_texts(kind: str, site: Site, positions: str, network: Network) -> list[str]:
    """Return interventions on a weight: on all of it, on a range, on one number, on a random share.

    The one number is the largest, so that its change shows.
    """
    weight = network.weights[site].numpy()
    size = np.abs(weight)
    if site.part == "W_pos":
        # The row of a position is used there alone.
        size = size * parse_positions(fill(positions, network.template)).mask(network.template)[:, None]
    largest = np.unravel_index(size.argmax(), weight.shape)
    length = weight.shape[-1]
    last_axis = (*[Slice()] * (weight.ndim - 1), Slice(length // 3, length // 3 + max(2, length // 4)))
    parts = [site, Site(site.layer, site.head, site.part, last_axis), site.at(*map(int, largest))]
    where = fill(positions, network.template)
    if kind == "noise":
        return [f"noise:{part}~0.5#{seed}{where}" for seed, part in enumerate(parts, 7)]
    return [f"{kind}:{part}{where}" for part in parts] + [f"{kind}:{site}~30%#7{where}"]


def some_positions(number: int, kind: str, turn: int) -> str:
    """Return one of the four positions, so that each kind and each part meet all of them between them.

    Args:
        number: of the part among those that are compared.
        kind: of the intervention.
        turn: of the world: each kind acts on each part at two positions, at one in each of the two worlds.
    """
    return POSITIONS[(number + (*ACTIVATION_KINDS, *WEIGHT_KINDS).index(kind) + 2 * turn) % len(POSITIONS)]


def one_each(kind: str, sites: Sequence[Site], network: Network) -> list[str]:
    """Return an intervention on each weight, taking turns in where it acts and what of it is changed."""
    found = []
    for number, site in enumerate(sites):
        positions = some_positions(number, kind, 0)
        turn = number + number // 4
        for where in (positions, "", "@..{middle}"):
            texts = weight_texts(kind, site, where, network)
            if acts(texts[turn % len(texts)], network):
                found.append(texts[turn % len(texts)])
                break
    return found


def acts(text: str, network: Network) -> bool:
    """Return whether something that is written can depend on an intervention."""
    return bool(fit([parse(text)], network).applied)


def unit_sites(site: Site, shape: tuple[int, ...]) -> list[Site]:
    """Return an activation, and of one with units the last of them."""
    return [site, site.at(*(count - 1 for count in shape))] if shape else [site]
