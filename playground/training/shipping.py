"""Which snapshots of a run are shipped: a few, in half precision if that changes no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Leave eight snapshots of a run, mostly early ones, each in half precision if the model still writes the same.

    Args:
        folder: of the run.
        architecture: of the model.
        spec: of the data that it was trained on.
        size: of the model.
    """
    steps = snapshots_of(folder)
    kept = choose_snapshots(steps)
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


def choose_snapshots(steps: Sequence[int]) -> set[int]:
    """Return eight of these steps, or all if there are no more: the first, then steps that are further and further apart.

    Most is learnt early. From the second on, each step is about the same multiple of the previous one.

    Args:
        steps: the available steps, in order.
    """
    if len(steps) <= SHIPPED_SNAPSHOTS:
        return set(steps)
    kept, left = {steps[0]}, list(steps[1:])
    times = SHIPPED_SNAPSHOTS - 2
    first, last = left[0], left[-1]
    for number in range(times + 1):
        wanted = first * (last / first) ** (number / times)
        before = [step for step in left if step <= wanted * (1 + 1e-9)]
        chosen = (before or left)[-1 if before else 0]
        kept.add(chosen)
        left = [step for step in left if step > chosen] or [chosen]
    return kept


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
