"""GPT-2s trained side by side: transformers' model with an explicit backward pass, for a batch of models at once.

For one model on a CPU this takes two thirds of the time of a module under autograd. GELU uses a sigmoid, several times
as fast as a tanh; dropout uses one draw of random bits; nothing is copied between operations.
The tests compare losses and gradients with transformers'.

With x the residual stream and LN the LayerNorm, each layer computes

    h = x + drop(Wo · concat_heads(drop(softmax(q kᵀ / √d)) v)),  q, k, v = W · LN(x)
    x = h + drop(W₂ · gelu(W₁ · LN(h))),                          gelu(a) = a · σ(2√(2/π) (a + 0.044715 a³))

which is GELU's tanh form (Hendrycks and Gimpel 2016), since tanh(u) = 2σ(2u) - 1. The letters of the code:
`d_x` is the derivative of the losses with respect to x; M models, S samples, T tokens, H heads, D width, N = S·T.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import GPT2LMHeadModel
from typing_extensions import override

from playground.models.gpt2.config import check_config
from playground.models.interface.ensemble import Ensemble, views

_SLOPE = 2 * math.sqrt(2 / math.pi)
_CUBE = 0.044715
_BITS = 16


@dataclass(frozen=True)
class _Norm:
    """What the backward pass of a LayerNorm needs."""

    x: Tensor
    normed: Tensor
    mean: Tensor
    scale: Tensor


@dataclass(frozen=True)
class _Layer:
    """What the backward pass of a layer needs; masks are None without dropout."""

    norm_1: _Norm
    y: Tensor
    heads: tuple[Tensor, Tensor, Tensor]
    pattern: Tensor
    dropped: Tensor
    z: Tensor
    masks: tuple[Tensor | None, Tensor | None, Tensor | None]
    norm_2: _Norm
    h: Tensor
    a: Tensor
    sigma: Tensor
    gelu: Tensor


class Gpt2Ensemble(Ensemble):
    """GPT-2s of one size.

    Args:
        models: provide the initial parameters, all on one device; the models themselves stay unchanged.
        dropout: of embeddings, attention patterns and what attention and MLP add, 0 or above, below 1;
            rounded to a multiple of 2⁻¹⁶.
        generator: draws the random bits of dropout, on the same device.

    Raises:
        RequestError: if their configuration has settings that are not honoured, see `gpt2/config.py`.
    """

    def __init__(self, models: Sequence[GPT2LMHeadModel], dropout: float, generator: torch.Generator) -> None:
        first = models[0]
        check_config(first.config, to_learn=True)
        shapes = {name: parameter.shape for name, parameter in first.named_parameters()}
        rows = [torch.cat([each.detach().flatten() for each in model.parameters()]) for model in models]
        parameters = torch.stack(rows)
        super().__init__(parameters, torch.zeros_like(parameters))
        self.config = first.config
        self._heads = self.config.n_head
        self._weights = views(self.parameters, shapes)
        self._slopes = views(self.gradients, shapes)
        self._generator = generator
        self._dropped = round(dropout * 2**_BITS)
        self._one_hot = torch.eye(self.config.vocab_size, device=parameters.device, dtype=parameters.dtype)
        length = self.config.n_positions
        self._causal = parameters.new_full((length, length), -torch.inf).triu(1)

    @override
    def learn(self, tokens: Int[Tensor, "model sample token"]) -> Float[Tensor, " model"]:
        # Nothing follows the last token, so it is no input.
        given, wanted = tokens[:, :, :-1], tokens[:, :, 1:].flatten(1)
        with torch.no_grad():
            layers: list[_Layer] = []
            chosen = self._one_hot[given.flatten(1)]
            masks = self._draw(given.shape)
            mask = next(masks)
            x = self._embed(chosen, given.shape, mask)
            for layer in range(self.config.n_layer):
                x, kept = self._forward(layer, x, given.shape, masks)
                layers.append(kept)
            last, y = self._norm("transformer.ln_f", x)
            logs = torch.bmm(y, self._weights["transformer.wte.weight"].mT).log_softmax(-1)
            losses = -logs.gather(-1, wanted[:, :, None]).mean((1, 2))

            d_logits = logs.exp_().sub_(self._one_hot[wanted]).div_(wanted.shape[1])
            embedding = self._slopes["transformer.wte.weight"]
            torch.bmm(d_logits.mT, y, out=embedding)
            d_y = torch.bmm(d_logits, self._weights["transformer.wte.weight"])
            d_x = self._norm_backward("transformer.ln_f", last, d_y)
            for layer in reversed(range(self.config.n_layer)):
                d_x = self._backward(layer, d_x, layers[layer], given.shape)
            d_x = d_x if mask is None else d_x.mul_(mask)
            embedding += torch.bmm(chosen.mT, d_x)
            positions = self._slopes["transformer.wpe.weight"]
            torch.sum(d_x.unflatten(1, given.shape[1:]), 1, out=positions[:, : given.shape[2]])
        return losses

    @override
    def logits(self, tokens: Int[Tensor, "model row token"]) -> Float[Tensor, "model row token vocabulary"]:
        with torch.no_grad():
            chosen = self._one_hot[tokens.flatten(1)]
            x = self._embed(chosen, tokens.shape, None)
            for layer in range(self.config.n_layer):
                x, _ = self._forward(layer, x, tokens.shape, _none())
            _, y = self._norm("transformer.ln_f", x)
            scores = torch.bmm(y, self._weights["transformer.wte.weight"].mT)
            return scores.unflatten(1, tokens.shape[1:])

    @override
    def model(self, index: int) -> GPT2LMHeadModel:
        with torch.random.fork_rng():  # The constructor draws random weights.
            model = GPT2LMHeadModel(self.config)
        model.to(self.parameters.device)  # pyright: ignore[reportArgumentType]  transformers' own type is wrong.
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(self._weights[name][index])
        return model

    def _draw(self, shape: torch.Size) -> Iterator[Tensor | None]:
        """Yield the dropout masks of embeddings, then of each layer's pattern, attention and MLP; None without dropout."""
        if self._dropped == 0:
            yield from _none()
        models, samples, tokens = shape
        stream = (samples * tokens, self.config.n_embd)
        pattern = (samples * self._heads, tokens, tokens)
        shapes = [stream, *(pattern, stream, stream) * self.config.n_layer]
        sizes = [math.prod(each) for each in shapes]
        words = torch.empty(
            models, -(-sum(sizes) * _BITS // 64), dtype=torch.int64, device=self.parameters.device
        ).random_(-(2**63), None, generator=self._generator)
        bits = words.view(torch.int16)[:, : sum(sizes)]
        kept = bits >= self._dropped - 2 ** (_BITS - 1)
        masks = kept.to(self.parameters.dtype).mul_(2**_BITS / (2**_BITS - self._dropped))
        for size, piece in zip(shapes, masks.split(sizes, 1), strict=True):
            mask = piece.unflatten(1, size)
            yield mask.flatten(0, 1) if size is pattern else mask

    def _embed(self, chosen: Tensor, shape: torch.Size, mask: Tensor | None) -> Tensor:
        x = torch.bmm(chosen, self._weights["transformer.wte.weight"]).unflatten(1, shape[1:])
        x += self._weights["transformer.wpe.weight"][:, None, : shape[2]]
        x = x.flatten(1, 2)
        return x if mask is None else x.mul_(mask)

    def _forward(
        self, layer: int, x: Tensor, shape: torch.Size, masks: Iterator[Tensor | None]
    ) -> tuple[Tensor, _Layer]:
        models, samples, tokens = shape
        name = f"transformer.h.{layer}"
        norm_1, y = self._norm(f"{name}.ln_1", x)
        mixed = self._linear(f"{name}.attn.c_attn", y)
        mixed = mixed.view(models * samples, tokens, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = mixed.reshape(3, models * samples * self._heads, tokens, -1).unbind()
        scores = torch.baddbmm(self._causal[:tokens, :tokens], q, k.mT, alpha=1 / math.sqrt(q.shape[-1]))
        pattern = scores.softmax(-1)
        mask_1, mask_2, mask_3 = next(masks), next(masks), next(masks)
        dropped = pattern if mask_1 is None else pattern * mask_1
        z = torch.bmm(dropped, v).view(models * samples, self._heads, tokens, -1)
        z = z.transpose(1, 2).reshape(models, samples * tokens, -1)
        h = _add(x, self._linear(f"{name}.attn.c_proj", z), mask_2)
        norm_2, y_2 = self._norm(f"{name}.ln_2", h)
        a = self._linear(f"{name}.mlp.c_fc", y_2)
        sigma = (a * a).mul_(_SLOPE * _CUBE).add_(_SLOPE).mul_(a).sigmoid_()
        gelu = a * sigma
        x = _add(h, self._linear(f"{name}.mlp.c_proj", gelu), mask_3)
        kept = _Layer(
            norm_1, y, (q, k, v), pattern, dropped, z, (mask_1, mask_2, mask_3), norm_2, y_2, a, sigma, gelu
        )
        return x, kept

    def _backward(self, layer: int, d_x: Tensor, kept: _Layer, shape: torch.Size) -> Tensor:
        models, samples, tokens = shape
        name = f"transformer.h.{layer}"
        mask_1, mask_2, mask_3 = kept.masks
        d_gelu = self._linear_backward(f"{name}.mlp.c_proj", kept.gelu, _times(d_x, mask_3))
        # gelu' = σ + gelu · (1 - σ) · d(2u)/da
        slope = (kept.a * kept.a).mul_(3 * _SLOPE * _CUBE).add_(_SLOPE).mul_(kept.gelu)
        d_a = slope.addcmul_(slope, kept.sigma, value=-1).add_(kept.sigma).mul_(d_gelu)
        d_y = self._linear_backward(f"{name}.mlp.c_fc", kept.h, d_a)
        d_h = d_x + self._norm_backward(f"{name}.ln_2", kept.norm_2, d_y)

        d_z = self._linear_backward(f"{name}.attn.c_proj", kept.z, _times(d_h, mask_2))
        d_z = d_z.view(models * samples, tokens, self._heads, -1).transpose(1, 2).flatten(0, 1)
        q, k, v = kept.heads
        d_pattern = _times(torch.bmm(d_z, v.mT), mask_1)
        # The derivative of a softmax p: p · (d_p - Σ p d_p).
        d_scores = d_pattern.mul_(kept.pattern)
        d_scores = d_scores.addcmul_(kept.pattern, d_scores.sum(-1, keepdim=True), value=-1)
        d_scores /= math.sqrt(q.shape[-1])
        d_mixed = torch.empty(3, *q.shape, dtype=q.dtype, device=q.device)
        torch.bmm(d_scores, k, out=d_mixed[0])
        torch.bmm(d_scores.mT, q, out=d_mixed[1])
        torch.bmm(kept.dropped.mT, d_z, out=d_mixed[2])
        d_mixed = d_mixed.view(3, models * samples, self._heads, tokens, -1).permute(1, 3, 0, 2, 4)
        d_mixed = d_mixed.reshape(models, samples * tokens, -1)
        d_y = self._linear_backward(f"{name}.attn.c_attn", kept.y, d_mixed)
        return d_h.add_(self._norm_backward(f"{name}.ln_1", kept.norm_1, d_y))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return torch.baddbmm(self._weights[f"{name}.bias"][:, None], x, self._weights[f"{name}.weight"])

    def _linear_backward(self, name: str, x: Tensor, d_y: Tensor) -> Tensor:
        torch.bmm(x.mT, d_y, out=self._slopes[f"{name}.weight"])
        torch.sum(d_y, 1, out=self._slopes[f"{name}.bias"])
        return torch.bmm(d_y, self._weights[f"{name}.weight"].mT)

    def _norm(self, name: str, x: Tensor) -> tuple[_Norm, Tensor]:
        normed, mean, scale = torch.native_layer_norm(
            x, x.shape[-1:], None, None, self.config.layer_norm_epsilon
        )
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return _Norm(x, normed, mean, scale), torch.addcmul(bias[:, None], normed, weight[:, None])

    def _norm_backward(self, name: str, kept: _Norm, d_y: Tensor) -> Tensor:
        torch.sum(d_y * kept.normed, 1, out=self._slopes[f"{name}.weight"])
        torch.sum(d_y, 1, out=self._slopes[f"{name}.bias"])
        d_normed = d_y * self._weights[f"{name}.weight"][:, None]
        return torch.ops.aten.native_layer_norm_backward(
            d_normed, kept.x, d_y.shape[-1:], kept.mean, kept.scale, None, None, [True, False, False]
        )[0]


def _none() -> Iterator[None]:
    """Yield None forever."""
    while True:
        yield None


def _times(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _add(x: Tensor, y: Tensor, mask: Tensor | None) -> Tensor:
    return x + y if mask is None else torch.addcmul(x, y, mask)
