"""Data that trainings learn from, and trainings that tests have in common."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.training import Job
from tests.training.small_jobs import draw_data, make_job_with_dropout, train, train_until


@pytest.fixture(scope="session")
def data(second_world, tmp_path_factory) -> Path:
    return draw_data(second_world, tmp_path_factory.mktemp("data") / "d", held_out=((1, 1, 0),))


@pytest.fixture(scope="session")
def world_data(spec, tmp_path_factory) -> Path:
    """Return a dataset of each world."""
    folder = tmp_path_factory.mktemp("data") / "d"
    return draw_data(spec.world, folder, train=96, held_out=spec.held_out)


@pytest.fixture(scope="module")
def gpt2(data, tmp_path_factory) -> Job:
    """Return a training of GPT-2 that never stopped."""
    job = make_job_with_dropout(data, tmp_path_factory.mktemp("whole"))
    train(job)
    return job


@pytest.fixture(scope="module")
def stopped_once(data, tmp_path_factory) -> Path:
    """Return what is left of a training of GPT-2 that stopped in the middle of an epoch."""
    job = make_job_with_dropout(data, tmp_path_factory.mktemp("stopped"))
    train_until(job, 13)
    return job.unfinished.folder


@pytest.fixture
def stopped(data, stopped_once, tmp_path) -> Job:
    """Return that training, to go on."""
    job = make_job_with_dropout(data, tmp_path / "models", resume=True)
    shutil.copytree(stopped_once, job.unfinished.folder)
    return job
