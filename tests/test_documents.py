"""What the documents say: their commands run, their figures are those of the files."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from playground.interventions import parse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = json.loads((ROOT / "models" / "shipped" / "gpt2" / "run.json").read_text(encoding="utf-8"))


def commands() -> list[list[str]]:
    lines = re.findall(r"^    (the-experiment .+)$", README, flags=re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_readme_has_its_commands():
    assert [command[0] for command in commands()] == ["test", "board", "board", "generate", "train", "ui"]


@pytest.mark.parametrize("command", [c for c in commands() if c[0] not in ("train", "ui")], ids=" ".join)
def test_commands_of_the_readme_run(run_program, tmp_path, command):
    result = run_program(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


def test_the_example_of_the_readme_runs(tmp_path):
    [code] = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "newD: " in result.stdout


def test_figures_of_the_readme_are_those_of_the_shipped_run():
    held_out, seen = len(RUN["dataset"]["held_out"]), 32 - len(RUN["dataset"]["held_out"])
    assert f"writes {round(RUN['accuracy']['seen'] * seen)} of {seen} correctly" in README
    assert f"writes {round(RUN['accuracy']['held_out'] * held_out)} of {held_out} correctly" in README
    assert f"seed {RUN['seed']}; {RUN['seconds']:.0f} s on two cores" in README
    assert RUN["recipe"]["epochs"] == 3
    assert RUN["command"].startswith("the-experiment train gpt2 --name shipped")


def test_interventions_of_the_documents_can_be_read():
    text = (ROOT / "docs" / "interventions.md").read_text(encoding="utf-8")
    positions = re.findall(r"^\| `(@[^`]+)` \|", text, flags=re.MULTILINE)
    sites = re.findall(r"^\| `(L[^`]+)` \|", text, flags=re.MULTILINE)
    assert len(positions) == 4
    assert len(sites) == 4
    for form in [f"zero:{site}{position}" for site in sites for position in positions]:
        assert str(parse(form)) == form


def test_pictures_are_there():
    for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()


def test_the_rules_of_the_readme_are_the_default_world():
    rules = (ROOT / "data" / "worlds" / "default.rules").read_text(encoding="utf-8")
    assert "".join(f"    {line}\n" for line in rules.splitlines()) in README
