"""Trainings: ours compared with transformers' Trainer, with the original's job, and with the best possible speed.

    python -m tests.benchmarks.training                 what `make bench` runs: about half an hour
    python -m tests.benchmarks.training --quick         everything, too short to mean anything: two minutes
    python -m tests.benchmarks.training --seeds 3750    results of whole trainings besides, five seeds of both
    python -m tests.benchmarks.training --only steps    one part

Prints tables in Markdown, and its progress on standard error. Threads spin while they wait for one whose core is busy.
Next to other work a step therefore takes many times as long, so each part prints how much other work there was. The
sides are in `tests.benchmarks.sides`.
"""

from __future__ import annotations

import os

# Set before transformers is imported, and handed on to the sides' processes.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # Trainer would spread a batch over all GPUs.

import argparse
import platform
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
from loguru import logger
from transformers.utils.logging import disable_progress_bar

from tests.benchmarks.bench import QUICK, Bench, Plan
from tests.benchmarks.tables import say, say_aloud

PARTS = ("steps", "whole", "losses", "limit", "architectures", "until-learned", "many", "seeds")
USUAL = PARTS[:5]
ON_GPU = ("steps", "whole", "until-learned", "many")


def describe_machine() -> str:
    """Return the processor, the GPU and the versions."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    cores = len(os.sched_getaffinity(0))
    return f"{(names or [platform.processor()])[0]}, {cores} cores, {gpu}; python {platform.python_version()}, {versions}"


def seconds_of_others() -> float:
    """Return the core seconds that other processes have used since the machine started; NaN if unknown."""
    try:
        spent = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]
    except OSError:
        return float("nan")
    user, nice, system, _, _, *interrupts = map(int, spent)
    everything = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    return everything - sum(os.times()[:4])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure trainings.")
    parser.add_argument("--quick", action="store_true", help="everything, too short to mean anything")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some parts")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="by default all that there are")
    parser.add_argument("--until-learned", action="store_true", help="also until GPT-2 can do it")
    parser.add_argument("--many", action="store_true", help="also many models at once")
    parser.add_argument(
        "--seeds", type=int, nargs="?", const=Plan.seed_steps, help="also results, after STEPS steps"
    )
    asked = parser.parse_args()
    plan = QUICK if asked.quick else Plan()
    plan = replace(plan, seed_steps=asked.seeds) if asked.seeds else plan
    also = [part for part in PARTS if getattr(asked, part.replace("-", "_"), None)]
    parts = asked.only or (PARTS if asked.quick else [*USUAL, *also])
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    logger.remove()
    disable_progress_bar()
    print(describe_machine(), flush=True)
    for device in [asked.device] if asked.device else devices:
        with tempfile.TemporaryDirectory() as place:
            bench = Bench(plan, Path(place), device)
            for part in parts:
                if device == "cpu" or part in ON_GPU:
                    say(f"{part}, {device}")
                    started, others = time.perf_counter(), seconds_of_others()
                    getattr(bench, part.replace("-", "_"))()
                    there = (time.perf_counter() - started) * (os.cpu_count() or 1)
                    taken = (seconds_of_others() - others) / there
                    say_aloud(f"(Other processes took {taken:.0%} of the cores meanwhile.)")


if __name__ == "__main__":
    main()
