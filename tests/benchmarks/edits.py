"""Seconds for a board under one intervention and under a hundred, in turn: the whole command, and the board alone.

`python -m tests.benchmarks.edits gpt2 mann --rounds 5`. The board alone uses a freshly opened model each time, so that
nothing is cached from other runs.
"""

from __future__ import annotations

import os

# Set before torch is imported: threads that spin while waiting slow down everything else on the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from playground.inference import Model, load_model
from playground.interventions import fit, parse
from playground.limits import MOST_INTERVENTIONS
from playground.models import ARCHITECTURES
from playground.worlds import state_text
from tests.benchmarks.tables import show


def sets_of(model: Model) -> dict[str, list[str]]:
    """Return a hundred interventions of each kind, on all parts in turn."""
    network, template = model.network, model.template
    one, other = (state_text(model.world.states[index]) for index in (-1, 0))
    weights = [site for site, weight in network.weights.items() if float(weight.std(correction=0))]
    largest = max(weights, key=lambda site: network.weights[site].numel())
    names = list(template.positions)
    found = {
        "zero": [f"zero:{site}" for site in network.elements],
        "mean": [f"mean:{site}" for site in network.sites],
        "resample": [f"resample:{site}<{one}" for site in network.sites],
        "steer": [f"steer:{site}~0.01<{one}>{other}" for site in network.sites],
        "scale, from a token on": [
            f"scale:{site}~1.01@{name}.." for site, name in zip(network.elements, cycle(names), strict=False)
        ],
        "flip of a number": [f"flip:{largest}[{row},3]" for row in range(len(network.weights[largest]))],
        "flip of a share": [f"flip:{largest}~5%#{seed}" for seed in range(1, MOST_INTERVENTIONS + 1)],
        "noise": [f"noise:{site}~0.01#{seed}" for seed, site in enumerate(weights, 1)],
        "flip, each at a token": [
            f"flip:{site}@{name}" for site, name in zip(weights, cycle(names), strict=False)
        ],
    }
    fitting = {
        kind: [text for text in texts if fit([parse(text)], network).applied] for kind, texts in found.items()
    }
    return {kind: list(islice(cycle(texts), MOST_INTERVENTIONS)) for kind, texts in fitting.items()}


def seconds_alone(name: str, text: str) -> float:
    """Return the seconds for one board."""
    model = load_model("shipped", name)
    assert model.baseline.accuracy.all > 0, "what everything needs is not part of it"
    started = time.perf_counter()
    model.board(text)
    return time.perf_counter() - started


def seconds_of_command(name: str, text: str) -> float:
    """Return the seconds for the whole command."""
    program = Path(sys.executable).with_name("the-experiment")
    started = time.perf_counter()
    command = [str(program), "board", "--name", "shipped", "--model", name, "--json", "--on", text]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def compare(measure: Callable[[str, str], float], name: str, texts: list[str], rounds: int) -> list[str]:
    """Return the medians for one and for a hundred interventions, measured in turn, and their ratio."""
    one: list[float] = []
    many: list[float] = []
    for _ in range(rounds):
        one.append(measure(name, texts[0]))
        many.append(measure(name, ";".join(texts)))
    ratio = statistics.median(many) / statistics.median(one)
    return [f"{statistics.median(one):.2f} s", f"{statistics.median(many):.2f} s", f"{ratio:.1f}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=list(ARCHITECTURES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="leave the whole commands out")
    chosen = parser.parse_args()
    rows = []
    for name in chosen.models:
        for kind, texts in sets_of(load_model("shipped", name)).items():
            alone = compare(seconds_alone, name, texts, chosen.rounds)
            command = (
                ["", "", ""] if chosen.alone else compare(seconds_of_command, name, texts, chosen.rounds)
            )
            rows.append([name, kind, *alone, *command])
    heading = ("model", "kind", "one, alone", "a hundred", "ratio", "one, command", "a hundred", "ratio")
    show("A board under one intervention and under a hundred", heading, rows)


if __name__ == "__main__":
    main()
