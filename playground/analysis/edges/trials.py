"""Trials of circuits: what remains of an answer when all other edges are really ablated."""

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
    """What a circuit of the highest-scoring edges keeps of an answer when all other edges are really ablated.

    Args:
        answer: its name.
        edges: number of edges in the circuit.
        of: number of edges before the answer.
        estimated: the circuit's share of the sum of absolute scores: what attribution alone predicts.
        recovered: the fraction of the score difference that remains when all other edges carry the base's values: 1
            as in the whole model, 0 as in the base; it may lie outside this range.
        right: the share of pairs in which the source's answer then has the highest score.
        whole: the same share with the whole model.
        right_seen: the share of seen states in which the answer is right if all other edges carry their writers' mean
            over all states.
        right_held_out: the same for held-out states; None if there are none.
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
    """Yield the trial of each circuit; None in between, where the caller may stop.

    Args:
        texts: the model's texts.
        answer: its index.
        exists: which edges lie before the answer.
        scores: the edges' scores; the edges with the largest absolute values make up the circuits.
        sizes: numbers of edges in the circuits; at most all that lie before the answer.
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
    """Sums over the pairs of states in which an answer differs.

    `way` and `done`: how far, in logits, the whole model and the circuit go from base to source. `right` and `whole`:
    the number of pairs in which the circuit and the whole model give the source's answer.
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
    """Return the shares of seen and held-out states with the right answer, edges outside the circuit at their means."""
    written = texts.flow.written[:, :, :position]
    means = written.mean(1, keepdim=True).expand_as(written)
    scores = texts.graph.run(texts.embedded[:, :position], Detour(ablated, means)).scores[:, -1]
    right = scores.argmax(-1) == texts.answers[:, answer]
    held_out = right[texts.held_out]
    share = float(held_out.double().mean()) if len(held_out) else None
    return float(right[~texts.held_out].double().mean()), share
