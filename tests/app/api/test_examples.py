"""The examples of docs/api.md: the document shows them word for word, and they run against a served app."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from safetensors.numpy import load_file

from api.server import api
from playground.analysis import flip_atlas
from playground.inference import load_model
from playground.interventions import parse_site
from tests.support.program import HANGS

DOCS = Path(__file__).parents[3] / "docs"
DOCUMENT = (DOCS / "api.md").read_text(encoding="utf-8")
SHOWN_AT = "http://127.0.0.1:8501"
EXAMPLES = sorted((DOCS / "examples" / "api").glob("*.py"))


def said_by(name: str, address: str, place: Path) -> str:
    """Return what an example prints."""
    result = subprocess.run(
        [sys.executable, str(DOCS / "examples" / "api" / name)],
        env={**os.environ, "EXPERIMENT": address},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_document_shows_the_examples_word_for_word():
    shown = re.findall(r"```python\n(.+?)```", DOCUMENT, flags=re.DOTALL)
    assert sorted(shown) == sorted(example.read_text(encoding="utf-8") for example in EXAMPLES)


def test_the_board_is_that_of_the_library(address, tmp_path):
    board = load_model("shipped", "gpt2", "cpu").board("zero:L1H2")
    said = f"{board.correct.sum()} of 32 states are right under zero:L1H2\n"
    assert f"    {said}" in DOCUMENT
    assert said_by("board.py", address, tmp_path).startswith(said)


def test_the_atlas_is_waited_for_and_is_that_of_the_library(address, tmp_path):
    *_, atlas = flip_atlas(load_model("shipped", "gpt2", "cpu"), parse_site("W_pos"), "rows")
    lines = said_by("atlas.py", address, tmp_path).splitlines()
    assert "22 of 22 rows" in lines
    assert lines[-3:] == [
        f"{atlas.part(*index)}: flipping it breaks {atlas.broken[index]} of 30 states"
        for index in atlas.fragile(3)
    ]


def test_the_commands_get_answers(address, tmp_path):
    commands = re.findall(r"^    (curl .+)$", DOCUMENT, flags=re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        asked = f"set -o pipefail; {command.replace(SHOWN_AT, address).replace('curl', 'curl --fail', 1)}"
        result = subprocess.run(
            ["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("{") or "board.safetensors" in command
    assert load_file(tmp_path / "board.safetensors")["margin"].shape == (32, 6)


def test_all_routes_are_listed():
    listed = re.findall(r"^\| `(GET|POST) (.+?)` \|", DOCUMENT, flags=re.MULTILINE)
    there = {
        (method.upper(), path.removeprefix("/"))
        for path, methods in api.openapi()["paths"].items()
        for method in methods
    }
    assert set(listed) == there
    assert len(listed) == len(there)
