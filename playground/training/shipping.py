"""What of a run's snapshots comes with the project: a few, in half precision where that changes no answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import Module

from playground.datasets import DatasetSpec
from playground.files import write_bytes
from playground.models import Architecture, Size, snapshot_path, snapshots_of
from playground.training.evaluation import measure_boards

SHIPPED_SNAPSHOTS = 8


def thin_snapshots(folder: Path, architecture: Architecture, spec: DatasetSpec, size: Size) -> None:
    """Leave eight snapshots of a run, early ones rather than late ones, and round each if its board stays the same."""
    steps = snapshots_of(folder)
    # By the square of its number: half of them lie in the first quarter, where most is learnt.
    last = steps[-1] if steps else 0
    wanted = [last * (number / SHIPPED_SNAPSHOTS) ** 2 for number in range(1, SHIPPED_SNAPSHOTS + 1)]
    kept = {min(steps, key=lambda step: abs(step - each)) for each in wanted} if steps else set()
    model = architecture.make(spec.template, size, 0)
    for step in steps:
        path = snapshot_path(folder, step)
        if step not in kept:
            path.unlink()
            continue
        tensors = load_file(path)
        rounded = {name: tensor.half() for name, tensor in tensors.items()}
        exact, coarse = (_written(architecture, model, spec, each) for each in (tensors, rounded))
        if torch.equal(exact, coarse):
            write_bytes(path, save(rounded))


def _written(
    architecture: Architecture, model: Module, spec: DatasetSpec, tensors: Mapping[str, Tensor]
) -> Tensor:
    """Return what a model with these weights writes in every state."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    ensemble = architecture.ensemble([model], 0.0, torch.Generator())
    (board,) = measure_boards(ensemble, [spec], architecture.name)
    return torch.from_numpy(board.tokens)
