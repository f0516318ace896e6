"""Seconds for a flip atlas of the largest matrix of each shipped model, on all cores. Run by `make bench`.

All rows and columns are measured. Single weights are measured for half a minute, from which the time for all is
extrapolated.
"""

from __future__ import annotations

import os

# Set before torch is imported: threads that spin while waiting slow down everything else on the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import time

import torch

from playground.analysis import flip_atlas
from playground.inference import Model, load_model
from playground.interventions import parse_site
from playground.models import ARCHITECTURES, Site

PATIENCE = 30.0
"""Seconds."""


def largest(model: Model) -> Site:
    """Return the largest weight; of several, the first."""
    weights = model.network.weights
    return max(weights, key=lambda site: weights[site].numel())


def measure(model: Model, weight: Site) -> None:
    """Measure all atlases of one weight, and print their times."""
    shape = " x ".join(map(str, model.network.weights[weight].shape))
    for by in ("rows", "columns", "weights"):
        started, spent = time.perf_counter(), time.process_time()
        done, total = 0, 0
        for atlas in flip_atlas(model, weight, by):
            done, total = atlas.progress
            if by == "weights" and time.perf_counter() - started > PATIENCE:
                break
        seconds, spent = time.perf_counter() - started, time.process_time() - spent
        print(
            f"{model.name} {weight} {shape}, {by}: {done} of {total} in {seconds:.1f} s ({spent:.1f} s of cores), "
            f"{1000 * seconds / done:.1f} ms each"
            + (f"; all in {seconds * total / done / 60:.0f} min" if done < total else ""),
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    print(f"{torch.get_num_threads()} threads")
    for architecture in ARCHITECTURES:
        model = load_model("shipped", architecture, "cpu")
        weights = {largest(model)} | ({parse_site("L0.mlp.W_in")} if architecture == "gpt2" else set())
        for weight in sorted(weights, key=str):
            measure(model, weight)


if __name__ == "__main__":
    main()
