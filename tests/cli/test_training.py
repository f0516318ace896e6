"""The program trains as a user asks it to: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from playground.datasets import DatasetSpec, Sizes, random_hold_out
from playground.datasets import generate as draw
from playground.worlds import parse_world
from tests.conftest import SECOND_RULES, snapshot
from tests.support.moments import STATE, run_until
from tests.support.program import HANGS, run_program

ARCHITECTURES = ["gpt2", "rnn", "cnn", "mann"]


@pytest.mark.slow
def test_train_without_a_dataset_makes_the_shipped_one_first(tmp_path):
    result = run_program("train", "gpt2", "--epochs", "0.01", "--device", "cpu", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "six states held out" in result.stderr
    assert len((tmp_path / "data" / "default" / "heldout.jsonl").read_text().splitlines()) == 6
    run = json.loads((tmp_path / "models" / "default" / "gpt2" / "run.json").read_text())
    assert len(run["dataset"]["held_out"]) == 6
    assert run["steps"] == 12
    assert "of 26 seen states and" in result.stderr
    # The lines of a narrow terminal are broken anywhere.
    assert "held-out states (simple predictors: 0 of 6) correctly, after" in " ".join(result.stderr.split())
    assert "No seen state has sum = 0 or 5." in result.stderr
    assert "/" + str(tmp_path).split("/")[1] not in run["command"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_train_all_trains_all_four_and_says_what_each_can_do(tiny_data):
    result = run_program("train", "all", "--seed", "2", cwd=tiny_data)
    assert result.returncode == 0, result.stderr
    assert "DEBUG" not in result.stderr
    assert result.stderr.count("gpt2@2, epoch 3.00") == 1
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


@pytest.mark.slow
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
    assert "invalid width" in result.stderr
    assert "invalid learning rate" in result.stderr
    assert not (tmp_path / "data").exists()


def test_faults_of_several_trainings_are_told_as_such(tiny_data):
    (tiny_data / "data" / "default" / "train.jsonl").write_text("{")
    result = run_program("train", "all", cwd=tiny_data)
    assert result.returncode == 2
    assert "train.jsonl" in result.stderr
    assert "Traceback" not in result.stderr


def has_worker(pid: int) -> bool:
    """Return whether a process has started one that trains; that one needs seconds to import PyTorch."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # What else it starts may have ended by now.
            if b"workers.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                return True
    return False


@pytest.mark.slow
def test_ctrl_c_while_trainings_are_still_starting(workplace_copy):
    """A terminal gives it to all processes of a command at once."""
    before = snapshot(workplace_copy)
    program = Path(sys.executable).with_name("the-experiment")
    process = subprocess.Popen(
        [str(program), "train", "all", "--replace"],
        cwd=workplace_copy,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + HANGS
    while not has_worker(process.pid):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no training begins"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 1
    assert "Traceback" not in errors
    after = snapshot(workplace_copy)
    assert {path: content for path, content in after.items() if ".unfinished" not in path} == before
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


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "sent"), [("gpt2", signal.SIGINT), ("all", signal.SIGTERM)])
def test_an_interrupted_training_leaves_the_old_run_and_goes_on_when_asked(tiny_data, sent, architecture):
    first = run_program("train", "gpt2", "--epochs", "0.5", cwd=tiny_data)
    assert first.returncode == 0, first.stderr
    before = snapshot(tiny_data)
    program = Path(sys.executable).with_name("the-experiment")
    process = subprocess.Popen(
        [
            str(program),
            *("train", architecture, "--replace"),
            # So many that it is not through when it is asked to end.
            *(["--epochs", "9000"] if architecture == "gpt2" else []),
        ],
        cwd=tiny_data,
        stderr=subprocess.PIPE,
        text=True,
    )
    models = tiny_data / "models" / "default"
    deadline = time.monotonic() + HANGS
    # Of all, the first may be through before anybody looks.
    while not any(
        (models / each).exists() for each in (".gpt2.unfinished/state.safetensors", "gpt2.previous")
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the training does not begin"
        time.sleep(0.02)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=HANGS)
    assert "Traceback" not in errors
    if architecture == "gpt2":
        assert process.returncode == 1
        assert "what was there before is as it was" in errors
        assert "--resume goes on" in errors
        kept = {path: content for path, content in snapshot(tiny_data).items() if ".unfinished" not in path}
        assert kept == before
    assert not list((tiny_data / "models").rglob(".*partial*"))


@pytest.mark.slow
def test_a_resumed_training_ends_as_one_that_was_never_stopped(tiny_data):
    options = ("train", "gpt2", "--width", "16", "--layers", "1", "--heads", "2", "--epochs", "30")
    whole = run_program(*options, cwd=tiny_data)
    assert whole.returncode == 0, whole.stderr
    weights = tiny_data / "models" / "default" / "gpt2" / "model.safetensors"
    expected = weights.read_bytes()
    run_until(STATE, *options, "--replace", cwd=tiny_data)
    weights.write_bytes(b"")
    resumed = run_program("train", "gpt2", "--resume", cwd=tiny_data)
    assert resumed.returncode == 0, resumed.stderr
    assert weights.read_bytes() == expected
    again = run_program("train", "gpt2", "--resume", cwd=tiny_data)
    assert again.returncode == 0, again.stderr
    assert "nothing is left to do" in again.stderr
    assert weights.read_bytes() == expected
    other = run_program("train", "gpt2", "--resume", "--epochs", "2", cwd=tiny_data)
    assert other.returncode == 2
    assert "a complete run keeps its options" in other.stderr
    assert weights.read_bytes() == expected


