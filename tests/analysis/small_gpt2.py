"""A GPT-2 so small that every subset of its heads can be tried, and what transformers makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from playground.datasets import DatasetSpec, Template
from playground.inference import Model, open_model
from playground.models import Size
from tests.conftest import SMALL, random_checkpoint

LAYERS, HEADS = 2, 2


def make_small(spec: DatasetSpec, folder: Path, seed: int = 3) -> Model:
    """Return a model with random weights."""
    with patch.dict(SMALL, gpt2=Size(width=16, layers=LAYERS, heads=HEADS)):
        random_checkpoint(spec, folder, seed=seed)
    return open_model(folder, "cpu")


def judged_by_itself(model: Model) -> Model:
    """Return a model of which all is right that it writes unedited, so that any change counts."""
    other, template = Model(model.checkpoint), Template(model.world)
    vars(template)["truth"] = model.baseline_run.tokens.numpy().copy()
    dataset = replace(model.dataset)
    vars(dataset)["template"] = template
    other.dataset, other.template = dataset, template
    return other


def as_transformers(model: Model) -> GPT2LMHeadModel:
    """Return the model as transformers loads and computes it, which is no code of ours."""
    return GPT2LMHeadModel.from_pretrained(model.checkpoint.folder).eval()


@contextmanager
def heads_replaced(gpt2: GPT2LMHeadModel, values: dict[tuple[int, int], Tensor]) -> Iterator[None]:
    """Have heads gather other values, given by layer and head, each token x component or one of these per row."""
    width = gpt2.config.n_embd // gpt2.config.n_head

    def replace_in(layer: int):
        def hook(module, arguments):
            z = arguments[0].clone()
            for (where, head), value in values.items():
                if where == layer:
                    z[..., head * width : (head + 1) * width] = value
            return (z, *arguments[1:])

        return hook

    handles = [
        block.attn.c_proj.register_forward_pre_hook(replace_in(layer))
        for layer, block in enumerate(gpt2.transformer.h)
    ]
    try:
        with torch.no_grad():
            yield
    finally:
        for handle in handles:
            handle.remove()


def gathered(gpt2: GPT2LMHeadModel, tokens: Tensor) -> dict[tuple[int, int], Tensor]:
    """Return what every head gathers on texts, row x token x component, by layer and head."""
    found: dict[tuple[int, int], Tensor] = {}

    def keep(layer: int):
        def hook(module, arguments):
            parts = arguments[0].unflatten(-1, (gpt2.config.n_head, -1))
            found.update({(layer, head): parts[:, :, head] for head in range(gpt2.config.n_head)})

        return hook

    handles = [
        block.attn.c_proj.register_forward_pre_hook(keep(layer))
        for layer, block in enumerate(gpt2.transformer.h)
    ]
    with torch.no_grad():
        gpt2(tokens)
    for handle in handles:
        handle.remove()
    return found
