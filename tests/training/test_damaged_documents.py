"""What is kept of a training that is not finished, damaged in every way: it goes on, or a `RequestError` says what is wrong."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from playground.errors import RequestError
from playground.json_text import parse_json
from playground.training import Job, Recipe
from tests.support.mutations import mutations
from tests.training.small_jobs import make_job

pytestmark = pytest.mark.slow

JOBS, STATES, RECIPES = 600, 300, 300
SHARES = {"seen": 0.5, "held_out": None, "by_output": {"first": {"seen": 0.5, "held_out": None}}}
EVALUATION = {"step": 0, "epoch": 0.0, "seconds": 0.1, "loss": None, "accuracy": SHARES}
STATE = {
    "seconds": 1.5,
    "losses": [[0.5, float("nan")]],
    "records": [{"running": 1, "learnt": False, "evaluations": [EVALUATION]}],
}


@pytest.fixture
def job(tmp_path) -> Job:
    return make_job(tmp_path / "data", tmp_path / "models", seeds=(3, 7))


def test_a_job_is_read_or_refused(job):
    job.unfinished.folder.mkdir(parents=True)
    read, refused = 0, 0
    for content in mutations(job.to_json() | {"data": []}, JOBS, seed=1):
        (job.unfinished.folder / "job.json").write_bytes(content)
        try:
            found = Job.from_json(job.unfinished.job(), job.folder)
        except RequestError as error:
            refused += 1
            str(error).encode()
        else:
            read += 1
            assert found.names
            assert found.recipe.steps(100) >= 1
    assert read >= 50
    assert refused >= 200


def test_a_state_is_read_or_refused(job):
    job.unfinished.folder.mkdir(parents=True)
    read, refused = 0, 0
    for content in mutations(STATE, STATES, seed=2):
        try:
            text = content.decode()
        except UnicodeDecodeError:
            continue
        path = job.unfinished.folder / "state.safetensors"
        save_file({"number": torch.tensor(5)}, path, {"document": text.replace("\x00", "")})
        try:
            evaluations = job.unfinished.evaluations()
            job.unfinished.load()
        except RequestError as error:
            refused += 1
            str(error).encode()
        else:
            read += 1
            assert all(
                each["step"] >= 0 and each["accuracy"]["by_output"] is not None for each in evaluations
            )
    assert read >= 20
    assert refused >= 100


def test_a_recipe_is_read_or_refused(job):
    read, refused = 0, 0
    for content in mutations(job.recipe.to_json(), RECIPES, seed=3):
        try:
            recipe = Recipe.from_json(parse_json(content, "run.json", ""))
        except RequestError as error:
            refused += 1
            str(error).encode()
        else:
            read += 1
            assert recipe.steps(100) >= 1
    assert read >= 20
    assert refused >= 100
