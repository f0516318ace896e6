"""The program trains as a user asks it to: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playground.datasets import DatasetSpec, Sizes
from playground.datasets import generate as draw
from playground.worlds import parse_world
from tests.conftest import SECOND_RULES, snapshot
from tests.program import run_program

ARCHITECTURES = ["gpt2", "rnn", "cnn", "mann"]


@pytest.mark.timeout(300)
def test_train_without_a_dataset_makes_the_shipped_one_first(tmp_path):
    result = run_program("train", "gpt2", "--epochs", "0.01", "--device", "cpu", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "six states held out" in result.stderr
    assert len((tmp_path / "data" / "default" / "heldout.jsonl").read_text().splitlines()) == 6
    run = json.loads((tmp_path / "models" / "default" / "gpt2" / "run.json").read_text())
    assert len(run["dataset"]["held_out"]) == 6
    assert run["steps"] == 12
    assert "of 26 seen states and" in result.stderr
    assert "/" + str(tmp_path).split("/")[1] not in run["command"]


def test_a_training_with_another_seed_is_a_run_of_its_own(workplace_copy):
    before = snapshot(workplace_copy)
    result = run_program("train", "--epochs", "0.005", "--seed", "5", cwd=workplace_copy)
    assert result.returncode == 0, result.stderr
    assert before.items() <= snapshot(workplace_copy).items()
    board = run_program("board", "--model", "gpt2@5", "--json", cwd=workplace_copy)
    assert json.loads(board.stdout)["model"] == "gpt2@5"


@pytest.fixture
def tiny_data(tmp_path):
    """Return a working directory with a dataset that is gone through in a second."""
    spec = DatasetSpec(
        world=parse_world(SECOND_RULES), held_out=((1, 1, 0),), sizes=Sizes(train=32, valid=8, test=4)
    )
    draw(spec, tmp_path / "data" / "default")
    return tmp_path


@pytest.mark.timeout(400)
def test_train_all_trains_all_four_and_says_what_each_can_do(tiny_data):
    result = run_program("train", "all", "--seed", "2", cwd=tiny_data, timeout=350)
    assert result.returncode == 0, result.stderr
    assert "DEBUG" not in result.stderr
    assert result.stderr.count("gpt2, epoch 3.00") == 1
    runs = {
        path.parent.name: json.loads(path.read_text()) for path in tiny_data.glob("models/default/*/run.json")
    }
    assert sorted(runs) == sorted(f"{name}@2" for name in ARCHITECTURES)
    for name, run in runs.items():
        assert f"models/default/{name}: writes" in result.stderr
        assert run["command"].startswith("the-experiment train all --name default --seed 2")
        architecture = name.partition("@")[0]
        if architecture == "gpt2":
            assert run["samples"] == 3 * 32
        elif not run["learnt"]:
            assert run["samples"] == 30 * 32
        if not run["learnt"]:
            assert f"{architecture} has not learnt the states that it was shown" in " ".join(
                result.stderr.split()
            )
    answer = run_program("test", "1,1,0", "--json", cwd=tiny_data)
    assert list(json.loads(answer.stdout)["models"]) == [f"{name}@2" for name in ARCHITECTURES]


@pytest.mark.parametrize("name", ["rnn", "cnn", "mann"])
def test_the_flags_of_old_and_sizes(tiny_data, name):
    result = run_program(f"--train_{name}", cwd=tiny_data)
    assert result.returncode == 0, result.stderr
    assert (tiny_data / "models" / "default" / name / "run.json").is_file()
    result = run_program(
        "train", name, "--width", "20", "--layers", "4", "--epochs", "0.5", "--seed", "1", cwd=tiny_data
    )
    assert result.returncode == 0, result.stderr
    run = json.loads((tiny_data / "models" / "default" / f"{name}@1" / "run.json").read_text())
    assert run["size"] == {"width": 20, "layers": 4}
    assert run["steps"] == 1


def test_a_wrong_size_is_told_before_a_dataset_is_drawn(tmp_path):
    result = run_program("train", "rnn", "--width", "0", "--learning-rate", "9", cwd=tmp_path)
    assert result.returncode == 2
    assert "width of a model" in result.stderr
    assert "learning rate of a training" in result.stderr
    assert not (tmp_path / "data").exists()


def test_faults_of_several_trainings_are_told_as_such(tiny_data):
    (tiny_data / "data" / "default" / "train.jsonl").write_text("{")
    result = run_program("train", "all", cwd=tiny_data)
    assert result.returncode == 2
    assert "train.jsonl" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_while_trainings_are_still_starting(workplace_copy):
    """A terminal gives it to all processes of a command at once."""
    before = snapshot(workplace_copy)
    program = Path(sys.executable).with_name("the-experiment")
    process = subprocess.Popen(
        [str(program), "train", "all"],
        cwd=workplace_copy,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while not children.read_text().strip():
        assert time.monotonic() < deadline, "no training begins"
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert snapshot(workplace_copy) == before
    assert not list((workplace_copy / "models").rglob(".*partial*"))


def test_ones_own_models_come_before_those_that_are_shipped(tiny_data):
    result = run_program("train", "cnn", "--epochs", "0.5", cwd=tiny_data)
    assert result.returncode == 0, result.stderr
    result = run_program("test", "1,1,0", "--json", cwd=tiny_data)
    assert list(json.loads(result.stdout)["models"]) == ["cnn"]
    assert result.stderr.count("is left out: it learnt another world") == 3


def test_sizes_of_gpt2(tiny_data):
    result = run_program(
        "train", "--width", "24", "--layers", "2", "--heads", "3", "--epochs", "0.5", cwd=tiny_data
    )
    assert result.returncode == 0, result.stderr
    config = json.loads((tiny_data / "models" / "default" / "gpt2" / "config.json").read_text())
    assert (config["n_embd"], config["n_layer"], config["n_head"]) == (24, 2, 3)
    board = run_program("board", "--on", "zero:L1H2", "--json", cwd=tiny_data)
    assert board.returncode == 0, board.stderr


@pytest.mark.parametrize("architecture", ["gpt2", "all"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_leaves_all_as_it_was(workplace_copy, sent, architecture):
    before = snapshot(workplace_copy)
    program = Path(sys.executable).with_name("the-experiment")
    process = subprocess.Popen(
        [str(program), "train", architecture], cwd=workplace_copy, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list((workplace_copy / "models" / "default").glob(".gpt2.partial-*")):
        assert time.monotonic() < deadline, "the training does not begin"
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "what was there before is as it was" in errors
    assert snapshot(workplace_copy) == before
    assert not list((workplace_copy / "models").rglob(".*partial*"))
