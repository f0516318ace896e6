"""Passes of a transformer with only some of its heads, for many subsets of them, that share what they can.

What a layer computes depends on the subset of its own heads and of those below it. So the passes are the leaves
of a tree that is gone through depth first, a level for each layer; and in the last layer only the tokens
whose scores are wanted are computed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from playground.inference import Model
from playground.models import TransformerLayers

BLOCK, CUDA_BLOCK = 1024, 65536
"""Tokens that are computed at a time: few, for what lies in a core's cache is quicker."""


class SubsetPasses:
    """The passes of a transformer over the true texts of all states, its other heads mean-ablated.

    Args:
        layers: what the model computes, under whatever edits.
        model: gives the texts, and the means.
    """

    def __init__(self, layers: TransformerLayers, model: Model) -> None:
        self._layers, template = layers, model.template
        truth = torch.from_numpy(template.truth).to(model.network.device)
        first = template.prompt_length
        # What follows the last token is nobody's question.
        self._tokens, self._wanted = truth[:, :-1], truth[:, first:]
        self._at = range(first - 1, template.length - 1)
        self._answers = torch.from_numpy(template.answer_positions - first).to(truth.device)
        self._means = [
            model.values(f"blocks.{layer}.attn.hook_z")[:, :-1].mean(0) for layer in range(layers.count)
        ]
        block = CUDA_BLOCK if truth.device.type == "cuda" else BLOCK
        self._block = max(1, block // self._tokens.numel())
        self._last_block = max(1, block // self._wanted.numel())

    def right(
        self, subsets: Bool[np.ndarray, "subset head"], rows: Int[np.ndarray, " row"]
    ) -> Iterator[tuple[Int[np.ndarray, " some"], UInt8[np.ndarray, "some target byte"]]]:
        """Yield for a few subsets at a time which answers are right in which states, and whether all is.

        Args:
            subsets: which heads are kept, all different.
            rows: which of these are wanted.

        Yields:
            Which of them these are, and for each the answers and everything, eight states in a byte.
        """
        with torch.inference_mode():
            embedded = self._layers.embed(self._tokens)
        return self._above(0, embedded, subsets, rows)

    def _above(
        self,
        layer: int,
        x: Float[Tensor, "state token dimension"],
        subsets: Bool[np.ndarray, "subset head"],
        rows: Int[np.ndarray, " row"],
    ) -> Iterator[tuple[Int[np.ndarray, " some"], UInt8[np.ndarray, "some target byte"]]]:
        """Go through the subsets in `rows`, whose heads below a layer are alike; `x` is the stream before it with these."""
        last, heads = layer == self._layers.count - 1, self._layers.heads
        own = subsets[rows, layer * heads : (layer + 1) * heads]
        masks, which = np.unique(own, axis=0, return_inverse=True)
        # The more is kept the sooner.
        masks, which = masks[::-1], len(masks) - 1 - which.ravel()
        z = self._look(layer, x, last=last)
        size = self._last_block if last else self._block
        for start in range(0, len(masks), size):
            some = self._with(layer, x, z, masks[start : start + size], last=last)
            if last:
                yield rows[np.argsort(which)][start : start + size], self._judge(some)
                continue
            for number, each in enumerate(some, start):
                yield from self._above(layer + 1, each, subsets, rows[which == number])

    @torch.inference_mode()
    def _look(
        self, layer: int, x: Float[Tensor, "state token dimension"], *, last: bool
    ) -> Float[Tensor, "state at head component"]:
        """Return what the heads of a layer gather, in the last one at the wanted tokens."""
        q, k, v = self._layers.attend_from(layer, x)
        at = self._at if last else range(x.shape[1])
        return self._layers.look(layer, q[:, :, at.start :], k, v, at)

    @torch.inference_mode()
    def _with(
        self,
        layer: int,
        x: Float[Tensor, "state token dimension"],
        z: Float[Tensor, "state at head component"],
        masks: Bool[np.ndarray, "mask head"],
        *,
        last: bool,
    ) -> Float[Tensor, "mask state at dimension"]:
        """Return the residual stream after a layer, with some of its heads kept, for each mask."""
        at = self._at if last else range(x.shape[1])
        kept = torch.from_numpy(masks.copy()).to(z.device)[:, None, None, :, None]
        ablated = torch.where(kept, z, self._means[layer][at.start :]).flatten(0, 1)
        before = x[:, at.start :].repeat(len(masks), 1, 1)
        after = self._layers.finish(layer, before + self._layers.attention_out(layer, ablated, at), at)
        return after.unflatten(0, (len(masks), -1))

    @torch.inference_mode()
    def _judge(self, x: Float[Tensor, "mask state at dimension"]) -> UInt8[np.ndarray, "mask target byte"]:
        """Return which answers are right, and whether all tokens are, eight states in a byte."""
        right = self._layers.unembed(x).argmax(-1) == self._wanted
        targets = torch.cat([right[..., self._answers], right.all(-1, keepdim=True)], -1)
        return np.packbits(targets.mT.cpu().numpy(), axis=-1)
