"""Edge attribution: which edges of the residual stream carry an answer, and whether these alone suffice.

Take two states, base and source, that differ in one input and in an answer. Let m be the score of the source's answer
minus that of the base's answer, at the position that writes the answer; each text is the true one of its state. One
gradient estimates how much m would grow in the base if an edge carried what its writer writes in the source (edge
attribution patching; Syed et al. 2023, arXiv 2310.10348):

    score(u -> v) = (write_u(source) - write_u(base)) . dm / d read_v

The gradient is taken in the base or, with more `steps`, averaged over points between base and source (EAP-IG; Hanna
et al. 2024, arXiv 2403.17806). Scores are averaged over all pairs in which the answer differs. An estimate is no
proof, so circuits of the edges with the largest scores are tested by real ablation on every pair: in the source, all
edges outside the circuit carry what their writers write in the base. `recovered` is the fraction of m's change from
base to source that remains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.edges.graph import LOGITS, Graph, graph_of
from playground.analysis.edges.pairs import PairedTexts
from playground.analysis.edges.trials import Trial, try_circuits
from playground.errors import RequestError
from playground.inference import Model, token_names
from playground.inference.model import InterventionsLike, as_values

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000)
BACK = 3
"""A pass with gradients costs about as much as this many without."""

STEPS = 5
"""With a single step, equally faithful circuits are about twice as large in the shipped model."""


@dataclass(frozen=True)
class Edge:
    """An edge at one token.

    Args:
        writer: the part that writes there.
        reader: the part that reads it there.
        position: the token, by name.
        score: by how many logits it is estimated to move the answer towards the source's.
    """

    writer: str
    reader: str
    position: str
    score: float


@dataclass(frozen=True)
class Edges(Measurement):
    """Estimated scores of a transformer's edges, and trials of what the edges really do; partial while being measured.

    Args:
        answers: the world's answers.
        writers: `embed`, heads and MLPs, in the order in which they write.
        readers: `L1H2.q`, `.k` and `.v`, MLPs and `logits`, in the order in which they read.
        positions: the names of the tokens.
        steps: points at which gradients were taken.
        sizes: numbers of edges in the circuits tried, besides the circuit of all edges.
        scored: for which answers the edges have been scored.
        pairs: number of ordered pairs of states in which each answer differs; 0 until it is scored.
        gap: mean over these pairs of each answer's score difference in the source minus that in the base, in logits;
            0 if there are no pairs.
        exists: which edges lie before each answer.
        scores: the score of each edge for each answer, in logits; 0 where there is no edge.
        trials: those made so far, by answer, the smallest circuit first; none for an answer with a gap of 0.
    """

    answers: tuple[str, ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    positions: tuple[str, ...]
    steps: int
    sizes: tuple[int, ...]
    scored: Bool[np.ndarray, " answer"]
    pairs: Int[np.ndarray, " answer"]
    gap: Float[np.ndarray, " answer"]
    exists: Bool[np.ndarray, "answer writer reader token"]
    scores: Float[np.ndarray, "answer writer reader token"]
    trials: tuple[Trial, ...]

    @property
    def progress(self) -> tuple[int, int]:
        """How many passes through the model are done, and how many there are."""
        scoring = BACK * self.steps
        done = of = 0
        for answer, name in enumerate(self.answers):
            trials = len(self.circuits(answer))
            of += scoring + trials
            if self.scored[answer]:
                tried = sum(each.answer == name for each in self.trials)
                # If the model treats source and base alike, there is no difference to recover, and nothing to try.
                done += scoring + (tried if self.gap[answer] else trials)
        return done, of

    def circuits(self, answer: int) -> list[int]:
        """Return the sizes of the circuits tried for an answer, the smallest first.

        Args:
            answer: its index.
        """
        count = int(self.exists[answer].sum())
        return sorted({min(size, count) for size in (*self.sizes, count)})

    def largest(self, answer: int, count: int) -> tuple[Edge, ...]:
        """Return the edges with the largest absolute scores for an answer, the largest first.

        There are none before the answer is scored.

        Args:
            answer: its index.
            count: how many at most.
        """
        if not self.scored[answer]:
            return ()
        entries = np.argwhere(self.exists[answer])
        values = self.scores[answer][self.exists[answer]]
        return tuple(
            Edge(
                self.writers[entries[each][0]],
                self.readers[entries[each][1]],
                self.positions[entries[each][2]],
                float(values[each]),
            )
            for each in np.argsort(-np.abs(values), kind="stable")[:count]
        )


def measure_edges(
    model: Model,
    interventions: InterventionsLike = (),
    *,
    sizes: Sequence[int] = SIZES,
    steps: int = STEPS,
    begun: Edges | None = None,
) -> Iterator[Edges]:
    """Yield the estimated score of each edge for each answer, then more and more trials of circuits.

    The caller may stop at any time; some results are yielded twice so that it can.

    Args:
        model: a model with layers of attention heads; it stays as it is.
        interventions: values, or their text form, applied throughout.
        sizes: numbers of edges in the circuits tried; the circuit of all edges is always tried as well.
        steps: number of points between base and source at which gradients are taken, starting at the base; 1 for
            plain edge attribution.
        begun: a partial result yielded earlier with the same arguments, to resume from.

    Raises:
        RequestError: as `graph_of` does, and for sizes or steps below 1; before anything is run.
    """
    if low := [number for number in (*sizes, steps) if number < 1]:
        raise RequestError.of(
            message="sizes and steps must be positive",
            expected="sizes and steps of at least 1",
            got=", ".join(map(str, low)),
            hint="Leave these out.",
        )
    graph = graph_of(model, interventions, "edges")
    if begun is None:
        begun = _start(graph, model, as_values(interventions), sizes, steps)
    return _measure_all(model, graph, begun)


def _start(graph: Graph, model: Model, asked: Sequence, sizes: Sequence[int], steps: int) -> Edges:
    template = model.template
    answers = len(model.world.answers)
    # The prediction after the last token is not needed.
    shape = (answers, *graph.linked.shape, template.length - 1)
    exists = np.zeros(shape, dtype=bool)
    for answer, position in enumerate(template.answer_positions.tolist()):
        exists[answer, :, :, :position] = graph.linked[:, :, None]
        # Scores are read only at the position that writes the answer.
        exists[answer, :, graph.readers.index(LOGITS), : position - 1] = False
    return Edges(
        model=model.name,
        interventions=tuple(map(str, asked)),
        answers=model.world.answers,
        writers=graph.writers,
        readers=graph.readers,
        positions=token_names(template)[: shape[-1]],
        steps=steps,
        sizes=tuple(sizes),
        scored=np.zeros(answers, dtype=bool),
        pairs=np.zeros(answers, dtype=np.int64),
        gap=np.zeros(answers),
        exists=exists,
        scores=np.zeros(shape),
        trials=(),
    )


def _measure_all(model: Model, graph: Graph, edges: Edges) -> Iterator[Edges]:
    texts = PairedTexts(graph, model)
    yield edges
    for answer in np.flatnonzero(~edges.scored).tolist():
        sums = _Sums(np.zeros((*graph.linked.shape, int(model.template.answer_positions[answer]))))
        for _ in _attribute(texts, answer, edges.steps, sums):
            yield edges
        edges = _with_scores(edges, answer, sums, graph)
        yield edges
    for answer in np.flatnonzero(edges.gap).tolist():
        tried = [each.edges for each in edges.trials if each.answer == edges.answers[answer]]
        sizes = [size for size in edges.circuits(answer) if size not in tried]
        for trial in try_circuits(texts, answer, edges.exists[answer], edges.scores[answer], sizes):
            if trial is not None:
                edges = replace(edges, trials=(*edges.trials, trial))
            yield edges


@dataclass
class _Sums:
    """Sums over the pairs in which an answer differs; scores up to the answer's token."""

    scores: Float[np.ndarray, "writer reader token"]
    gap: float = 0.0
    pairs: int = 0


