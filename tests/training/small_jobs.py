"""Trainings of a second or less, and what is to be the same about two of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from playground.datasets import DatasetSpec, Sizes, generate
from playground.models import Size
from playground.training import Job, Progress, Recipe, Report, train_model
from playground.worlds import World

SIZES = {
    "gpt2": Size(width=16, layers=1, heads=2),
    "rnn": Size(width=16, layers=1),
    "cnn": Size(width=16, layers=3),
    "mann": Size(width=16, layers=1),
}
FOREVER = {"epochs": 50_000}


def draw_data(world: World, folder: Path, *, train: int = 56, **spec: Any) -> Path:
    """Draw a dataset whose epochs have a last batch that is short."""
    generate(DatasetSpec(world=world, sizes=Sizes(train=train, valid=8, test=4), **spec), folder)
    return folder


def make_job(
    data: Path, folder: Path, architecture: str = "gpt2", *, recipe: dict[str, Any] | None = None, **job: Any
) -> Job:
    """Return a training of 20 steps, five epochs of four."""
    values = {
        "architecture": architecture,
        "size": SIZES[architecture],
        "dataset": data,
        "folder": folder,
        "seeds": (0,),
        "recipe": Recipe(**{"epochs": 5, "threads": 1} | (recipe or {})),
        "device": "cpu",
        "command": "the tests",
    }
    return Job(**values | job)


def make_job_with_dropout(data: Path, folder: Path, architecture: str = "gpt2", **job: Any) -> Job:
    """Return such a training, of an architecture that has dropout with some."""
    recipe = {"dropout": 0.1 if architecture == "gpt2" else 0.0} | job.pop("recipe", {})
    return make_job(data, folder, architecture, recipe=recipe, **job)


def put_older_run(job: Job, folder: Path) -> dict[str, Any]:
    """Put a run as of that job in place, and return what it says of itself."""
    shutil.copytree(job.folder / job.name, folder / job.name)
    path = folder / job.name / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"command": "the older one"}))
    return json.loads(path.read_text())


def train(job: Job) -> list[Progress]:
    """Do a job to its end."""
    return list(train_model(job))


def train_until(job: Job, step: int | Callable[[Progress], bool]) -> list[Progress]:
    """Do a job until it has taken so many steps, or something else is the case, and stop it there."""
    training, records = train_model(job), []
    for record in training:
        records.append(record)
        if record.step.number == step or (callable(step) and step(record)):
            training.close()
            return records
    raise AssertionError("it came to its end before")


def weights_of(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def document_of(run: Path) -> dict[str, Any]:
    """Return what `run.json` says of a run, but for how long it took."""
    return _without_seconds(json.loads((run / "run.json").read_text()))


def _without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_seconds(each) for key, each in value.items() if key != "seconds"}
    return [_without_seconds(each) for each in value] if isinstance(value, list) else value


def snapshots_in(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "snapshots").iterdir()}


def assert_same_run(run: Path, other: Path) -> None:
    """Do nothing if two runs are the same to the last bit."""
    assert weights_of(run) == weights_of(other)
    assert document_of(run) == document_of(other)
    assert snapshots_in(run) == snapshots_in(other)


def left_in(folder: Path) -> list[str]:
    """Return the names of all that lies in `models/NAME`, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def endings(reports: list[Report]) -> dict[str, Report]:
    """Return the last report of each job, after which there is to be none."""
    done = [report for report in reports if report.done]
    last = {report.job.name: report for report in reports}
    assert [last[report.job.name] for report in done] == done
    assert len(done) == len(last)
    return last


def assert_state_is_whole(job: Job, elsewhere: Path) -> None:
    """Do nothing if what is kept of a job is what a training has that is stopped after as many steps."""
    state, document = job.unfinished.load()
    other = replace(job, folder=elsewhere, resume=False)
    train_until(other, int(state["number"]))
    expected, other_document = other.unfinished.load()
    assert state["number"] > 0
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], value) for name, value in expected.items())
    assert document["losses"] == other_document["losses"]
    assert snapshots_in(job.unfinished.folder) == snapshots_in(other.unfinished.folder)
