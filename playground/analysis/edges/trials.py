"""Trials of circuits: what is left of an answer when all other edges are really ablated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from playground.analysis.edges.graph import Detour
from playground.analysis.edges.pairs import PairedTexts


@dataclass(frozen=True)
class Trial:
    """What a circuit of the highest edges does for an answer when all other edges are really ablated.

    Args:
        answer: its name.
        edges: how many the circuit has.
        of: how many lie before the answer.
        estimated: the part of all scores' absolute values that its edges have: what attribution alone would say.
        recovered: the part that is left when all other edges carry what is written in the base: 1 is the whole
            model's, 0 the base's; it may lie beyond both.
        right: the share of pairs in which the source's answer has the highest score then.
        whole: the same share with the whole model.
        right_seen: the share of seen states in which the answer is right if all other edges carry the mean of
            what their writers write in all states.
        right_held_out: the same of the held-out states; None if there are none.
    """

    answer: str
    edges: int
    of: int
    estimated: float
    recovered: float
    right: float
    whole: float
    right_seen: float
    right_held_out: float | None


@torch.no_grad()
def try_circuits(
    texts: PairedTexts,
    answer: int,
    exists: Bool[np.ndarray, "writer reader token"],
    scores: Float[np.ndarray, "writer reader token"],
    sizes: Sequence[int],
) -> Iterator[Trial | None]:
    """Yield what circuits of several sizes do for an answer; None now and then, where one may stop.

    Args:
        texts: of the model.
        answer: its number.
        exists: which edges lie before it.
        scores: of the edges; those with the largest absolute values make the circuits.
        sizes: numbers of edges, of all that lie before it at most.
    """
    position = int(texts.template.answer_positions[answer])
    exists, scores = exists[:, :, :position], scores[:, :, :position]
    large = np.abs(scores[exists])
    order = np.argsort(-large, kind="stable")
    for size in sizes:
        kept = np.zeros(len(order), dtype=bool)
        kept[order[:size]] = True
        outside = np.zeros(exists.shape, dtype=np.float32)
        outside[exists] = ~kept
        ablated = torch.from_numpy(outside).to(texts.answers.device)
        sums = _Sums()
        for _ in _on_pairs(texts, answer, position, ablated, sums):
            yield None
        seen, held_out = _on_states(texts, answer, position, ablated)
        yield Trial(
            answer=texts.template.world.answers[answer],
            edges=size,
            of=len(order),
            estimated=float(large[order[:size]].sum() / large.sum()),
            recovered=sums.done / sums.way,
            right=sums.right / sums.pairs,
            whole=sums.whole / sums.pairs,
            right_seen=seen,
            right_held_out=held_out,
        )


@dataclass
class _Sums:
    """What has been summed over the pairs of states in which an answer differs.

    In logits, how far the whole model goes from base to source (`way`), and the circuit (`done`); and in how many pairs
    the circuit says the source's answer (`right`), and the whole model (`whole`).
    """

    pairs: int = 0
    way: float = 0.0
    done: float = 0.0
    right: int = 0
    whole: int = 0


def _on_pairs(
    texts: PairedTexts, answer: int, position: int, ablated: Float[Tensor, "writer reader token"], sums: _Sums
) -> Iterator[None]:
    """Sum over all pairs; yield after each pass."""
    for pairs in texts.differing(answer):
        values = texts.flow.written[:, pairs.base, :position]
        flow = texts.graph.run(texts.embedded[pairs.source, :position], Detour(ablated, values))
        found = flow.scores[:, -1]
        source, base = (texts.flow.scores[each, position - 1] for each in (pairs.source, pairs.base))
        circuit, high, low = (texts.difference(each, pairs, answer) for each in (found, source, base))
        sums.way += float((high - low).sum())
        sums.done += float((circuit - low).sum())
        wanted = texts.answers[pairs.source, answer]
        sums.right += int((found.argmax(-1) == wanted).sum())
        sums.whole += int((source.argmax(-1) == wanted).sum())
        sums.pairs += len(wanted)
        yield


def _on_states(
    texts: PairedTexts, answer: int, position: int, ablated: Float[Tensor, "writer reader token"]
) -> tuple[float, float | None]:
    """Return the shares of seen and held-out states in which an answer is right with means outside the circuit."""
    written = texts.flow.written[:, :, :position]
    means = written.mean(1, keepdim=True).expand_as(written)
    scores = texts.graph.run(texts.embedded[:, :position], Detour(ablated, means)).scores[:, -1]
    right = scores.argmax(-1) == texts.answers[:, answer]
    held_out = right[texts.held_out]
    share = float(held_out.double().mean()) if len(held_out) else None
    return float(right[~texts.held_out].double().mean()), share
