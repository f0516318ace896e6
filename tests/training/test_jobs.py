"""Several trainings at once: each learns what it would learn alone, and none harms another."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.datasets import DatasetSpec, Sizes, generate, load_dataset
from playground.models import ARCHITECTURES, Size
from playground.training import Job, Recipe, run_jobs, train_model

SIZES = {
    "gpt2": Size(width=16, layers=1, heads=2),
    "rnn": Size(width=16, layers=1),
    "cnn": Size(width=16, layers=3),
}


@pytest.fixture(scope="module")
def data(second_world, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "d"
    generate(DatasetSpec(world=second_world, sizes=Sizes(train=64, valid=8, test=4)), folder)
    return folder


def job(data: Path, place: Path, architecture: str, **recipe) -> Job:
    return Job(
        architecture=architecture,
        size=SIZES[architecture],
        dataset=data,
        folder=place / architecture,
        recipe=Recipe(**{"epochs": 2, "threads": 1, **recipe}),
        device="cpu",
        command="the tests",
    )


def test_it_does_not_matter_what_script_this_process_is(data, tmp_path, monkeypatch):
    script = types.ModuleType("__main__")
    script.__file__ = str(tmp_path / "script.py")
    (tmp_path / "script.py").write_text("raise SystemExit('this script is not to be run again')")
    monkeypatch.setitem(sys.modules, "__main__", script)
    last = list(run_jobs([job(data, tmp_path, "rnn")]))[-1]
    assert last.failure is None
    assert last.progress.step.number == 8


def test_a_process_that_is_killed_is_told_and_the_others_go_on(data, tmp_path):
    jobs = [job(data, tmp_path, "rnn", epochs=50_000), job(data, tmp_path, "cnn")]
    children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children")
    before = set(children.read_text().split())
    last = {}
    for report in run_jobs(jobs, cores=1):
        last[report.job.architecture] = report
        if len(last) == 1 and not report.done:
            for child in set(children.read_text().split()) - before:
                os.kill(int(child), signal.SIGKILL)
    assert last["rnn"].failure.error == "its process ended with status -9"
    assert last["cnn"].progress.step.number == 8


def test_side_by_side_each_learns_what_it_learns_alone(data, tmp_path):
    jobs = [job(data, tmp_path / "together", name) for name in SIZES]
    reports = list(run_jobs(jobs, cores=2))
    done = [report.job.architecture for report in reports if report.done]
    assert sorted(done) == sorted(SIZES)
    assert not any(report.failure for report in reports)
    for each in jobs:
        last = [report for report in reports if report.job == each][-1].progress
        assert last.step.number == last.step.total == 8
        spoken = [report.progress.evaluation for report in reports if report.job == each]
        assert [evaluation.step for evaluation in spoken if evaluation] == [4, 8]
        alone = tmp_path / "alone" / each.architecture
        kind = ARCHITECTURES[each.architecture]
        dataset = load_dataset(data)
        list(train_model(kind, each.size, dataset, alone, each.recipe, torch.device("cpu"), "the tests"))
        weights = [folder / "model.safetensors" for folder in (alone, each.folder)]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def test_what_goes_wrong_with_one_is_told_and_the_others_go_on(data, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(data, bad)
    (bad / "train.jsonl").write_text("{")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "file").write_text("a file where a folder should be")
    jobs = [
        replace(job(data, tmp_path / "runs", "gpt2"), dataset=bad),
        job(data, tmp_path / "runs", "rnn"),
        job(data, tmp_path / "runs" / "file", "cnn"),
    ]
    last = {report.job.architecture: report for report in run_jobs(jobs, cores=3)}
    assert "train.jsonl" in last["gpt2"].failure.error
    assert last["gpt2"].failure.faults
    assert last["rnn"].progress.step.number == 8
    assert last["cnn"].failure
    assert last["cnn"].failure.details.startswith("Traceback")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["file", "rnn"]


def test_when_nobody_listens_any_more_all_end_and_nothing_is_left(data, tmp_path):
    jobs = [job(data, tmp_path, name, epochs=50_000) for name in ("rnn", "cnn")]
    reports = run_jobs(jobs, cores=2)
    heard = set()
    while len(heard) < 2:
        heard.add(next(reports).job.architecture)
    reports.close()
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []
