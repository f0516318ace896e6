"""Exchanges what a part computes at one token between the texts that a model writes in two states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.models import Network, Replacement, Site, Trace
from playground.seeds import check_seed
from playground.worlds import State

MOST_PAIRS = 4_096
"""If there are more pairs, this many are drawn."""
BATCH = 256


def choose_pairs(
    states: Sequence[State], neighbours_only: bool = False, seed: int = 0
) -> tuple[Int[np.ndarray, "pair two"], Int[np.ndarray, " neighbour"], bool]:
    """Return pairs of different states, which of them differ in one input only, and whether these are all pairs.

    Args:
        states: all states of a world, in its order.
        neighbours_only: whether to return only pairs that differ in one input.
        seed: seed for drawing pairs if there are more than `MOST_PAIRS`. Neighbours are then at most half of these,
            also drawn.
    """
    count, bits = len(states), len(states[0])
    flips = 1 << np.arange(bits)
    near = np.stack([np.repeat(np.arange(count), bits), (np.arange(count)[:, None] ^ flips).ravel()], 1)
    random = np.random.default_rng(check_seed(seed))
    every = count * (count - 1) <= MOST_PAIRS
    if not every and len(near) > MOST_PAIRS // 2:
        near = near[np.sort(random.choice(len(near), MOST_PAIRS // 2, replace=False))]
    if neighbours_only:
        return near, np.arange(len(near)), len(near) == count * bits
    if every:
        pairs = np.argwhere(~np.eye(count, dtype=bool))
    else:
        base, step = np.divmod(random.choice(count * (count - 1), MOST_PAIRS, replace=False), count - 1)
        drawn = np.stack([base, (base + step + 1) % count], 1)
        # Fill up with drawn pairs that are not neighbours.
        new = ~np.isin(drawn @ (count, 1), near @ (count, 1))
        pairs = np.concatenate([near, drawn[new][: MOST_PAIRS - len(near)]])
        pairs = pairs[np.lexsort(pairs.T[::-1])]
    return pairs, np.flatnonzero(np.isin(pairs[:, 0] ^ pairs[:, 1], flips)), every


class Exchange:
    """Exchanges of values between the texts of a trace.

    Args:
        trace: trace of the texts that the model writes, one for each state.
        at: the tokens at which answers are written.
        pairs: base and source.
    """

    def __init__(
        self, trace: Trace, at: Int[np.ndarray, " answer"], pairs: Int[np.ndarray, "pair two"]
    ) -> None:
        self._trace, self._pairs, self._at = trace, pairs, at
        self._tokens = trace.tokens.cpu().numpy()
        self.unpatched: Float[np.ndarray, "state answer token"] = trace.logits[:, at].float().cpu().numpy()

    def scores(
        self, network: Network, site: Site, position: int
    ) -> Float[np.ndarray, "pair answer vocabulary"]:
        """Return the scores at every answer, with a part's value at a position exchanged."""
        base, source = self._pairs.T
        found = self.unpatched[base]
        reached = np.flatnonzero(self._at >= position)
        # Sources with the same text up to here have the same value: only the first of them is run.
        _, first, same = np.unique(
            self._tokens[:, : position + 1], axis=0, return_index=True, return_inverse=True
        )
        same = same.ravel()
        codes = base * len(first) + same[source]
        needed, back = np.unique(codes[same[base] != same[source]], return_inverse=True)
        if not len(needed):
            return found
        rows, others = needed // len(first), first[needed % len(first)]
        parts = []
        for start in range(0, len(needed), BATCH):
            stop = start + BATCH
            parts.append(
                self.rerun_with(network, site, position, rows[start:stop], others[start:stop], reached)
            )
        exchanged = np.concatenate(parts)
        found[np.ix_(np.flatnonzero(same[base] != same[source]), reached)] = exchanged[back.ravel()]
        return found

    @torch.inference_mode()
    def rerun_with(
        self,
        network: Network,
        site: Site,
        position: int,
        rows: Int[np.ndarray, " pair"],
        others: Int[np.ndarray, " pair"],
        reached: Int[np.ndarray, " reached"],
    ) -> Float[np.ndarray, "pair reached vocabulary"]:
        """Return the scores at the `reached` answers, for pairs of base (`rows`) and source (`others`)."""
        taken = [
            Replacement(place, self._trace.values(place, position)[self._index(others)])
            for place in network.hook_locations(site)
        ]
        at = self._at[reached].tolist()
        return self._trace.rerun_with(taken, position, self._index(rows), at).float().cpu().numpy()

    def recovered(
        self,
        scores: Float[np.ndarray, "pair answer vocabulary"],
        neighbours: Int[np.ndarray, " neighbour"],
        written: Int[np.ndarray, "state answer"],
    ) -> Float[np.ndarray, "neighbour answer"]:
        """Return the share of the way from the base's answer to the source's; see `Interchange.recovered`."""
        base, source = self._pairs[neighbours].T
        of_base, of_source = written[base][..., None], written[source][..., None]

        def difference(values: Float[np.ndarray, "neighbour answer vocabulary"]) -> np.ndarray:
            wanted = np.take_along_axis(values, of_source, -1) - np.take_along_axis(values, of_base, -1)
            return wanted[..., 0]

        low, high = difference(self.unpatched[base]), difference(self.unpatched[source])
        way = np.where(written[base] != written[source], high - low, np.nan)
        return ((difference(scores[neighbours]) - low) / way).astype(np.float32)

    def _index(self, rows: Int[np.ndarray, " pair"]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self._trace.tokens.device)
