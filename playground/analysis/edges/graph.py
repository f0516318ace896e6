"""The residual stream of a transformer as a graph: what writes to it, what reads it, and passes with edges rerouted.

Embedding, heads and MLPs write to the stream at each token; queries, keys and values of each head, the MLPs and
the scores read it. A reader sees the sum of everything written before it, so each pair of a writer and a later reader
is an edge, at each token (Elhage et al. 2021, A mathematical framework for transformer circuits). An edge can be made
to carry a value from another text's pass instead of the writer's own. All other edges carry what is computed,
downstream changes included (as `faithfulness` in TransformerLens, which the readers' names are taken from).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.base.layered import layers_of
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import SiteIntervention
from playground.models import TransformerLayers

EMBED, LOGITS = "embed", "logits"


@dataclass(frozen=True)
class Flow:
    """The result of a pass over some texts.

    Args:
        scores: the scores of the next token.
        written: what each writer adds to the stream.
        read: what the readers read, group by group in their order.
    """

    scores: Float[Tensor, "row token vocabulary"]
    written: Float[Tensor, "writer row token dimension"]
    read: tuple[Float[Tensor, "row _ token dimension"], ...]


@dataclass(frozen=True)
class Detour:
    """Edges that carry values other than the writers' own.

    Args:
        edges: which edges, as ones and zeros.
        values: the values to carry, for all writers.
    """

    edges: Float[Tensor, "writer reader token"]
    values: Float[Tensor, "writer row token dimension"]


class Graph:
    """The writers and readers of a transformer.

    Args:
        layers: the model, layer by layer; its residual stream must be the sum of what is written.

    Attributes:
        writers: their names, in the order in which they write.
        readers: their names, in the order in which they read.
        linked: whether a writer comes before a reader.
    """

    def __init__(self, layers: TransformerLayers) -> None:
        self._layers, heads = layers, range(layers.heads)
        self.writers: tuple[str, ...] = (EMBED,)
        self.readers: tuple[str, ...] = ()
        before: list[int] = []
        for layer in range(layers.count):
            self.readers += tuple(f"L{layer}H{head}.{part}" for part in "qkv" for head in heads)
            before += [len(self.writers)] * (3 * layers.heads)
            self.writers += tuple(f"L{layer}H{head}" for head in heads)
            self.readers += (f"L{layer}.mlp",)
            before.append(len(self.writers))
            self.writers += (f"L{layer}.mlp",)
        self.readers += (LOGITS,)
        before.append(len(self.writers))
        self.linked: Bool[np.ndarray, "writer reader"] = np.arange(len(self.writers))[:, None] < before

    def embed(self, tokens: Int[Tensor, "row token"]) -> Float[Tensor, "row token dimension"]:
        """Return what the embedding writes."""
        return self._layers.embed(tokens)

    def run(self, embedded: Float[Tensor, "row token dimension"], detour: Detour | None = None) -> Flow:
        """Run one pass over texts; differentiable.

        Args:
            embedded: what the embedding writes.
            detour: the edges that carry other values.
        """
        layers, at = self._layers, range(embedded.shape[1])
        x, written, read = embedded, [embedded], []

        def look(count: int) -> Tensor:
            """Return what the next `count` readers read, row x reader x token x dimension."""
            found = x[:, None].expand(-1, count, -1, -1)
            if detour is not None:
                first = sum(each.shape[1] for each in read)
                edges = detour.edges[: len(written), first : first + count]
                # A single path affects one reader: all others read the ordinary stream.
                if edges.any():
                    other = detour.values[: len(written)] - torch.stack(written)
                    found = found + torch.einsum("wrt,wbtd->brtd", edges, other)
            read.append(found)
            return found

        for layer in range(layers.count):
            apart = look(3 * layers.heads).unflatten(1, (3, layers.heads))
            z = layers.look(layer, *layers.attend_apart(layer, apart), at)
            written += layers.heads_out(layer, z).unbind(2)
            x = x + layers.attention_out(layer, z, at)
            added = layers.mlp_out(layer, layers.neurons(layer, look(1)[:, 0], at), at)
            written.append(added)
            x = x + added
        return Flow(layers.unembed(look(1)[:, 0]), torch.stack(written), tuple(read))


def graph_of(model: Model, interventions: InterventionsLike, question: str) -> Graph:
    """Return the graph of a transformer under `interventions`.

    Args:
        model: stays as it is.
        interventions: values, or their text form.
        question: what is measured, in the plural, for error messages ("edges").

    Raises:
        RequestError: as `layers_of` does, and for interventions that make the stream differ from the sum of what
            embedding, heads and MLPs write.
    """
    asked = as_values(interventions)
    layers = layers_of(model, asked, question)
    whole = ("hook_attn_out", "hook_resid_post")
    faults = [
        Fault(
            where=str(each),
            message=f"{question} take no intervention on a part that combines others",
            expected="interventions on the parts that it combines, or on weights",
            got=f"one on {each.site}, which is several of these together",
            hint="Name heads and MLPs one by one, such as zero:L2H0;zero:L2.mlp.",
        )
        for each in asked
        if isinstance(each, SiteIntervention) and each.site.whole not in model.network.weights
        if any(place.hook.endswith(whole) for place in model.network.hook_locations(each.site))
    ]
    if faults:
        raise RequestError(*faults)
    return Graph(layers)
