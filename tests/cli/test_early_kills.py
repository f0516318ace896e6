"""A training that ends before it has learnt anything: what was asked for is known, and nothing else is begun."""

from __future__ import annotations

import json
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

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]  # Programs that are started anew, each several times.

PROGRAM = str(Path(sys.executable).with_name("the-experiment"))
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


def is_loaded(process: subprocess.Popen, library: str) -> bool:
    return library in Path(f"/proc/{process.pid}/maps").read_text()


MOMENTS = {
    "once it is known what is asked for": lambda process, kept: (kept / "asked.json").exists(),
    "while PyTorch is imported": lambda process, kept: is_loaded(process, "libtorch_cpu"),
    "while transformers is imported": lambda process, kept: is_loaded(process, "tokenizers"),
    "once the job is written": lambda process, kept: (kept / "job.json").exists(),
}


def start_and_kill(place: Path, moment, *command: str, run: str = "gpt2") -> None:
    """Start a command and kill it at a moment."""
    kept = place / MODELS / f".{run}.unfinished"
    process = subprocess.Popen([PROGRAM, *command], cwd=place, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 200
    while not moment(process, kept):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_killed_early_it_begins_with_what_was_asked_for(place, moment):
    start_and_kill(place, MOMENTS[moment], "train", "gpt2", *SIZES)
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


DIES_BEFORE_PYTORCH = """
import os, signal, sys

def kill(event, arguments):
    if event == "import" and arguments[0] == "torch":
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
sys.argv[0] = "the-experiment"
from playground.cli.main import main
main()
"""


def test_what_is_asked_for_is_kept_before_pytorch_is_imported(place):
    command = [sys.executable, "-c", DIES_BEFORE_PYTORCH, "train", "gpt2", *SIZES]
    ended = subprocess.run(command, cwd=place, capture_output=True, check=False, timeout=200)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    kept = place / MODELS / ".gpt2.unfinished"
    assert [path.name for path in kept.glob("*.json") if path.name != "holder.json"] == ["asked.json"]


@pytest.mark.parametrize("moment", ["once it is known what is asked for", "once the job is written"])
def test_killed_early_what_was_to_replace_a_complete_run_does_so(place, moment):
    first = run_program("train", "cnn", "--width", "8", "--epochs", "1", cwd=place)
    assert first.returncode == 0, first.stderr
    options = ("--width", "16", "--epochs", "2", "--replace")
    start_and_kill(place, MOMENTS[moment], "train", "cnn", *options, run="cnn")
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
    asked = MOMENTS["once it is known what is asked for"]
    options = ("--width", "16", "--layers", "4", "--epochs", "1", "--omit-random", "2")
    start_and_kill(place, asked, "train", "cnn", "--seeds", "3:6", *options, run="cnn@3-5")
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
    asked = MOMENTS["once it is known what is asked for"]
    start_and_kill(place, asked, "train", "all", "--until-learned", "--seed", "2", run="all@2")
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
    start_and_kill(place, MOMENTS["once it is known what is asked for"], "train", "gpt2", *SIZES)
    before = snapshot(place)
    result = run_program("train", "gpt2", "--resume", "--width", "32", cwd=place)
    assert result.returncode == 2
    assert "expected width 24, got 32" in result.stderr
    assert snapshot(place) == before
    same = run_program("train", "gpt2", "--resume", *SIZES, cwd=place)
    assert same.returncode == 0, same.stderr


def test_a_new_one_that_is_killed_early_has_not_given_up_the_one_before(place):
    options = ("--width", "16", "--layers", "1", "--heads", "2", "--epochs", "900")
    start_and_kill(
        place, lambda process, kept: (kept / "state.safetensors").exists(), "train", "gpt2", *options
    )
    state = place / MODELS / ".gpt2.unfinished" / "state.safetensors"
    before = state.read_bytes()
    start_and_kill(place, MOMENTS["once it is known what is asked for"], "train", "gpt2", *SIZES)
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
@pytest.mark.parametrize("moment", ["once it is known what is asked for", "once the job is written"])
def test_a_second_training_of_what_is_trained_right_now(place, moment, second):
    kept = place / MODELS / ".gpt2.unfinished"
    command = [PROGRAM, "train", "gpt2", "--width", "16", "--layers", "1", "--heads", "2", "--epochs", "900"]
    with subprocess.Popen(command, cwd=place, stderr=subprocess.DEVNULL) as first:
        try:
            while not (kept / "holder.json").exists() or not MOMENTS[moment](first, kept):
                assert first.poll() is None
                time.sleep(0.005)
            before = sorted(path.name for path in (place / MODELS).iterdir())
            result = run_program("train", *second.split(), cwd=place)
            assert result.returncode == 2, result.stderr
            assert result.stdout == ""
            assert result.stderr.count("models/default/gpt2: this run is being trained right now") == 1
            assert f"process {first.pid}, which has been training it since 20" in result.stderr
            assert "given up" not in result.stderr
            assert first.poll() is None
            assert sorted(path.name for path in (place / MODELS).iterdir()) == before
        finally:
            first.kill()


def test_another_run_is_free_meanwhile(place):
    command = [PROGRAM, "train", "gpt2", "--width", "16", "--layers", "1", "--heads", "2", "--epochs", "900"]
    with subprocess.Popen(command, cwd=place, stderr=subprocess.DEVNULL) as first:
        try:
            while not (place / MODELS / ".gpt2.unfinished" / "holder.json").exists():
                assert first.poll() is None
                time.sleep(0.005)
            for other in (("rnn",), ("gpt2", "--seed", "1"), ("cnn", "--seed", "0")):
                result = run_program("train", *other, "--epochs", "0.5", cwd=place)
                assert result.returncode == 0, result.stderr
        finally:
            first.kill()
