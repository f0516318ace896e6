"""All states of a world, in blocks: what the unedited model writes and computes in each, computed on demand.

To the last bit, a row's numbers depend on the other rows of its batch. Blocks are always the same, in whatever
order they are computed, so results are the same, too.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.inference.decoding import Run, check_finite, join, write
from playground.models import Network

BLOCK = 128
"""States per block: few enough for the first block to be there at once. A world with no more states is one block."""

_MOST_KEPT = 6
"""How many hook points are cached in all states, for a world of several blocks: each takes up to about 100 MB."""

_MOST_STATES = 16
"""How many states are cached at all hook points that can be edited, for a world of several blocks."""


def blocks_of(states: int) -> tuple[slice, ...]:
    """Return the blocks of a world of that many states; each is consecutive in the world's order."""
    return tuple(slice(first, min(first + BLOCK, states)) for first in range(0, states, BLOCK))


class BaselineCache:
    """What an unedited model writes in all states of its world, and the activations at its hook points.

    For a world of one block, everything that can be drawn is kept from its one pass. For larger worlds that would be
    gigabytes, so only the means are kept and the rest is recomputed from the texts. One instance serves all threads.

    Args:
        network: the model.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._truth = torch.from_numpy(network.template.truth).to(network.device)
        self._blocks = blocks_of(len(self._truth))
        self._averaged = {place.hook for site in network.sites for place in network.hook_locations(site)}
        self._runs: dict[int, Run] = {}
        self._sums: dict[int, dict[str, Tensor]] = {}
        self._run: Run | None = None
        self._means: dict[str, Tensor] = {}
        self._values: dict[str, Tensor] = {}
        self._in_state: dict[int, Mapping[str, Tensor]] = {}
        self._lock = threading.RLock()

    @property
    def single(self) -> bool:
        """Whether all states are one block."""
        return len(self._blocks) == 1

    def block(self, block: slice) -> Run:
        """Return what the model writes in the states of a block; for a single block, with everything that can be drawn."""
        with self._lock:
            if block.start not in self._runs:
                self._runs[block.start] = self._write(block)
            return self._runs[block.start]

    def _write(self, block: slice) -> Run:
        network = self._network
        record = network.shown_hooks if self.single else ()
        run = write(network, self._truth[block], network.template.prompt_length, record=record)
        check_finite(run, network)
        return run

    @property
    def averaged(self) -> bool:
        """Whether means are known without running the model."""
        return self.single or len(self._sums) == len(self._blocks)

    def average(self, block: slice) -> None:
        """Compute what the states of a block contribute to the means, unless that is known."""
        with self._lock:
            if not self.single and block.start not in self._sums:
                texts = self.block(block).tokens
                recorded = self._network.forward(texts, record=tuple(self._averaged)).recorded
                self._sums[block.start] = {hook: value.double().sum(0) for hook, value in recorded.items()}

    def text(self, state: int) -> Int[Tensor, "1 token"]:
        """Return what the model writes in one state, by its index."""
        block = self._blocks[state // BLOCK]
        return self.block(block).tokens[state - block.start :][:1]

    @property
    def run(self) -> Run:
        """What the model writes in all states."""
        if self.single:
            return self.block(self._blocks[0])
        with self._lock:
            if self._run is None:
                self._run = join([self.block(block) for block in self._blocks])
            return self._run

    def mean(self, hook: str) -> Float[Tensor, "token ..."]:
        """Return the mean over all states of the value at a hook point."""
        with self._lock:
            if hook not in self._means:
                self._means[hook] = self._mean(hook)
            return self._means[hook]

    def _mean(self, hook: str) -> Tensor:
        if self.single or hook not in self._averaged:
            return self.values(hook).mean(0)
        for block in self._blocks:
            self.average(block)
        sums = torch.stack([self._sums[block.start][hook] for block in self._blocks])
        return (sums.sum(0) / len(self._truth)).to(self.run.logits.dtype)

    def values(self, hook: str) -> Float[Tensor, "state token ..."]:
        """Return the value at a hook point in every state."""
        with self._lock:
            if hook in self.run.recorded:
                return self.run.recorded[hook]
            if hook not in self._values:
                if self.single and hook in self._averaged:
                    # A caller that needs one hook point needs others, too, and a few states are small.
                    hooks = tuple(self._averaged - set(self.run.recorded))
                    self._values |= self._network.forward(self.run.tokens, record=hooks).recorded
                    return self._values[hook]
                if not self.single and len(self._values) >= _MOST_KEPT:
                    self._values.pop(next(iter(self._values)))
                self._values[hook] = torch.cat([self._record(hook, block) for block in self._blocks])
            return self._values[hook]

    def in_state(self, hook: str, state: int) -> Float[Tensor, "token ..."]:
        """Return the value at a hook point in one state, by its index."""
        if self.single:
            return self.values(hook)[state]
        with self._lock:
            if hook not in self._in_state.get(state, {}):
                if len(self._in_state) >= _MOST_STATES:
                    self._in_state.pop(next(iter(self._in_state)))
                hooks = {*self._averaged, hook}
                self._in_state[state] = self._network.forward(self.text(state), record=tuple(hooks)).recorded
            return self._in_state[state][hook][0]

    def _record(self, hook: str, block: slice) -> Tensor:
        return self._network.forward(self.block(block).tokens, record=[hook]).recorded[hook]
