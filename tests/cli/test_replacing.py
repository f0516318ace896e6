"""A complete run is not replaced unasked, its predecessor is named, and a stopped training can be thrown away."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from playground.datasets import DatasetSpec, Sizes, generate
from playground.worlds import parse_world
from tests.conftest import SECOND_RULES, snapshot
from tests.support.moments import REQUEST, STATE, run_until, waiting_at
from tests.support.program import run_program

SHORT = ("--epochs", "0.5")
SMALL = ("--width", "16", "--epochs", "2")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a working directory with a dataset that is gone through in a second."""
    spec = DatasetSpec(
        world=parse_world(SECOND_RULES), held_out=((1, 1, 0),), sizes=Sizes(train=32, valid=8, test=4)
    )
    generate(spec, tmp_path / "data" / "default")
    return tmp_path


def said(result: subprocess.CompletedProcess[str]) -> str:
    return " ".join(result.stderr.split())


def steps(run: Path) -> int:
    return json.loads((run / "run.json").read_text())["steps"]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [("cnn",), ("all",), ("cnn", "--seeds", "0:3"), ("cnn", "--epochs", "9")])
def test_a_complete_run_is_not_replaced_unasked(place, asked):
    assert run_program("train", "cnn", *SHORT, cwd=place).returncode == 0
    before = snapshot(place)
    result = run_program("train", *asked, cwd=place)
    assert result.returncode == 2
    assert "models/default/cnn: this run is complete already" in said(result)
    assert "With --replace it is kept as models/default/cnn.previous." in said(result)
    assert snapshot(place) == before


@pytest.mark.slow
def test_what_is_replaced_is_named_before_and_after_with_the_place_where_it_is_kept(place):
    models = place / "models" / "default"
    assert run_program("train", "cnn", "--epochs", "1", cwd=place).returncode == 0
    second = run_program("train", "cnn", "--epochs", "2", "--replace", cwd=place)
    assert second.returncode == 0
    before, after = second.stderr.split("writes", 1) if "writes" in second.stderr else (second.stderr, "")
    assert "the old one is kept as models/default/cnn.previous" in " ".join(before.split())
    assert "in place of the one" not in said(second)
    assert "models/default/cnn.previous: the run that was there before" in " ".join(after.split())
    assert (steps(models / "cnn"), steps(models / "cnn.previous")) == (4, 2)
    third = run_program("train", "cnn", "--epochs", "3", cwd=place)
    assert third.returncode == 2
    assert "what is kept there now is removed" in said(third)
    third = run_program("train", "cnn", "--epochs", "3", "--replace", cwd=place)
    assert "in place of the one that is kept there now" in said(third)
    assert (steps(models / "cnn"), steps(models / "cnn.previous")) == (6, 4)


@pytest.mark.slow
def test_the_flags_of_old_replace_and_say_so(place):
    for _ in range(2):
        result = run_program("--train_cnn", cwd=place)
        assert result.returncode == 0, result.stderr
    assert "the old one is kept as models/default/cnn.previous" in said(result)
    assert "models/default/cnn.previous: the run that was there before" in said(result)


def test_another_run_is_in_nobodys_way(place):
    assert run_program("train", "cnn", *SHORT, cwd=place).returncode == 0
    result = run_program("train", "cnn", "--seed", "1", *SHORT, cwd=place)
    assert result.returncode == 0
    assert "previous" not in result.stderr


@pytest.mark.slow
def test_stopped_trainings_are_thrown_away_and_nothing_else(place):
    models = place / "models" / "default"
    assert run_program("train", "cnn", *SHORT, cwd=place).returncode == 0
    before = snapshot(place)
    run_until(STATE, "train", "cnn", "--replace", *SMALL, cwd=place)
    run_until(STATE, "train", "cnn", "--seed", "7", *SMALL, cwd=place)
    wrong = run_program("discard", "cnn", "rnn", cwd=place)
    assert wrong.returncode == 2
    assert (
        "models/default/rnn: there is no stopped training of that name: expected one of cnn, cnn@7"
        in said(wrong)
    )
    assert (models / ".cnn.unfinished").is_dir()
    result = run_program("discard", "cnn", "cnn@7", "cnn", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "models/default/cnn: what it had learnt in" in said(result)
    assert "models/default/cnn@7: what it had learnt in" in said(result)
    assert snapshot(place) == before
    again = run_program("discard", "cnn", cwd=place)
    assert again.returncode == 2
    assert "here none was" in said(again)


def test_what_was_asked_for_and_never_began_is_thrown_away(place):
    """A training that is killed before PyTorch is there is known all the same, and would be begun by --resume."""
    assert run_program("train", "cnn", *SHORT, cwd=place).returncode == 0
    before = snapshot(place)
    for arguments, run in (
        (("cnn", "--seed", "3"), "cnn@3"),
        (("rnn", "--seeds", "0:2"), "rnn-1"),
        (("all", "--until-learned"), "all"),
    ):
        run_until(REQUEST, "train", *arguments, cwd=place)
        result = run_program("discard", run, cwd=place)
        assert result.returncode == 0, result.stderr
        assert "what was asked for (it never began) is thrown away" in said(result)
        assert snapshot(place) == before


@pytest.mark.slow
def test_what_is_being_trained_is_not_thrown_away(place):
    with waiting_at(STATE, "train", "cnn", *SMALL, cwd=place):
        result = run_program("discard", "cnn", cwd=place)
        assert result.returncode == 2
        assert "Stop it first" in said(result)
        assert (place / "models" / "default" / ".cnn.unfinished" / "state.safetensors").exists()


def test_a_name_that_leads_elsewhere_is_refused(place):
    for name in ("../default", "shipped"):
        result = run_program("discard", "cnn", "--name", name, cwd=place)
        assert result.returncode == 2
    assert run_program("discard", "../../x", cwd=place).returncode == 2
