"""A model in double precision: what then differs from a reference is no rounding."""

from __future__ import annotations

from dataclasses import replace

import torch

from playground.files import read_json
from playground.inference import Model
from playground.models import ARCHITECTURES


def in_double(model: Model) -> Model:
    """Return the same model in double precision."""
    kind, path = ARCHITECTURES[model.network.architecture], model.checkpoint.folder / "config.json"
    module = kind.build(kind.read_config(read_json(path), str(path)), model.template).double()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(model.network.parameters()[name])
    return Model(replace(model.checkpoint, network=kind.network(module, model.template)))
