"""Seconds for every method of page Mechanism, measured and loaded from disk, on all cores. Run by `make bench`.

`python -m tests.benchmarks.mechanism gpt2 routes patching` measures some of them.
"""

from __future__ import annotations

import os

# Set before torch is imported: threads that spin while waiting slow down everything else on the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import tempfile
import time
from pathlib import Path

import torch

from playground.analysis import METHODS, Method, Store
from playground.inference import Model, load_model
from playground.models import ARCHITECTURES
from tests.benchmarks.tables import show

GOALS = {
    "routes": 2, "tokens": None, "attention": 2, "lens": 2, "attribution": 2, "formulas": 2,
    "patching": 60, "interchange": 300, "circuits": 900,
}  # fmt: skip
"""Seconds, for GPT-2 on two cores."""


def measure(model: Model, method: Method, store: Store) -> list[str]:
    """Return a line: seconds, core seconds, and seconds of the second time."""
    started, spent = time.perf_counter(), time.process_time()
    *_, step = method.run(model, (), store)
    seconds, spent = time.perf_counter() - started, time.process_time() - spent
    started = time.perf_counter()
    *_, again = method.run(model, (), store)
    recalled = time.perf_counter() - started
    assert (again.done, again.of) == (step.done, step.of)
    goal = GOALS.get(method.name) if model.name == "gpt2" else None
    limit = f"{goal} s" if goal else ""
    return [model.name, method.name, f"{seconds:.1f} s", f"{spent:.1f} s", f"{1000 * recalled:.0f} ms", limit]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="all")
    parser.add_argument("methods", nargs="*")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ARCHITECTURES if chosen.model == "all" else [chosen.model]:
            model = load_model("shipped", name)
            assert model.baseline.accuracy.all > 0, "what everything needs is not part of any method's time"
            store = Store(model, (), Path(folder))
            for method in METHODS.values():
                wanted = method.name in chosen.methods or not chosen.methods
                if wanted and not method.unavailable_reason(model.network):
                    rows.append(measure(model, method, store))
    threads = f"{torch.get_num_threads()} threads, {next(iter(model.network.parameters().values())).device}"
    show(f"Methods, {threads}", ("model", "method", "measured", "cores", "recalled", "goal"), rows)


if __name__ == "__main__":
    main()
