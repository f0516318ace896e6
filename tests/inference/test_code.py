"""A condition as a script and as a command: both print the board that it has, in an empty folder."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from playground.errors import RequestError
from playground.inference import as_command, as_python, load_model
from tests.support.program import run_program, run_script

CONDITION = "zero:L1H2@>newB..;flip:W_E[0,:];resample:L0.mlp@newA..newC<1,0,1,0,1;force:newB=!"


def run_in_this_process(script: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script, "board.py", "exec"), {"__name__": "__main__"})  # noqa: S102
    return printed.getvalue()


@pytest.mark.slow
def test_script_and_command_print_the_same_board(tmp_path):
    script = tmp_path / "board.py"
    script.write_text(as_python("shipped", "gpt2", CONDITION))
    result = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    program, *arguments = shlex.split(as_command("shipped", "gpt2", CONDITION))
    assert program == "the-experiment"
    document = json.loads(run_program(*arguments, "--json", cwd=tmp_path).stdout)
    assert ";".join(document["interventions"]) == CONDITION
    rows = pd.read_csv(io.StringIO(result.stdout), sep=r"\s+", skiprows=[1], nrows=32, dtype=str)
    for state in document["states"]:
        row = rows.loc[state["state"]]
        for name in document["outputs"]:
            assert row[name] == state["written"][name]
            assert row[f"{name}_truth_do"] == state["truth_do"][name]
            assert float(row[f"{name}_margin"]) == pytest.approx(state["margin"][name], abs=1e-4)
        assert row["correct"] == str(state["correct"])
    for group, share in document["accuracy"].items():
        if group != "by_output":
            assert f"right by the rules ({group}): {share:.1%}" in result.stdout
            do = document["accuracy_do"][group]
            assert f"right by the rules with the forced outputs set ({group}): {do:.1%}" in result.stdout


@pytest.mark.parametrize(("run", "text"), [("mann", ""), ("cnn", "noise:L0.weight~0.5#7")])
def test_scripts_of_other_models(tmp_path, monkeypatch, run, text):
    monkeypatch.chdir(tmp_path)
    if run == "cnn":
        weight = next(iter(load_model("shipped", "cnn", "cpu").network.weights))
        text = f"noise:{weight}~0.5#7"
    printed = run_in_this_process(as_python("shipped", run, text))
    board = load_model("shipped", run).board(text)
    assert printed.startswith(board.to_frame().to_string() + "\n\n")
    assert printed.splitlines()[-3:] == [
        f"right ({name}): {share:.1%}"
        for name, share in board.accuracy.to_json().items()
        if share is not None
    ]


def test_what_is_no_intervention_becomes_no_code():
    for make in (as_python, as_command):
        with pytest.raises(RequestError):
            make("shipped", "gpt2", 'zero:L0"); print("x')


def test_a_command_survives_a_shell():
    line = as_command("default", "gpt2@5", CONDITION)
    assert shlex.split(line).count("--on") == 4
    assert "'force:newB=!'" in line


def test_the_example_runs_in_an_empty_folder(tmp_path):
    example = Path(__file__).parents[2] / "docs" / "examples" / "surgery.py"
    result = run_script(example, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    board = load_model("shipped", "gpt2", "cpu").board("force:newB=!")
    telling = board.truth[:, 3] != board.truth_do[:, 3]
    follows = (board.written[:, 3] == board.truth_do[:, 3])[telling].sum()
    assert (
        f"in {telling.sum()} states the written newB decides newD; it follows in {follows} of them"
        in result.stdout
    )
    assert not list(tmp_path.iterdir())
