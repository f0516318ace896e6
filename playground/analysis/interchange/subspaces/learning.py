"""Learns a subspace of a part: the training pairs and the gradient descent; see `subspace.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from playground.analysis.base.share import Share
from playground.models import HookLocation, Replacement, Trace

HALF_BATCH = 16
"""Each step has this many pairs whose answer must change, and as many whose answer must stay."""
SCORED = 256
"""Pairs scored in one pass."""
LEARNING_RATE = 0.05


@dataclass(frozen=True)
class Pairs:
    """Pairs of states, each with its label: the token id that the model should write."""

    base: Int[Tensor, " pair"]
    source: Int[Tensor, " pair"]
    label: Int[Tensor, " pair"]

    def __len__(self) -> int:
        return len(self.base)

    @property
    def columns(self) -> tuple[Tensor, Tensor, Tensor]:
        """Base, source and label."""
        return self.base, self.source, self.label

    def take(self, chosen: Tensor | slice) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(self.base[chosen], self.source[chosen], self.label[chosen])

    def among(self, states: Bool[np.ndarray, " state"]) -> Pairs:
        """Return the pairs whose base and source are both among these states."""
        meant = torch.from_numpy(states).to(self.base.device)
        return self.take(meant[self.base] & meant[self.source])

    def sample(self, generator: torch.Generator) -> Pairs:
        """Return the pairs of one step, drawn with replacement; none if there are none."""
        chosen = torch.randint(len(self) or 1, (HALF_BATCH if len(self) else 0,), generator=generator)
        return self.take(chosen.to(self.base.device))

    def with_shuffled_labels(self, generator: torch.Generator) -> Pairs:
        """Return the same pairs with their labels in random order."""
        order = torch.randperm(len(self), generator=generator)
        return replace(self, label=self.label[order.to(self.base.device)])


@dataclass(frozen=True)
class PairSet:
    """The pairs that a subspace is learned from or judged by.

    Args:
        changed: pairs whose answer must change; at least one.
        kept: pairs whose answer must stay. Without them, a subspace could carry more than the variable.
    """

    changed: Pairs
    kept: Pairs

    def sample(self, generator: torch.Generator) -> Pairs:
        """Return the pairs of one step: as many that must change as must stay."""
        changed, kept = self.changed.sample(generator), self.kept.sample(generator)
        return Pairs(*(torch.cat(each) for each in zip(changed.columns, kept.columns, strict=True)))


class Part:
    """The values of a part at a token in all texts, which can be exchanged within a subspace.

    Args:
        trace: trace of the texts that the model writes.
        place: location of the part.
        position: position of the token.
        at: the token from which the answer is written.
    """

    def __init__(self, trace: Trace, place: HookLocation, position: int, at: int) -> None:
        self._trace, self._place, self._position, self._at = trace, place, position, at
        values = trace.values(place, position)
        self._shape = values.shape[1:]
        self._values: Float[Tensor, "state component"] = values.flatten(1)

    def exchanged(
        self, basis: Float[Tensor, "component dimension"] | None, pairs: Pairs
    ) -> Float[Tensor, "pair component"]:
        """Return the bases' values with the sources' in the subspace; without a basis, the sources' values."""
        base, source = self._values[pairs.base], self._values[pairs.source]
        return source if basis is None else base + (source - base) @ basis @ basis.mT

    def logits(
        self, values: Float[Tensor, "pair component"], base: Int[Tensor, " pair"]
    ) -> Float[Tensor, "pair vocabulary"]:
        """Return the logits of the answer if the part has these values."""
        taken = Replacement(self._place, values.unflatten(1, self._shape))
        return self._trace.rerun_with([taken], self._position, base, [self._at])[:, 0]

    def accuracy(self, basis: Float[Tensor, "component dimension"] | None, pairs: Pairs) -> Share:
        """Return the share of pairs in which the model writes the label."""
        holds = 0
        with torch.no_grad():
            for start in range(0, len(pairs), SCORED):
                each = pairs.take(slice(start, start + SCORED))
                written = self.logits(self.exchanged(basis, each), each.base).argmax(-1)
                holds += int((written == each.label).sum())
        return Share(holds, len(pairs))

    def learn(
        self, training: Sequence[PairSet], dimensions: int, steps: int, generator: torch.Generator
    ) -> Float[Tensor, "training component dimension"]:
        """Return one subspace for each set of training pairs.

        All are learned in parallel, with one pass per step, and do not influence one another.

        Args:
            training: the sets of pairs.
            dimensions: dimensions of each subspace.
            steps: steps of gradient descent.
            generator: random generator for the initial subspaces and the pairs of each step.
        """
        drawn = torch.randn(len(training), self._values.shape[1], dimensions, generator=generator)
        matrices = torch.linalg.qr(drawn)[0].to(self._values).requires_grad_()
        optimizer = torch.optim.Adam([matrices], lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
        for _ in range(steps):
            batches = [each.sample(generator) for each in training]
            bases = torch.linalg.qr(matrices)[0]
            values = [self.exchanged(basis, each) for basis, each in zip(bases, batches, strict=True)]
            logits = self.logits(torch.cat(values), torch.cat([each.base for each in batches]))
            loss = cross_entropy(logits, torch.cat([each.label for each in batches]))
            # Differentiate with respect to the matrices only: the model's own parameters get no gradient.
            (matrices.grad,) = torch.autograd.grad(loss, matrices)
            optimizer.step()
            schedule.step()
        return torch.linalg.qr(matrices.detach())[0]
