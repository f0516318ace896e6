"""A training that ends before it has learnt anything: what was asked for is known, and nothing else is begun."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from playground.datasets import DatasetSpec, Sizes
from playground.datasets import generate as draw
from playground.worlds import parse_world
from tests.conftest import SECOND_RULES, snapshot
from tests.support.moments import JOB, PLANNED, REQUEST, STATE, run_until, waiting_at
from tests.support.program import HANGS, run_program

pytestmark = pytest.mark.slow

MODELS = Path("models") / "default"
SIZES = ("--width", "24", "--layers", "2", "--heads", "3", "--epochs", "2")


@pytest.fixture
def place(tmp_path):
    """Return a working directory with a dataset that is gone through in a second."""
    spec = DatasetSpec(
        world=parse_world(SECOND_RULES), held_out=((1, 1, 0),), sizes=Sizes(train=32, valid=8, test=4)
    )
    draw(spec, tmp_path / "data" / "default")
    return tmp_path


# A program that is killed when it is about to import something; of PyTorch and transformers when part of it is there.
DIES_IMPORTING = """
import os, signal, sys

module = sys.argv.pop(1)

def kill(event, arguments):
    if event == "import" and arguments[0] == module:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
from playground.cli.main import main
main()
"""


def run_until_it_imports(module: str, *arguments: str, cwd: Path) -> None:
    """Run the program anew, and kill it when it is about to import a module."""
    command = [sys.executable, "-c", DIES_IMPORTING, module, *arguments]
    ended = subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=HANGS)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


MOMENTS = {
    "before PyTorch is imported": partial(run_until_it_imports, "torch"),
    "while PyTorch is imported": partial(run_until_it_imports, "torch.nn"),
    "while transformers is imported": partial(run_until_it_imports, "transformers.utils"),
    "once it is known what is asked for": partial(run_until, REQUEST),
    "while the job is written": partial(run_until, PLANNED),
    "once the job is written": partial(run_until, JOB),
}


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_killed_early_it_begins_with_what_was_asked_for(place, moment):
    MOMENTS[moment]("train", "gpt2", *SIZES, cwd=place)
    kept = {path.name for path in (place / MODELS / ".gpt2.unfinished").glob("*.json")} - {"holder.json"}
    assert kept == KEPT.get(moment, {"request.json"})
    assert not (place / MODELS / "gpt2").exists()
    result = run_program("train", "gpt2", "--resume", cwd=place)
    assert result.returncode == 0, result.stderr
    run = json.loads((place / MODELS / "gpt2" / "run.json").read_text())
    assert run["size"] == {"width": 24, "layers": 2, "heads": 3}
    assert run["recipe"]["epochs"] == 2
    assert run["recipe"]["cap"] is None
    assert "--width 24 --layers 2 --heads 3" in run["command"]
    assert [path.name for path in (place / MODELS).iterdir()] == ["gpt2"]
    again = run_program("train", "gpt2", "--resume", cwd=place)
    assert again.returncode == 0
    assert "nothing is left to do" in again.stderr


KEPT = {
    "while the job is written": {"request.json", "job.json"},
    "once the job is written": {"job.json"},
}


@pytest.mark.parametrize("moment", ["once it is known what is asked for", "once the job is written"])
def test_killed_early_what_was_to_replace_a_complete_run_does_so(place, moment):
    first = run_program("train", "cnn", "--width", "8", "--epochs", "1", cwd=place)
    assert first.returncode == 0, first.stderr
    options = ("--width", "16", "--epochs", "2", "--replace")
    MOMENTS[moment]("train", "cnn", *options, cwd=place)
    result = run_program("train", "cnn", "--resume", cwd=place)
    assert result.returncode == 0, result.stderr
    widths = [
        json.loads((place / MODELS / name / "run.json").read_text())["size"]["width"]
        for name in ("cnn", "cnn.previous")
    ]
    assert widths == [16, 8]
    again = run_program("train", "cnn", "--resume", cwd=place)
    assert "nothing is left to do" in again.stderr


def test_killed_early_a_group_begins_as_a_whole_or_one_by_one(place):
    options = ("--width", "16", "--layers", "4", "--epochs", "1", "--omit-random", "2")
    run_until(REQUEST, "train", "cnn", "--seeds", "3:6", *options, cwd=place)
    one = run_program("train", "cnn", "--seed", "4", "--resume", cwd=place)
    assert one.returncode == 0, one.stderr
    rest = run_program("train", "cnn", "--seeds", "3:6", "--resume", cwd=place)
    assert rest.returncode == 0, rest.stderr
    runs = {path.parent.name: json.loads(path.read_text()) for path in (place / MODELS).glob("*/run.json")}
    assert sorted(runs) == ["cnn@3", "cnn@4", "cnn@5"]
    for run in runs.values():
        assert run["size"] == {"width": 16, "layers": 4}
        assert len(run["dataset"]["held_out"]) == 2
        assert run["recipe"]["threads"] == 1
    assert not list((place / MODELS).glob(".*"))


def test_killed_early_all_of_them_are_known(place):
    run_until(REQUEST, "train", "all", "--until-learned", "--seed", "2", cwd=place)
    result = run_program("train", "rnn", "--seed", "2", "--resume", cwd=place)
    assert result.returncode == 0, result.stderr
    run = json.loads((place / MODELS / "rnn@2" / "run.json").read_text())
    assert run["recipe"]["until_learned"]
    other = run_program("train", "rnn", "--seed", "1", "--resume", cwd=place)
    assert other.returncode == 2


NOTHING = {
    "nothing at all": (),
    "another architecture": ("train", "cnn", "--epochs", "1"),
    "another seed": ("train", "rnn", "--seed", "1", "--epochs", "1"),
}


@pytest.mark.parametrize("others", list(NOTHING))
@pytest.mark.parametrize("said", [(), ("--width", "16")])
def test_where_nothing_was_begun_nothing_is_resumed(place, others, said):
    if NOTHING[others]:
        assert run_program(*NOTHING[others], cwd=place).returncode == 0
    before = snapshot(place)
    result = run_program("train", "rnn", "--resume", *said, cwd=place)
    assert result.returncode == 2
    assert result.stderr.count("ERROR") == 1
    assert "there is nothing to resume" in result.stderr
    command = " ".join(["the-experiment train rnn --name default", *said])
    assert command in result.stderr
    assert snapshot(place) == before


def test_of_several_those_that_were_never_begun_are_named(place):
    assert run_program("train", "cnn", "--epochs", "1", cwd=place).returncode == 0
    result = run_program("train", "cnn", "--seeds", "0:40", "--resume", cwd=place)
    assert result.returncode == 2
    assert "models/default/cnn@1, models/default/cnn@2, models/default/cnn@3 and 36 more" in result.stderr
    result = run_program("train", "all", "--resume", cwd=place)
    assert result.returncode == 2
    assert "neither for models/default/gpt2, models/default/mann, models/default/rnn" in result.stderr


def test_something_else_than_was_asked_for_is_refused(place):
    run_until(REQUEST, "train", "gpt2", *SIZES, cwd=place)
    before = snapshot(place)
    result = run_program("train", "gpt2", "--resume", "--width", "32", cwd=place)
    assert result.returncode == 2
    assert "expected width 24, got 32" in result.stderr
    assert snapshot(place) == before
    same = run_program("train", "gpt2", "--resume", *SIZES, cwd=place)
    assert same.returncode == 0, same.stderr


def test_a_new_one_that_is_killed_early_has_not_given_up_the_one_before(place):
    options = ("--width", "16", "--layers", "1", "--heads", "2", "--epochs", "2")
    run_until(STATE, "train", "gpt2", *options, cwd=place)
    state = place / MODELS / ".gpt2.unfinished" / "state.safetensors"
    before = state.read_bytes()
    run_until(REQUEST, "train", "gpt2", *SIZES, cwd=place)
    assert state.read_bytes() == before
    wrong = run_program("train", "gpt2", "--width", "25", cwd=place)
    assert wrong.returncode == 2
    assert "given up" not in wrong.stderr
    assert state.read_bytes() == before
    anew = run_program("train", "gpt2", *SIZES, cwd=place)
    assert anew.returncode == 0, anew.stderr
    assert anew.stderr.count("is given up") == 1


WRONG = [("--width", "0"), ("--seed", "-1"), ("--epochs", "0"), ("--device", "tpu"), ("--omit-random", "8")]


@pytest.mark.parametrize("options", WRONG)
def test_what_was_wrong_is_not_kept(place, options):
    before = snapshot(place)
    result = run_program("train", "gpt2", *options, cwd=place)
    assert result.returncode == 2
    assert snapshot(place) == before
    assert not (place / "models").exists()


@pytest.mark.parametrize("second", ["gpt2", "all", "gpt2 --resume", "gpt2 --seeds 0:3"])
@pytest.mark.parametrize("moment", [REQUEST, JOB], ids=lambda moment: moment.event)
def test_a_second_training_of_what_is_trained_right_now(place, moment, second):
    with waiting_at(moment, "train", "gpt2", *SIZES, cwd=place) as first:
        before = snapshot(place)
        result = run_program("train", *second.split(), cwd=place)
        assert result.returncode == 2, result.stderr
        assert result.stdout == ""
        assert result.stderr.count("models/default/gpt2: this run is being trained right now") == 1
        assert f"process {first}, which has been training it since 20" in result.stderr
        assert "given up" not in result.stderr
        assert snapshot(place) == before


def test_another_run_is_free_meanwhile(place):
    with waiting_at(REQUEST, "train", "gpt2", *SIZES, cwd=place):
        for other in (("rnn",), ("gpt2", "--seed", "1"), ("cnn", "--seed", "0")):
            result = run_program("train", *other, "--epochs", "0.5", cwd=place)
            assert result.returncode == 0, result.stderr
