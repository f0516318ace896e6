"""Path patching: does an answer depend on what one part of a transformer sends directly to another?

Take two states, base and source, that differ in one input. In the pass over the base's text, one receiver reads from
the residual stream what the sender writes in the source's pass instead of the base's. The sender's value reaches no
other part, not even indirectly; everything downstream of the receiver is recomputed (Wang et al. 2022, arXiv
2211.00593; a single edge, as in `get_act_patch_direct_path` in TransformerLens). Each text is the true one of its
state.
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

    For an answer that differs between the two states, the score difference is the score of the source's answer minus
    that of the base's answer, at the position that writes it.

    Args:
        sender: the part that writes.
        receiver: the part that reads.
        positions: the tokens at which it does, by name.
        answers: the world's answers.
        base: the state of each pair whose text is run.
        source: the state from which the sender's value is taken.
        input: the input in which the two differ.
        differs: whether an answer differs.
        gap: score difference in the source's own pass minus that in the base's, in logits; 0 where the answer is the
            same.
        moved: score difference with the path carrying the source's value minus that in the base's pass, in logits; 0
            where the answer is the same.
        flipped: whether the path gives the source's answer the highest score, which it does not have in the base's
            pass; false where the answer is the same.
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
        """For each answer, the fraction of the gap closed: 0 as in the base, 1 as in the source; None without a gap."""
        return self.effect_of(None)

    def effect_of(self, name: str | None) -> tuple[float | None, ...]:
        """Return the same over the pairs that differ in the named input; over all pairs for None."""
        pairs = np.array([name in (None, each) for each in self.input])
        moved, gap = self.moved[pairs].sum(0), self.gap[pairs].sum(0)
        return tuple(float(part / whole) if whole else None for part, whole in zip(moved, gap, strict=True))


def measure_path(
    model: Model, sender: str, receiver: str, positions: str = "", interventions: InterventionsLike = ()
) -> Path:
    """Return what a sender does to the answers through one receiver alone.

    Args:
        model: a model with layers of attention heads; it stays as it is.
        sender: `embed`, a head (`L0H1`), an MLP (`L0.mlp`), or all heads of a layer (`L0.attn`).
        receiver: the input of a head's queries, keys or values (`L1H2.q`, `L1H2.k`, `L1H2.v`) or of all three
            (`L1H2`), of an MLP (`L1.mlp`), or of the unembedding (`logits`). It comes after the sender.
        positions: the tokens at which the value is sent and read, in their text form (`@newB`); all by default.
        interventions: values, or their text form, applied throughout.

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
    """Return the indices of the writers and readers that the names refer to; for the arguments see `measure_path`.

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
                hint="Swap them, or choose a higher layer.",
            )
        )
    if faults:
        raise RequestError(*faults)
    return writers, readers


@dataclass(frozen=True)
class Carried:
    """What edges carry, for every pair of states; see `Path` for the fields."""

    differs: Bool[np.ndarray, "pair answer"]
    gap: Float[np.ndarray, "pair answer"]
    moved: Float[np.ndarray, "pair answer"]
    flipped: Bool[np.ndarray, "pair answer"]


@torch.no_grad()
def send(texts: PairedTexts, edges: Float[np.ndarray, "writer reader token"]) -> Carried:
    """Return what happens to the answers if the given edges carry the source's values.

    Args:
        texts: the model's texts; their unpatched passes are shared by all edges.
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
