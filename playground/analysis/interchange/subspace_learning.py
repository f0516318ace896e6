"""Learning a subspace of a part: what it is learnt from, and the descent itself; see `subspace.py`."""

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
"""A step has so many pairs whose answer is to change, and as many whose answer is to stay."""
SCORED = 256
LEARNING_RATE = 0.05


@dataclass(frozen=True)
class Pairs:
    """Some pairs of states, and the token id that the model is to write in each."""

    base: Int[Tensor, " pair"]
    source: Int[Tensor, " pair"]
    wanted: Int[Tensor, " pair"]

    def __len__(self) -> int:
        return len(self.base)

    @property
    def columns(self) -> tuple[Tensor, Tensor, Tensor]:
        """Base, source and what is wanted."""
        return self.base, self.source, self.wanted

    def some(self, chosen: Tensor | slice) -> Pairs:
        """Return some of them."""
        return Pairs(self.base[chosen], self.source[chosen], self.wanted[chosen])

    def among(self, states: Bool[np.ndarray, " state"]) -> Pairs:
        """Return those of which both are some of the states."""
        meant = torch.from_numpy(states).to(self.base.device)
        return self.some(meant[self.base] & meant[self.source])

    def drawn(self, generator: torch.Generator) -> Pairs:
        """Return some for a step; of none, none."""
        chosen = torch.randint(len(self) or 1, (HALF_BATCH if len(self) else 0,), generator=generator)
        return self.some(chosen.to(self.base.device))

    def dealt(self, generator: torch.Generator) -> Pairs:
        """Return them with what is wanted dealt out among them by lot."""
        order = torch.randperm(len(self), generator=generator)
        return replace(self, wanted=self.wanted[order.to(self.base.device)])


@dataclass(frozen=True)
class LearningCase:
    """What a subspace is to be learnt from.

    Args:
        changed: pairs whose answer is to be another than the base's; at least one.
        kept: pairs whose answer is to stay: without them, to exchange more than the variable would do no harm.
    """

    changed: Pairs
    kept: Pairs

    def drawn(self, generator: torch.Generator) -> Pairs:
        """Return the pairs of a step: as many of the one sort as of the other."""
        one, other = self.changed.drawn(generator), self.kept.drawn(generator)
        return Pairs(*(torch.cat(each) for each in zip(one.columns, other.columns, strict=True)))


class Part:
    """The values of a part at a token in all texts, to be exchanged within a subspace.

    Args:
        trace: of the texts that the model writes.
        place: of the part.
        position: of the token.
        at: the token at which the answer is written.
    """

    def __init__(self, trace: Trace, place: HookLocation, position: int, at: int) -> None:
        self._trace, self._place, self._position, self._at = trace, place, position, at
        values = trace.values(place, position)
        self._shape = values.shape[1:]
        self._values: Float[Tensor, "state component"] = values.flatten(1)

    def moved(
        self, basis: Float[Tensor, "component dimension"] | None, pairs: Pairs
    ) -> Float[Tensor, "pair component"]:
        """Return the values of the bases with the subspace of the sources; without a basis, those of the sources."""
        base, source = self._values[pairs.base], self._values[pairs.source]
        return source if basis is None else base + (source - base) @ basis @ basis.mT

    def scores(
        self, values: Float[Tensor, "pair component"], base: Int[Tensor, " pair"]
    ) -> Float[Tensor, "pair vocabulary"]:
        """Return the scores of the answer with other values of the part."""
        taken = Replacement(self._place, values.unflatten(1, self._shape))
        return self._trace.rerun_with([taken], self._position, base, [self._at])[:, 0]

    def right(self, basis: Float[Tensor, "component dimension"] | None, pairs: Pairs) -> Share:
        """Return in how many pairs the model writes what is wanted."""
        holds = 0
        with torch.no_grad():
            for start in range(0, len(pairs), SCORED):
                each = pairs.some(slice(start, start + SCORED))
                written = self.scores(self.moved(basis, each), each.base).argmax(-1)
                holds += int((written == each.wanted).sum())
        return Share(holds, len(pairs))

    def learn(
        self, lessons: Sequence[LearningCase], dimensions: int, steps: int, generator: torch.Generator
    ) -> Float[Tensor, "lesson component dimension"]:
        """Return a subspace for each lesson with which the model writes what is wanted, as far as that can be learnt.

        They learn side by side, in one pass a step, and know nothing of one another.

        Args:
            lessons: what is to be learnt.
            dimensions: of a subspace.
            steps: of gradient descent.
            generator: of the first subspaces, and of the pairs of each step.
        """
        drawn = torch.randn(len(lessons), self._values.shape[1], dimensions, generator=generator)
        matrices = torch.linalg.qr(drawn)[0].to(self._values).requires_grad_()
        optimizer = torch.optim.Adam([matrices], lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
        for _ in range(steps):
            batches = [lesson.drawn(generator) for lesson in lessons]
            bases = torch.linalg.qr(matrices)[0]
            moved = [self.moved(basis, each) for basis, each in zip(bases, batches, strict=True)]
            scores = self.scores(torch.cat(moved), torch.cat([each.base for each in batches]))
            loss = cross_entropy(scores, torch.cat([each.wanted for each in batches]))
            # Asked for of the matrices alone: the model's own parameters gather no gradients.
            (matrices.grad,) = torch.autograd.grad(loss, matrices)
            optimizer.step()
            schedule.step()
        return torch.linalg.qr(matrices.detach())[0]
