"""The program as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
from unittest import mock

import pytest

from tests.conftest import SECOND_RULES, snapshot
from tests.datasets.test_dataset import TRAIN_SHA256
from tests.support.program import run_installed, run_program


@pytest.mark.slow
def test_help_is_quick_and_leaves_nothing(tmp_path):
    result = run_installed("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "generate" in result.stdout
    assert list(tmp_path.iterdir()) == []
    for command in ("generate", "train", "test", "board", "ui"):
        assert run_installed(command, "--help", cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("--generate", "-o", "1,0,1,0,1"), ("generate", "--omit", "1,0,1,0,1")]
)
def test_generate_is_byte_for_byte_the_original(tmp_path, arguments):
    result = run_program(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")
    content = (tmp_path / "data" / "default" / "train.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest() == TRAIN_SHA256
    assert "20,000 samples to train on" in result.stderr
    assert (tmp_path / "logs" / "the-experiment.log").is_file()


def test_generate_and_help_import_neither_torch_nor_transformers(tmp_path):
    code = (
        "import sys; sys.argv = ['the-experiment', 'generate']\n"
        "from playground.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        "assert not {'torch', 'transformers', 'streamlit'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_generate_for_another_world(tmp_path):
    (tmp_path / "my.rules").write_text(SECOND_RULES)
    result = run_program(
        "generate", "--world", "my.rules", "--name", "mine", "--omit-random", "2", "--seed", "4", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    document = json.loads((tmp_path / "data" / "mine" / "dataset.json").read_text())
    assert len(document["held_out"]) == 2
    assert len((tmp_path / "data" / "mine" / "heldout.jsonl").read_text().splitlines()) == 2
    prompts = {
        json.loads(line)["prompt"] for line in (tmp_path / "data/mine/train.jsonl").read_text().splitlines()
    }
    assert len(prompts) == 6
    assert not prompts & set(document["held_out"])


def test_test_answers_in_json(workplace):
    result = run_program("test", "1,0,1,0,1", "--json", "--on", "zero:L1H2@>newB..", cwd=workplace)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) == {
        "prompt",
        "truth",
        "held_out",
        "never_seen",
        "interventions",
        "models",
    }
    assert document["truth"] == "\n0,1,0,1\n3 - 2\n"
    assert document["held_out"] is True
    assert document["interventions"] == ["zero:L1H2@>newB.."]
    answer = document["models"]["gpt2"]
    assert "".join(answer["tokens"]) == answer["completion"]
    assert len(answer["tokens"]) == len(answer["probabilities"]) == 13
    assert answer["correct"] == (answer["completion"] == document["truth"])


@pytest.mark.parametrize("arguments", [("--test", "1,0,1,0,1"), ("test", "1,0,1,0,1")])
def test_test_answers_in_words(workplace, arguments):
    result = run_program(*arguments, cwd=workplace)
    assert result.returncode == 0, result.stderr
    assert "held out of training" in result.stdout
    assert "the rules" in result.stdout
    assert "gpt2" in result.stdout
    assert "right" in result.stdout or "wrong" in result.stdout


@pytest.mark.slow
def test_board_in_json_and_in_words_say_the_same(workplace):
    arguments = ("board", "--name", "second", "--on", "zero:L0H0", "--on", "mean:L1.mlp@first")
    result = run_program(*arguments, "--json", cwd=workplace)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["interventions"] == ["zero:L0H0", "mean:L1.mlp@first"]
    assert [state["state"] for state in document["states"]][:2] == ["0,0,0", "0,0,1"]
    words = run_program(*arguments, cwd=workplace).stdout
    for state in document["states"]:
        line = next(line for line in words.splitlines() if line.lstrip().startswith(state["state"]))
        assert ("right" if state["correct"] else "wrong") in line
        assert ("held out" in line) == state["held_out"]


ARCHITECTURES = ["gpt2", "rnn", "cnn", "mann"]


@pytest.mark.slow
def test_all_boards(workplace):
    result = run_program("board", "--model", "all", "--json", cwd=workplace)
    assert [board["model"] for board in json.loads(result.stdout)["boards"]] == ARCHITECTURES
    words = run_program("board", "--model", "all", cwd=workplace).stdout
    assert all(f"{name}, unedited" in words for name in ARCHITECTURES)
    assert all(f"{name}: " in words.split("right answers, and what they cost")[1] for name in ARCHITECTURES)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--test", "1,0,1,0,1"), ("test", "1,0,1,0,1")])
def test_every_model_that_is_there_answers(workplace, arguments):
    result = run_program(*arguments, "--json", cwd=workplace)
    assert result.returncode == 0, result.stderr
    assert list(json.loads(result.stdout)["models"]) == ARCHITECTURES
    words = run_program(*arguments, cwd=workplace).stdout
    assert all(any(line.startswith(name) for line in words.splitlines()) for name in ARCHITECTURES)


def test_one_model_can_be_asked_alone(workplace):
    result = run_program("test", "1,0,1,0,1", "--model", "mann", "--json", cwd=workplace)
    assert list(json.loads(result.stdout)["models"]) == ["mann"]
    result = run_program("board", "--model", "cnn", "--on", "zero:L2.conv[5]@newB", "--json", cwd=workplace)
    assert json.loads(result.stdout)["model"] == "cnn"
    assert json.loads(result.stdout)["interventions"] == ["zero:L2.conv[5]@newB"]


def test_what_means_nothing_to_a_model_is_said_to_be_not_applied(workplace):
    arguments = ("test", "1,0,1,0,1", "--on", "zero:memory[3]", "--on", "zero:L1")
    result = run_program(*arguments, "--json", cwd=workplace)
    assert result.returncode == 0, result.stderr
    models = json.loads(result.stdout)["models"]
    assert {name: answer.get("not_applied") for name, answer in models.items()} == {
        "gpt2": ["zero:memory[3]"],
        "rnn": ["zero:memory[3]"],
        "cnn": ["zero:memory[3]"],
        "mann": ["zero:L1"],
    }
    assert "zero:L1: not applied, mann has no such part" in run_program(*arguments, cwd=workplace).stderr


def test_a_model_of_another_lesson_is_left_out_and_that_is_said(workplace_copy):
    models = workplace_copy / "models"
    shutil.copytree(models / "second" / "gpt2", models / "default" / "gpt2@3")
    result = run_program("test", "1,0,1,0,1", "--json", cwd=workplace_copy)
    assert list(json.loads(result.stdout)["models"]) == ARCHITECTURES
    assert "gpt2@3 is left out: it learnt another world" in result.stderr


def test_the_shipped_model_answers_in_an_empty_folder(tmp_path):
    result = run_installed("board", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["accuracy"]["seen"] == 1.0
    assert "using" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt2", "gpt2@5", "rnn"])
def test_a_model_on_the_way_is_no_run_that_lacks(workplace, tmp_path, model):
    folder = workplace / "models" / "default" / model
    if not folder.exists():
        shutil.copytree(workplace / "models" / "default" / "gpt2", folder)
    step = min(int(path.stem) for path in folder.glob("snapshots/*.safetensors"))
    result = run_program("board", "--model", f"{model}:{step}", "--json", cwd=workplace)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["model"] == f"{model}:{step}"
    assert "no complete run" not in result.stderr
    elsewhere = run_program("board", "--model", "gpt2:400", "--json", cwd=tmp_path)
    assert "no complete run in models/default/gpt2: using" in elsewhere.stderr
    if model == "gpt2@5":
        shutil.rmtree(folder)


WRONG = {
    "state of wrong length": (("test", "1,0"), "5 digits"),
    "other digits": (("test", "0,1,2,1,0"), "'2'"),
    "spaces": (("test", "0, 1,1,1,0"), "white space"),
    "an empty state": (("test", ""), "got nothing"),
    "an empty hold-out": (("generate", "-o", ""), "got nothing"),
    "all wrong states at once": (("generate", "-o", "1;2,0"), "'2,0'"),
    "omitting all": (("generate", "--omit-random", "32"), "got 32 states"),
    "both hold-outs": (("generate", "-o", "1,1,1,1,1", "--omit-random", "2"), "got --omit and --omit-random"),
    "more than leaves the rules determined": (("generate", "--omit-hardest", "31"), "at most"),
    "a world that is not there": (("generate", "--world", "no.rules"), "there is no such world"),
    "a world that is a folder": (("generate", "--world", "."), "got '.', a folder"),
    "the shipped name": (("generate", "--name", "shipped"), "--replace-shipped"),
    "training the shipped name": (("train", "--name", "shipped"), "--replace-shipped"),
    "a name that is a path": (("generate", "--name", "../x"), "letters, digits"),
    "a name that is too long": (("generate", "--name", "x" * 300), "at most 64"),
    "no such seed": (("board", "--model", "gpt2@7"), "gpt2@7"),
    "an unknown architecture": (("train", "gpt9"), "'gpt9'"),
    "no such model": (("board", "--model", "gpt9"), "'gpt9'"),
    "no such name": (("board", "--name", "nosuch"), "models/nosuch/gpt2"),
    "no CUDA": (("train", "--device", "cuda"), "there is no CUDA device"),
    "no CUDA to ask": (("test", "1,0,1,0,1", "--device", "cuda"), "there is no CUDA device"),
    "another device": (("board", "--device", "tpu"), "got tpu"),
    "a width of nothing": (
        ("train", "rnn", "--width", "0"),
        "invalid width: expected a whole number from 1",
    ),
    "a width beyond all measure": (("train", "mann", "--width", "1000000000"), "1 to 4,096"),
    "a width that heads cannot share": (("train", "--width", "130"), "Write --width 128 or 132"),
    "heads where there are none": (("train", "cnn", "--heads", "4"), "CNN has no attention heads"),
    "a CNN that does not see its inputs": (("train", "cnn", "--layers", "2"), "at least 4 layers"),
    "a size for all": (("train", "all", "--width", "64"), "all with --width 64"),
    "an unknown model for a flag": (("--train_lstm",), "--train_lstm"),
    "a learning rate of nothing": (("train", "rnn", "--learning-rate", "0"), "above 0"),
    "a head of the RNN": (
        ("board", "--model", "rnn", "--on", "zero:L1H2"),
        "L1.h, L1.c, L1.i, L1.f, L1.g, L1.o, L1",
    ),
    "a unit beyond the last": (("board", "--model", "rnn", "--on", "zero:L0.h[24]"), "L0.h[0..23]"),
    "a memory of the CNN": (
        ("board", "--model", "cnn", "--on", "zero:memory"),
        "L0.conv, L0.resid, L0 (likewise to L3)",
    ),
    "a slot beyond the last": (
        ("board", "--model", "mann", "--on", "zero:memory[16]"),
        "memory[0..15,0..23]",
    ),
    "what no model has": (("test", "1,0,1,0,1", "--on", "zero:L9.conv"), "here gpt2, cnn"),
    "no epochs": (("train", "--epochs", "0"), "above 0"),
    "epochs in words": (("train", "--epochs", "many"), "Invalid value for '--epochs'"),
    "an unknown layer": (("board", "--on", "zero:L9H0"), "from L0 to L3"),
    "an unknown head": (("board", "--on", "zero:L0H9"), "L0H3"),
    "an unknown token": (("board", "--on", "zero:L0H0@newQ"), "newA"),
    "an unknown kind": (("test", "1,0,1,0,1", "--on", "burn:L0H0"), "zero, mean, resample"),
    "contradictory forces": (("board", "--on", "force:newB=1", "--on", "force:newB=0"), "already forced"),
    "two forms at once": (("board", "--json", "--csv"), "one of --json and --csv"),
    "an unknown condition": (("board", "--condition", "nosuch"), "conditions list"),
    "a text of other tokens": (("complete", "0,1,x"), "'x'"),
    "an export without a format": (("export", "L0.resid", "x.txt"), ".npz or .safetensors"),
    "no command of ours": (("fly",), "fly"),
    "an option in the wrong place": (("--json", "board"), "--json before board"),
    "a port in use": (("ui", "--port", "{port}"), "nothing can listen"),
    "no port": (("ui", "--port", "0"), "no port"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_request_is_explained_and_nothing_is_touched(workplace_copy, case):
    arguments, said = WRONG[case]
    before = snapshot(workplace_copy)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run_program(*(each.replace("{port}", port) for each in arguments), cwd=workplace_copy)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert snapshot(workplace_copy) == before


def test_faulty_rules_are_told_with_line_and_column_all_at_once(tmp_path):
    (tmp_path / "my.rules").write_text("a = A AND\nb = c\nc = b\na = A\n")
    result = run_program("generate", "--world", "my.rules", cwd=tmp_path)
    assert result.returncode == 2
    places = [f"line {line}, column {column}" for line, column in ((1, 10), (2, 5), (4, 1))]
    assert all(place in result.stderr for place in places)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("train",), ("board",)])
def test_damaged_files_are_explained(workplace_copy, command):
    file = "data/default/train.jsonl" if command == ("train",) else "models/default/gpt2/model.safetensors"
    path = workplace_copy / file
    path.write_bytes(path.read_bytes()[:5_000])
    before = snapshot(workplace_copy)
    result = run_program(*command, cwd=workplace_copy)
    assert result.returncode == 2
    assert path.name in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot(workplace_copy) == before


def test_a_checkpoint_of_one_architecture_given_as_another(workplace_copy):
    models = workplace_copy / "models" / "default"
    shutil.rmtree(models / "rnn")
    shutil.copytree(models / "cnn", models / "rnn")
    result = run_program("board", "--model", "rnn", cwd=workplace_copy)
    assert result.returncode == 2
    assert "model_type 'rnn', got 'cnn'" in result.stderr


def fail() -> None:
    def ask(*arguments, **options):
        raise ZeroDivisionError("as nobody foresaw")

    mock.patch("playground.cli.commands.boards._ask", ask).start()


@pytest.mark.parametrize("logged", [True, False])
def test_work_that_fails_has_status_1_and_no_traceback(tmp_path, logged):
    if not logged:
        (tmp_path / "logs").write_text("a file")
    result = run_program("board", cwd=tmp_path, prepare=fail)
    assert result.returncode == 1
    assert "The work failed: ZeroDivisionError: as nobody foresaw." in result.stderr
    assert "Traceback" not in result.stderr
    assert ("Details are in logs/the-experiment.log." in result.stderr) == logged
    if logged:
        assert "Traceback" in (tmp_path / "logs" / "the-experiment.log").read_text()
