"""Sets of interventions drawn at random: every kind, any part, any units, any tokens, several at once."""

from __future__ import annotations

import numpy as np

from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import check, format_all, parse_all
from playground.models import Network, Site, Slice
from playground.worlds import state_text
from tests.inference.references.conditions import ACTIVATION_KINDS, WEIGHT_KINDS

MOST = 6
"""Interventions of a set."""
LARGEST_FACTOR = 1.5
"""What is carried on and multiplied anew at every token leaves the range of any precision with more than that."""


class Draw:
    """Draws sets that a model can carry out.

    Args:
        network: of the model.
        seed: of all that is drawn.
    """

    def __init__(self, network: Network, seed: int) -> None:
        self._network, self._template = network, network.template
        self._random = np.random.default_rng(seed)

    def next_set(self) -> str:
        """Return the next set, in the text form."""
        while True:
            count = int(self._random.integers(1, MOST + 1))
            text = ";".join(self._one() for _ in range(count))
            try:
                interventions = parse_all(text)
                check(interventions, self._network)
            except RequestError:
                continue  # Such as one that would act nowhere, or an output that is forced twice.
            return format_all(interventions)

    def _one(self) -> str:
        kind = self._choice(("force", *ACTIVATION_KINDS, *WEIGHT_KINDS))
        if kind == "force":
            return f"force:{self._choice(self._template.world.outputs)}={self._choice(('0', '1', '!'))}"
        if kind in ACTIVATION_KINDS:
            site = self._choice(list(self._network.sites))
            part = self._part(site, self._network.sites[site])
        else:
            site = self._choice(list(self._network.weights))
            part = self._part(site, tuple(self._network.weights[site].shape))
        return f"{kind}:{part}{self._options(kind)}{self._positions()}{self._states(kind)}"

    def _options(self, kind: str) -> str:
        match kind:
            case "scale" | "steer":
                return f"~{self._random.uniform(-LARGEST_FACTOR, LARGEST_FACTOR):.3f}"
            case "noise":
                return f"~{self._random.uniform(0.01, 1):.3f}#{self._random.integers(1000)}"
            case "flip" | "nuke" if self._random.random() < 1 / 3:
                return f"~{self._random.uniform(1, 60):.1f}%#{self._random.integers(1000)}"
        return ""

    def _part(self, site: Site, shape: tuple[int, ...]) -> Site:
        """Return all of a part, or units of it: indices and ranges on some of its axes."""
        axes = int(self._random.integers(len(shape) + 1))
        index = []
        for size in shape[:axes]:
            start, stop = sorted(self._random.integers(0, size + 1, 2).tolist())
            if start == stop or self._random.random() < 1 / 2:
                start = min(start, size - 1)
                stop = start + 1
            index.append(Slice(start, stop))
        return Site(site.layer, site.head, site.part, tuple(index))

    def _positions(self) -> str:
        first, last = (self._anchor() for _ in range(2))
        return self._choice(("", f"@{first}", f"@{first}..", f"@..{last}", f"@{first}..{last}"))

    def _anchor(self) -> str:
        return self._choice(("", ">")) + self._choice(list(self._template.positions))

    def _states(self, kind: str) -> str:
        one, other = (state_text(self._choice(self._template.world.states)) for _ in range(2))
        return {"steer": f"<{one}>{other}", "resample": f"<{one}", "patch": f"<{other}"}.get(kind, "")

    def _choice(self, among):
        return among[int(self._random.integers(len(among)))]


def random_sets(model: Model, count: int, seed: int) -> list[str]:
    """Return so many sets, no two alike, that a model can carry out."""
    draw, found = Draw(model.network, seed), dict[str, None]()
    while len(found) < count:
        found[draw.next_set()] = None
    return list(found)