def test_data_that_are_gone_are_not_drawn_anew_where_a_training_is_to_go_on_with_them(tmp_path):
    kept = tmp_path / "models" / "mine" / ".gpt2.unfinished"
    kept.mkdir(parents=True)
    (kept / "state.safetensors").write_bytes(b"whatever it was")
    result = run_program("train", "gpt2", "--name", "mine", "--resume", cwd=tmp_path)
    assert result.returncode == 2
    assert "data/mine" in result.stderr
    assert not (tmp_path / "data").exists()


def test_json_lines_say_what_happens_and_nothing_else(tiny_data):
    result = run_program("train", "cnn", "--epochs", "2", "--json-lines", "--tensorboard", cwd=tiny_data)
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {each["run"] for each in events} == {"default/cnn"}
    run = json.loads((tiny_data / "models" / "default" / "cnn" / "run.json").read_text())
    evaluations = [each for each in events if each["event"] == "evaluation"]
    plain = [
        {name: value for name, value in each.items() if name not in ("run", "event")} for each in evaluations
    ]
    assert plain == run["evaluations"]
    assert events[-1]["event"] == "done"
    assert events[-1]["number"] == run["steps"] == 4
    assert "━" not in result.stderr
    (file,) = (tiny_data / "logs" / "tensorboard" / "default" / "cnn").iterdir()
    points = read_scalars(file)
    assert points["accuracy_seen/whole"] == pytest.approx(
        {each["step"]: each["accuracy"]["seen"] for each in run["evaluations"]}
    )
    assert points["accuracy_held_out/second"].keys() == {each["step"] for each in run["evaluations"]}


def read_scalars(file: Path) -> dict[str, dict[int, float]]:
    """Return the points of each curve in a file for TensorBoard: records of length, checksum, event, checksum."""
    content, points, place = file.read_bytes(), {}, 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 8], "little")
        event = Event.FromString(content[place + 12 : place + 12 + length])
        for value in event.summary.value:
            points.setdefault(value.tag, {})[event.step] = value.simple_value
        place += length + 16
    return points


@pytest.mark.slow
def test_a_model_for_each_seed_with_a_hold_out_of_its_own(tiny_data):
    options = ("train", "cnn", "--seeds", "3:6", "--omit-random", "2", "--epochs", "1")
    result = run_program(*options, cwd=tiny_data)
    assert result.returncode == 0, result.stderr
    runs = {
        path.parent.name: json.loads(path.read_text()) for path in tiny_data.glob("models/default/*/run.json")
    }
    assert sorted(runs) == ["cnn@3", "cnn@4", "cnn@5"]
    for seed, run in ((3, runs["cnn@3"]), (4, runs["cnn@4"]), (5, runs["cnn@5"])):
        assert run["seed"] == seed
        assert run["recipe"]["threads"] == 1
        world = parse_world(run["dataset"]["world"])
        drawn = random_hold_out(world, 2, seed)
        assert [world.parse_state(state) for state in run["dataset"]["held_out"]] == list(drawn)


def test_until_learned_a_training_ends_when_it_can(tmp_path):
    spec = DatasetSpec(world=parse_world(SECOND_RULES), sizes=Sizes(train=1_600, valid=8, test=4))
    draw(spec, tmp_path / "data" / "default")
    result = run_program("train", "gpt2", "--until-learned", "--evaluations", "3", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    run = json.loads((tmp_path / "models" / "default" / "gpt2" / "run.json").read_text())
    seen = [each["accuracy"]["seen"] for each in run["evaluations"]]
    assert seen[-3:] == [1.0, 1.0, 1.0]
    assert seen[-4] < 1
    assert run["learnt"]
    assert run["steps"] < 300
    assert (run["recipe"]["until_learned"], run["recipe"]["cap"]) == (True, 30)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seeds", "5:5"), "invalid seeds"),
        (("--seeds", "a"), "--seeds: invalid seeds"),
        (("--seed", "-1"), "--seed: not a seed"),
        (("--seed", "1", "--seeds", "0:2"), "one of --seed and --seeds"),
        (("--evaluations", "3"), "--until-learned with it"),
        (("--until-learned", "--evaluations", "0"), "invalid evaluations running"),
        (("--omit-random", "8"), "leave states to train on"),
    ],
)
def test_requests_that_are_wrong(tiny_data, options, said):
    result = run_program("train", "gpt2", *options, cwd=tiny_data)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
    assert not (tiny_data / "models").exists()
