"""JSON has neither NaN nor infinity, wherever the program writes it: in files, as an answer, as lines of a training."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Any

import pytest

import playground
from playground.cli.output.documents import print_json
from playground.cli.output.progress import JsonLines
from playground.files import write_json
from playground.models import Size
from playground.training import Job, Progress, Recipe, Report, Step

NO_NUMBERS = {"a": math.nan, "b": [1.5, math.inf, {"c": -math.inf}], "d": (True, None, 3, "NaN")}
NULLS = {"a": None, "b": [1.5, None, {"c": None}], "d": [True, None, 3, "NaN"]}
TEXTS_ALONE = {"datasets/dataset.py", "inference/export.py", "interventions/named/sets.py"}
DIGESTED_ALONE = {"models/storage/checkpoint.py", "models/storage/integrity.py"}
SHOWN_ALONE = {"json_text.py", "schema.py"}
"""In messages, which quote what stands in a file."""


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_file(tmp_path):
    write_json(tmp_path / "file.json", NO_NUMBERS)
    assert strict((tmp_path / "file.json").read_text()) == NULLS


def test_an_answer(capsys):
    print_json(NO_NUMBERS)
    assert strict(capsys.readouterr().out) == NULLS


def test_a_line_of_a_training(capsys):
    job = Job(
        architecture="rnn",
        size=Size(width=8, layers=1),
        dataset=Path("data"),
        folder=Path("models"),
        seeds=(0,),
        recipe=Recipe(),
        device="cpu",
        command="a test",
    )
    JsonLines().take(Report(job, Progress(Step(1, 2, math.nan, math.inf))))
    line = strict(capsys.readouterr().out)
    assert (line["loss"], line["learning_rate"]) == (None, None)


def test_no_other_way_of_writing_json_lets_nan_pass():
    """`json.dumps` writes NaN unless it is forbidden to."""
    root = Path(playground.__file__).parent
    for path in root.rglob("*.py"):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dumps", "json.dump"):
                forbidden = any(keyword.arg == "allow_nan" for keyword in node.keywords)
                assert forbidden or name in TEXTS_ALONE | DIGESTED_ALONE | SHOWN_ALONE, (
                    f"{name}, line {node.lineno}"
                )
