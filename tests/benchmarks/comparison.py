"""Runs the sides of the comparison: whole jobs one after another, and blocks of steps in turn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playground.files import project_root
from tests.benchmarks.sides import Task


@dataclass(frozen=True, kw_only=True)
class Whole:
    """The seconds of a job, from the start of its process to its end.

    Args:
        start: for interpreter and libraries, data and model, and the end of the process.
        steps: for all steps.
        evaluation: for all evaluations after the first step; ours include their snapshots.
        saving: for the final model.
        number: number of steps.
    """

    start: float
    steps: float
    evaluation: float
    saving: float
    number: int

    @property
    def seconds(self) -> float:
        """The total."""
        return self.start + self.steps + self.evaluation + self.saving

    def extrapolate(self, number: int, evaluations: int) -> Whole:
        """Return an estimate for that many steps and evaluations, from this job with one evaluation."""
        return Whole(
            start=self.start,
            steps=self.steps * number / self.number,
            evaluation=self.evaluation * evaluations,
            saving=self.saving,
            number=number,
        )


def measure_whole(task: Task) -> Whole:
    """Run a job in its own process."""
    started = time.monotonic()
    with _start(task) as process:
        said, _ = process.communicate()
        seconds = time.monotonic() - started
    if process.returncode:
        raise RuntimeError(f"{task.side} ended with status {process.returncode}")
    told = json.loads(said.splitlines()[-1])
    spans = {name: told[name] for name in ("steps", "evaluation", "saving")}
    return Whole(start=seconds - sum(spans.values()), number=told["number"], **spans)


def measure_turns(tasks: Sequence[Task], blocks: int) -> dict[str, list[float]]:
    """Return the milliseconds per step of each side, block by block; the sides take turns in alternating order.

    Args:
        tasks: one for each side; they take `blocks` + 1 blocks of steps, the first of which does not count.
        blocks: number of blocks that count.
    """
    measured: dict[str, list[float]] = {task.side: [] for task in tasks}
    with ExitStack() as stack:
        processes = {task.side: stack.enter_context(_start(task)) for task in tasks}
        stack.callback(lambda: [each.kill() for each in processes.values()])
        for process in processes.values():
            assert process.stdout is not None, "it is a pipe"
            _heard(process)
        for number in range(blocks + 1):
            for side in list(processes)[:: 1 if number % 2 else -1]:
                processes[side].stdin.write("\n")
                processes[side].stdin.flush()
                milliseconds = 1000 * _heard(processes[side])["step"]
                if number:
                    measured[side].append(milliseconds)
    return measured


def _heard(process: subprocess.Popen) -> dict[str, float]:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a side ended with status {process.wait()}")
    return json.loads(line)


def _start(task: Task) -> subprocess.Popen:
    Path(task.out).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.sides", json.dumps(vars(task))]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=project_root())
