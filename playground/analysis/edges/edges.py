"""Edge attribution: along which edges of the residual stream an answer goes, and whether these alone will do.

For two states that differ in one input, and an answer that differs with it, let m be the score of the source's
answer minus that of the base's, before the answer is written. Each text is the true one of its state. What m would
gain in the base if an edge carried what its writer writes in the source is estimated by one gradient (edge
attribution patching; Syed et al. 2023, arXiv 2310.10348):

    score(u -> v) = (write_u(source) - write_u(base)) . dm / d read_v

in the base or, with more `steps`, on the mean over points between base and source (EAP-IG; Hanna et al. 2024, arXiv
2403.17806). Scores are averaged over all pairs in which the answer differs. An estimate is no proof: so a circuit of the
edges with the largest scores is tried by real ablation, on every pair. In the source all edges that are not
in the circuit carry what their writers write in the base; `recovered` is how much of m's way from the base to
the source is left.
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
"""A pass with gradients takes about as long as so many without."""

STEPS = 5
"""With one alone, circuits of the same faithfulness are about twice as large in the shipped model."""


@dataclass(frozen=True)
class Edge:
    """An edge at one token.

    Args:
        writer: what writes there.
        reader: what reads it there.
        position: the token, by name.
        score: by how many logits it is estimated to move the answer towards the source's.
    """

    writer: str
    reader: str
    position: str
    score: float


@dataclass(frozen=True)
class Edges(Measurement):
    """The edges of a transformer by what they are estimated to do, and trials of what they really do; or a part of that.

    Args:
        answers: of the world.
        writers: `embed`, heads and MLPs, in the order in which they write.
        readers: `L1H2.q`, `.k` and `.v`, MLPs and `logits`, in the order in which they read.
        positions: the tokens by name.
        steps: points at which gradients were taken.
        sizes: numbers of edges of the circuits that are tried, besides that of all.
        scored: of which answers the edges have their scores.
        pairs: for each answer, in how many ordered pairs of states it differs; 0 until it is scored.
        gap: by how many logits the score difference of each answer is larger in the source than in the base, on
            average over these; 0 if there are none.
        exists: which edges lie before each answer.
        scores: of all edges for each answer, in logits; 0 where there is none.
        trials: as far as they have been made, by answer, the smallest circuit first; none of an answer with a
            gap of 0.
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
        """How much has been measured, and how much there is, in passes through the model."""
        scoring = BACK * self.steps
        done = of = 0
        for answer, name in enumerate(self.answers):
            trials = len(self.circuits(answer))
            of += scoring + trials
            if self.scored[answer]:
                tried = sum(each.answer == name for each in self.trials)
                # Where source and base are the same to the model there is no way between them, and nothing to be tried.
                done += scoring + (tried if self.gap[answer] else trials)
        return done, of

    def circuits(self, answer: int) -> list[int]:
        """Return the sizes of the circuits that are tried for an answer, the smallest first.

        Args:
            answer: its number.
        """
        count = int(self.exists[answer].sum())
        return sorted({min(size, count) for size in (*self.sizes, count)})

    def largest(self, answer: int, count: int) -> tuple[Edge, ...]:
        """Return the edges with the largest scores for an answer, whatever their sign, the largest first.

        There are none before the answer is scored.

        Args:
            answer: its number.
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
    """Yield what each edge is estimated to do for each answer, then with more and more trials of circuits.

    Who has seen enough stops asking: now and then what was yielded before is yielded again.

    Args:
        model: with layers of attention heads; it stays as it is.
        interventions: what is measured is the model under them.
        sizes: numbers of edges of the circuits that are tried; that of all edges is tried as well.
        steps: points at which gradients are taken, from the base on towards the source; 1 for plain
            edge attribution.
        begun: what was yielded before with the same arguments, to be gone on with.

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
    # What follows the last token is nobody's question.
    shape = (answers, *graph.linked.shape, template.length - 1)
    exists = np.zeros(shape, dtype=bool)
    for answer, position in enumerate(template.answer_positions.tolist()):
        exists[answer, :, :, :position] = graph.linked[:, :, None]
        # Scores are read before the answer alone.
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
    """What has been summed over the pairs in which an answer differs; scores up to the answer's token."""

    scores: Float[np.ndarray, "writer reader token"]
    gap: float = 0.0
    pairs: int = 0


def _with_scores(edges: Edges, answer: int, sums: _Sums, graph: Graph) -> Edges:
    """Return the same with the mean scores of one more answer."""
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
