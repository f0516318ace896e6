"""Path patching: does what one part of a transformer sends directly to another carry an answer?

For two states that differ in one input: in the pass over the base's text, one receiver finds in the residual stream
what the sender writes in the source's pass, in place of what it writes in the base's. The sender's value reaches
nothing else, not even by way of other parts; what follows from what the receiver makes of it, follows (Wang et al.
2022, arXiv 2211.00593; as an edge alone, as `get_act_patch_direct_path` in TransformerLens). Each text is the true one
of its state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from playground.analysis.base.measurement import Measurement
from playground.analysis.edges.graph import LOGITS, Detour, Graph, graph_of
from playground.analysis.edges.pairs import PairedTexts
from playground.errors import Fault, RequestError, quote
from playground.inference import Model, token_names
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import parse_positions
from playground.worlds import state_text


@dataclass(frozen=True)
class Path(Measurement):
    """What a path carries, for all ordered pairs of states that differ in one input.

    Of an answer that differs between the two states, the score difference is the score of the source's answer
    minus that of the base's, before it is written.

    Args:
        sender: what writes.
        receiver: what reads.
        positions: at which tokens, by name.
        answers: of the world.
        base: the state of each pair that is run.
        source: the state from which the sender's value is taken.
        input: the input in which the two differ.
        differs: whether an answer does.
        gap: by how many logits the score difference is larger in the source's own pass than in the base's; 0
            where the answer is the same.
        moved: by how many it is larger than in the base's pass if the path carries the source's value; 0 likewise.
        flipped: whether the source's answer has the highest score then, and has not in the base's pass; false
            likewise.
    """

    sender: str
    receiver: str
    positions: tuple[str, ...]
    answers: tuple[str, ...]
    base: tuple[str, ...]
    source: tuple[str, ...]
    input: tuple[str, ...]
    differs: Bool[np.ndarray, "pair answer"]
    gap: Float[np.ndarray, "pair answer"]
    moved: Float[np.ndarray, "pair answer"]
    flipped: Bool[np.ndarray, "pair answer"]

    @property
    def effect(self) -> tuple[float | None, ...]:
        """Of each answer how much of the whole gap is moved: 0 as in the base, 1 as in the source; None without a gap."""
        return self.effect_of(None)

    def effect_of(self, name: str | None) -> tuple[float | None, ...]:
        """Return the same over the pairs that differ in one of the inputs; None for all."""
        pairs = np.array([name in (None, each) for each in self.input])
        moved, gap = self.moved[pairs].sum(0), self.gap[pairs].sum(0)
        return tuple(float(part / whole) if whole else None for part, whole in zip(moved, gap, strict=True))


def measure_path(
    model: Model, sender: str, receiver: str, positions: str = "", interventions: InterventionsLike = ()
) -> Path:
    """Return what a sender's writing does to the answers through one reader alone.

    Args:
        model: with layers of attention heads; it stays as it is.
        sender: `embed`, a head (`L0H1`), an MLP (`L0.mlp`), or all heads of a layer (`L0.attn`).
        receiver: what a head makes queries, keys or values of (`L1H2.q`, `L1H2.k`, `L1H2.v`), or all three
            (`L1H2`); the input of an MLP (`L1.mlp`), or of the scores (`logits`). It comes after the sender.
        positions: the tokens at which it is sent and read, in their text form (`@newB`); all unless said.
        interventions: what is measured is the model under them.

    Raises:
        RequestError: as `graph_of` does; for a sender or receiver that the model does not have, for one that
            reads before the sender writes, and for positions that the world does not have.
    """
    graph = graph_of(model, interventions, "paths")
    writers, readers = find_ends(graph, sender, receiver)
    last = model.template.length - 1
    at = np.flatnonzero(parse_positions(positions).mask(model.template)[:last])
    if not len(at):
        raise RequestError.of(
            message="nothing is written after these tokens",
            expected="a token before the last",
            got=positions,
            hint="Name another position.",
        )
    edges = np.zeros((*graph.linked.shape, last), dtype=np.float32)
    edges[np.ix_(writers, readers, at.tolist())] = 1
    texts, names = PairedTexts(graph, model), token_names(model.template)
    pairs, world = texts.pairs, model.world
    carried = send(texts, edges)
    return Path(
        model=model.name,
        interventions=tuple(map(str, as_values(interventions))),
        sender=sender,
        receiver=receiver,
        positions=tuple(names[each] for each in at),
        answers=world.answers,
        base=tuple(state_text(world.states[each]) for each in pairs.base),
        source=tuple(state_text(world.states[each]) for each in pairs.source),
        input=tuple(world.inputs[each] for each in pairs.input),
        differs=carried.differs,
        gap=carried.gap,
        moved=carried.moved,
        flipped=carried.flipped,
    )


def find_ends(graph: Graph, sender: str, receiver: str) -> tuple[list[int], list[int]]:
    """Return the numbers of the writers and readers that are meant; for the arguments see `measure_path`.

    Raises:
        RequestError: for a sender or receiver that the model does not have, and for one that reads before the sender
            writes.
    """
    layer, _, part = sender.partition(".")
    heads = [number for number, name in enumerate(graph.writers) if name.startswith(f"{layer}H")]
    writers = (
        heads if part == "attn" else [number for number, name in enumerate(graph.writers) if name == sender]
    )
    readers = [
        number
        for number, name in enumerate(graph.readers)
        if name == receiver or (name.startswith(f"{receiver}.") and "H" in receiver)
    ]
    faults = []
    if not writers:
        faults.append(
            Fault(
                message="unknown sender",
                expected=f"embed, a head, an MLP or an attention, up to {graph.writers[-1]}",
                got=quote(sender),
                hint=f"Write it like {graph.writers[1]}. Layers and heads count from 0.",
            )
        )
    if not readers:
        faults.append(
            Fault(
                message="unknown receiver",
                expected=f"a head's q, k or v, an MLP or {LOGITS}, from {graph.readers[0]} to {graph.readers[-2]}",
                got=quote(receiver),
                hint=f"Write it like {graph.readers[1]}. Layers and heads count from 0.",
            )
        )
    if writers and readers and not graph.linked[np.ix_(writers, readers)].all():
        faults.append(
            Fault(
                message="the receiver comes before the sender",
                expected=f"a receiver behind {sender}",
                got=receiver,
                hint="Exchange them, or choose a higher layer.",
            )
        )
    if faults:
        raise RequestError(*faults)
    return writers, readers


@dataclass(frozen=True)
class Carried:
    """What edges carry, for every pair of states; see `Path`."""

    differs: Bool[np.ndarray, "pair answer"]
    gap: Float[np.ndarray, "pair answer"]
    moved: Float[np.ndarray, "pair answer"]
    flipped: Bool[np.ndarray, "pair answer"]


@torch.no_grad()
def send(texts: PairedTexts, edges: Float[np.ndarray, "writer reader token"]) -> Carried:
    """Return what happens to the answers if some edges carry the source's values.

    Args:
        texts: of the model; its passes over bases and sources serve for any edges.
        edges: which, as ones and zeros.
    """
    chosen = torch.from_numpy(edges).to(texts.answers.device)
    found: list[list[np.ndarray]] = []
    for pairs in texts.pairs.split(np.arange(len(texts.pairs.base))):
        detour = Detour(chosen, texts.flow.written[:, pairs.source])
        patched = texts.graph.run(texts.embedded[pairs.base], detour).scores
        columns = []
        for answer, position in enumerate(texts.template.answer_positions.tolist()):
            passes = (patched, texts.flow.scores[pairs.base], texts.flow.scores[pairs.source])
            now, low, high = (texts.difference(each[:, position - 1], pairs, answer) for each in passes)
            wanted = texts.answers[pairs.source, answer]
            differs = wanted != texts.answers[pairs.base, answer]
            after, before = (each[:, position - 1].argmax(-1) == wanted for each in passes[:2])
            flips = differs & after & ~before
            columns.append(
                torch.stack([differs.double(), (high - low).double(), (now - low).double(), flips.double()])
            )
        found.append(list(torch.stack(columns, -1).cpu().numpy()))
    differs, gap, moved, flipped = (np.concatenate(each) for each in zip(*found, strict=True))
    return Carried(differs.astype(bool), gap, moved, flipped.astype(bool))