def _with_scores(edges: Edges, answer: int, sums: _Sums, graph: Graph) -> Edges:
    """Return the result with the mean scores of one more answer."""
    pairs, gap, scores, scored = (
        each.copy() for each in (edges.pairs, edges.gap, edges.scores, edges.scored)
    )
    count = max(1, sums.pairs)
    scored[answer], pairs[answer], gap[answer] = True, sums.pairs, sums.gap / count
    scores[answer, :, :, : sums.scores.shape[-1]] = sums.scores / count * graph.linked[:, :, None]
    return replace(edges, pairs=pairs, gap=gap, scores=scores, scored=scored)


def _attribute(texts: PairedTexts, answer: int, steps: int, sums: _Sums) -> Iterator[None]:
    """Sum over all pairs in which an answer differs; yield after each pass."""
    graph, flow = texts.graph, texts.flow
    position = sums.scores.shape[-1]
    for pairs in texts.differing(answer):
        ends = [
            texts.difference(flow.scores[each, position - 1], pairs, answer)
            for each in (pairs.source, pairs.base)
        ]
        sums.pairs += len(pairs.base)
        sums.gap += float((ends[0] - ends[1]).sum())
        change = (flow.written[:, pairs.source] - flow.written[:, pairs.base])[:, :, :position]
        base, source = (texts.embedded[each, :position] for each in (pairs.base, pairs.source))
        for step in range(steps):
            with torch.enable_grad():
                point = (base + step / steps * (source - base)).requires_grad_()
                there = graph.run(point)
                difference = texts.difference(there.scores[:, -1], pairs, answer).sum()
                slopes = torch.cat(torch.autograd.grad(difference, there.read), 1)
            sums.scores += (torch.einsum("wbtd,brtd->wrt", change, slopes) / steps).double().cpu().numpy()
            yield
