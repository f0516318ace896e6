"""Path patching over a whole GPT-2: what each part passes directly to each later part, at all tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.edges.graph import Graph, graph_of
from playground.analysis.edges.pairs import PairedTexts, pairs_of
from playground.analysis.edges.paths import Carried, find_ends, send
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values

APART = 2
"""A pass in which each head reads its own stream costs about as much as this many ordinary passes."""


@dataclass(frozen=True)
class AllPaths(Measurement):
    """What every path carries, for all ordered pairs of states that differ in one input; partial while being measured.

    Score differences are defined as in `Path`.

    Args:
        answers: the world's answers.
        inputs: the world's inputs.
        senders: `embed`, heads and MLPs, in the order in which they write.
        receivers: heads (queries, keys and values together), MLPs and `logits`, in the order in which they read.
        exists: whether the receiver comes after the sender.
        done: which paths have been measured.
        pairs: number of pairs that differ in the input and also in the answer.
        gap: score difference in the source's own pass minus that in the base's, in logits, summed over these pairs; 0
            until a path is measured.
        moved: score difference with the path carrying the source's value minus that in the base's pass, in logits,
            summed over the same pairs; NaN where not measured.
        flipped: in how many of these pairs the path gives the source's answer the highest score, which it does not
            have in the base's pass.
    """

    answers: tuple[str, ...]
    inputs: tuple[str, ...]
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    exists: Bool[np.ndarray, "sender receiver"]
    done: Bool[np.ndarray, "sender receiver"]
    pairs: Int[np.ndarray, "input answer"]
    gap: Float[np.ndarray, "input answer"]
    moved: Float[np.ndarray, "sender receiver input answer"]
    flipped: Int[np.ndarray, "sender receiver input answer"]

    @property
    def progress(self) -> tuple[int, int]:
        """How many paths have been measured, and how many there are."""
        return int(self.done.sum()), int(self.exists.sum())

    def effect(self, name: str | None = None) -> Float[np.ndarray, "sender receiver answer"]:
        """Return the fraction of the gap that each path closes: 0 as in the base, 1 as in the source.

        NaN where not measured, and for an answer without a gap.

        Args:
            name: name of the input in which the states differ; None for all pairs.
        """
        chosen = [name in (None, each) for each in self.inputs]
        moved, gap = self.moved[:, :, chosen].sum(2), self.gap[chosen].sum(0)
        return np.divide(moved, gap, out=np.full(moved.shape, np.nan), where=gap != 0)


def measure_paths(
    model: Model, interventions: InterventionsLike = (), *, begun: AllPaths | None = None
) -> Iterator[AllPaths]:
    """Yield what the paths of a model carry, updated after each path.

    The caller may stop at any time. `measure_path` measures a single path: at chosen tokens, from all heads of a
    layer, or to a head's queries alone.

    Args:
        model: a GPT-2; it stays as it is.
        interventions: values, or their text form, applied throughout.
        begun: a partial result yielded earlier with the same arguments, to resume from.

    Raises:
        RequestError: as `graph_of` does, before anything is run.
    """
    graph = graph_of(model, interventions, "paths")
    if begun is None:
        begun = _start(graph, model, tuple(map(str, as_values(interventions))))
    return _measure(model, graph, begun)


def _start(graph: Graph, model: Model, interventions: tuple[str, ...]) -> AllPaths:
    world = model.world
    # A head's queries are its first reader; its keys and values read the same stream.
    first = {_part(name): index for index, name in reversed(list(enumerate(graph.readers)))}
    receivers = tuple(dict.fromkeys(map(_part, graph.readers)))
    exists = graph.linked[:, [first[each] for each in receivers]]
    shape = (*exists.shape, len(world.inputs), len(world.answers))
    return AllPaths(
        model=model.name,
        interventions=interventions,
        answers=world.answers,
        inputs=world.inputs,
        senders=graph.writers,
        receivers=receivers,
        exists=exists,
        done=np.zeros(exists.shape, dtype=bool),
        pairs=np.zeros(shape[2:], dtype=np.int64),
        gap=np.zeros(shape[2:]),
        moved=np.full(shape, np.nan),
        flipped=np.zeros(shape, dtype=np.int64),
    )


def _part(reader: str) -> str:
    """Return the part that a reader belongs to: `L1H2` for `L1H2.q`."""
    return reader.partition(".")[0] if "H" in reader else reader


def _measure(model: Model, graph: Graph, found: AllPaths) -> Iterator[AllPaths]:
    missing = np.argwhere(found.exists & ~found.done).tolist()
    if not missing:
        yield found
        return
    # The unpatched passes of bases and sources are shared by all paths.
    texts = PairedTexts(graph, model)
    for sender, receiver in missing:
        ends = find_ends(graph, found.senders[sender], found.receivers[receiver])
        edges = np.zeros((*graph.linked.shape, texts.embedded.shape[1]), dtype=np.float32)
        edges[np.ix_(*ends)] = 1
        found = _with_path(found, sender, receiver, send(texts, edges), texts.pairs.input)
        yield found


def _with_path(
    found: AllPaths, sender: int, receiver: int, carried: Carried, inputs: Int[np.ndarray, " pair"]
) -> AllPaths:
    """Return the result with one more path."""

    def by_input(values: np.ndarray) -> np.ndarray:
        return np.stack([values[inputs == each].sum(0) for each in range(len(found.inputs))])

    done, moved, flipped = (each.copy() for each in (found.done, found.moved, found.flipped))
    done[sender, receiver] = True
    moved[sender, receiver] = by_input(carried.moved)
    flipped[sender, receiver] = by_input(carried.flipped)
    return replace(
        found,
        done=done,
        pairs=by_input(carried.differs),
        gap=by_input(carried.gap),
        moved=moved,
        flipped=flipped,
    )


def tokens_read(model: Model) -> float:
    """Return about how many tokens the model reads while all paths are measured."""
    graph = graph_of(model, (), "paths")
    start = _start(graph, model, ())
    pairs = len(pairs_of(model.world).base)
    return APART * pairs * int(start.exists.sum()) * model.template.length
