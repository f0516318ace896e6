"""A training that fails: it says why in words, and goes on once it can, to the last bit as if nothing had been."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.errors import RequestError
from playground.models.interface.ensemble import Solo
from playground.training import Job, report_on
from playground.training.loop import Loop
from tests.training.small_jobs import (
    assert_same_run,
    left_in,
    make_job,
    make_job_with_dropout,
    put_older_run,
    snapshots_in,
    train,
    weights_of,
)


def test_a_job_that_cannot_be_read_is_told():
    for wrong, said in (
        ({}, "architecture: expected a value, got nothing"),
        ({"architecture": "gpt2"}, "size: expected a value, got nothing"),
        ({**make_job(Path(), Path()).to_json(), "size": {"depth": 1}}, r"unknown setting size\.depth"),
    ):
        with pytest.raises(RequestError, match=said):
            Job.from_json(wrong, Path("models") / "mine")


def test_a_dataset_that_is_gone_is_told_and_the_training_goes_on_once_it_is_back(gpt2, stopped, tmp_path):
    job = replace(stopped, dataset=tmp_path / "data")
    with pytest.raises(RequestError, match=r"dataset\.json.*No such file"):
        train(job)
    shutil.copytree(stopped.dataset, tmp_path / "data")
    train(job)
    assert_same_run(job.folder / "gpt2", gpt2.folder / "gpt2")


@pytest.mark.parametrize("keep", [0, 7, 200, -1])
def test_a_state_that_is_damaged_is_told_and_can_be_begun_anew(gpt2, stopped, keep):
    path = stopped.unfinished.folder / "state.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RequestError, match=r"a whole file state\.safetensors.*leave --resume out"):
        train(stopped)
    assert path.is_file()
    if keep == 7:
        train(replace(stopped, resume=False))
        assert_same_run(stopped.folder / "gpt2", gpt2.folder / "gpt2")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"recipe": 3, "size": []}'])
def test_a_record_of_what_was_asked_for_that_is_damaged_is_told(stopped, content):
    (stopped.unfinished.folder / "job.json").write_text(content)
    with pytest.raises(RequestError, match=r"job\.json"):
        train(stopped)


@pytest.mark.parametrize(
    ("place", "call"),
    [
        ("playground.training.resume.write_bytes", 2),
        ("playground.training.resume.write_bytes", 24),
        ("playground.training.resume.write_json", 1),
        ("playground.training.training_run.save_model", 1),
        ("playground.training.training_run.write_json", 1),
        ("os.fsync", 1),
        ("os.fsync", 20),
        ("os.fsync", -1),
    ],
)
def test_a_disk_that_is_full_is_told_in_words_and_once_there_is_room_it_goes_on(
    gpt2, data, tmp_path, monkeypatch, place, call
):
    job = make_job_with_dropout(data, tmp_path)
    older = put_older_run(gpt2, tmp_path)
    before = weights_of(tmp_path / "gpt2")
    if call < 0:
        call = count_calls(place, replace(job, folder=tmp_path / "counted"), monkeypatch)
    with monkeypatch.context() as patch:
        fail_at(place, call, patch)
        last = list(report_on(job, lambda: False))[-1]
    assert last.done
    assert "No space left on device" in last.failure.error
    assert last.failure.details.startswith("Traceback")
    assert ("--resume" in last.failure.error) == job.unfinished.exists
    assert weights_of(tmp_path / "gpt2") == before
    assert json.loads((tmp_path / "gpt2" / "run.json").read_text()) == older
    assert [name for name in left_in(tmp_path) if "partial" in name] == []
    if not job.unfinished.exists:
        shutil.rmtree(tmp_path / "gpt2")  # It would be taken for what it should go on to.
    train(replace(job, resume=True))
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")


def test_a_device_that_vanishes_is_told_in_words_and_what_was_kept_last_goes_on(
    gpt2, data, tmp_path, monkeypatch
):
    job = make_job_with_dropout(data, tmp_path)
    step = Loop.step

    def vanish(self):
        if self.number == 13:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure\nCompile with debugging on.")
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", vanish)
        last = list(report_on(job, lambda: False))[-1]
    assert last.done
    assert last.failure.error.startswith("the device failed (CUDA error: unspecified launch failure)")
    assert "--resume" in last.failure.error
    kept = job.unfinished.step
    assert 0 < kept <= 13
    assert f"{kept}.safetensors" in snapshots_in(job.unfinished.folder)
    train(replace(job, resume=True))
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")


def fail_at(place: str, call: int, patch: pytest.MonkeyPatch) -> None:
    """Have a function raise what it raises on a full disk, the so many-th time it is called."""
    module, name = place.rsplit(".", 1)
    original, calls = getattr(__import__(module, fromlist=[name]), name), []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*arguments)

    patch.setattr(place, fail)


def count_calls(place: str, job: Job, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often a training calls a function."""
    module, name = place.rsplit(".", 1)
    original, calls = getattr(__import__(module, fromlist=[name]), name), []
    with monkeypatch.context() as patch:
        patch.setattr(place, lambda *arguments: (calls.append(arguments), original(*arguments))[1])
        train(job)
    return len(calls)


def test_a_training_that_diverges_says_so_and_leaves_the_older_run(data, tmp_path, monkeypatch):
    train(make_job_with_dropout(data, tmp_path, "rnn"))
    before = weights_of(tmp_path / "rnn")
    learn = Solo.learn
    calls = []

    def broken(self, tokens):
        calls.append(None)
        return learn(self, tokens) * (float("nan") if len(calls) == 6 else 1)

    monkeypatch.setattr(Solo, "learn", broken)
    last = list(report_on(make_job_with_dropout(data, tmp_path, "rnn"), lambda: False))[-1]
    assert last.failure.error.startswith("the loss is no number at step 5: the training has diverged")
    assert last.failure.faults == ()
    assert weights_of(tmp_path / "rnn") == before
