"""Milliseconds of a training step of each architecture, side by side: its recipe, its default size, the shipped data.

Rounds over all architectures, so that whatever else the machine does falls on all alike. Run by `make bench`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch

from playground.datasets import SHIPPED_HOLD_OUT, DatasetSpec, generate, load_dataset, parse_hold_out
from playground.files import default_rules
from playground.models import ARCHITECTURES
from playground.training import RECIPES, train
from playground.worlds import load_world

ROUNDS, STEPS = 6, 25


def main() -> None:
    """Measure and print."""
    world = load_world(default_rules())
    spec = DatasetSpec(world=world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, world))
    with tempfile.TemporaryDirectory() as place:
        generate(spec, Path(place) / "data")
        samples = torch.from_numpy(load_dataset(Path(place) / "data").train)
    measured: dict[str, list[float]] = {name: [] for name in ARCHITECTURES}
    for number in range(ROUNDS):
        for name, kind in ARCHITECTURES.items():
            model = kind.make(spec.template, kind.default_size(spec.template), 0)
            loop = train(model, lambda tokens, k=kind, m=model: k.logits(m, tokens), samples, RECIPES[name])
            for _ in range(3):
                next(loop)
            started = time.perf_counter()
            for _ in range(STEPS):
                next(loop)
            measured[name].append(1000 * (time.perf_counter() - started) / STEPS)
            loop.close()
        print(f"round {number + 1} of {ROUNDS}")
    reference = statistics.median(measured["gpt2"])
    for name, times in measured.items():
        median = statistics.median(times)
        print(
            f"{name}: {median:.1f} ms a step (from {min(times):.1f} to {max(times):.1f}), "
            f"{median / reference:.2f} of GPT-2's; an epoch of 1,250 steps {1.25 * median:.0f} s"
        )


if __name__ == "__main__":
    main()
