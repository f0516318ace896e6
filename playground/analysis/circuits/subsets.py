"""Passes of a transformer with only some of its heads, for many subsets at once, sharing common work.

What a layer computes depends on which of its own heads and of the heads below it are kept. So the passes are the
leaves of a tree with one level per layer, traversed depth first. In the last layer, only the tokens whose scores are
needed are computed.
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
"""Tokens computed at a time on CPU and GPU; few on a CPU, so that they fit its cache."""


class SubsetPasses:
    """Passes of a transformer over the true texts of all states, with the heads outside a subset mean-ablated.

    Args:
        layers: the model, layer by layer, under any edits.
        model: gives the texts and the means.
    """

    def __init__(self, layers: TransformerLayers, model: Model) -> None:
        self._layers, template = layers, model.template
        truth = torch.from_numpy(template.truth).to(model.network.device)
        first = template.prompt_length
        # The prediction after the last token is not needed.
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
        """Yield, a few subsets at a time, which answers are right in which states, and whether all tokens are.

        Args:
            subsets: which heads are kept, all different.
            rows: which of these to run, by index.

        Yields:
            The indices of the subsets, and for each of them the answers and everything, eight states to a byte.
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
        """Run the subsets in `rows`, which share their heads below `layer`; `x` is the residual stream before it."""
        last, heads = layer == self._layers.count - 1, self._layers.heads
        own = subsets[rows, layer * heads : (layer + 1) * heads]
        masks, which = np.unique(own, axis=0, return_inverse=True)
        # Subsets that keep more heads come first.
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
        """Return the head outputs of a layer; in the last layer, only at the needed tokens."""
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
        """Return the residual stream after a layer, for each mask of kept heads."""
        at = self._at if last else range(x.shape[1])
        kept = torch.from_numpy(masks.copy()).to(z.device)[:, None, None, :, None]
        ablated = torch.where(kept, z, self._means[layer][at.start :]).flatten(0, 1)
        before = x[:, at.start :].repeat(len(masks), 1, 1)
        after = self._layers.finish(layer, before + self._layers.attention_out(layer, ablated, at), at)
        return after.unflatten(0, (len(masks), -1))

    @torch.inference_mode()
    def _judge(self, x: Float[Tensor, "mask state at dimension"]) -> UInt8[np.ndarray, "mask target byte"]:
        """Return which answers are right, and whether all tokens are, eight states to a byte."""
        right = self._layers.unembed(x).argmax(-1) == self._wanted
        targets = torch.cat([right[..., self._answers], right.all(-1, keepdim=True)], -1)
        return np.packbits(targets.mT.cpu().numpy(), axis=-1)
