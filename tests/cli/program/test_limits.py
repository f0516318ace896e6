"""Too many interventions are refused before anything is imported that takes seconds, however they are asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.program import HANGS

BLOCKED = "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None; "
MAIN = "from playground.cli.main import main; main()"
TOO_MANY = ";".join(["zero:L0H1"] * 101)
STATE = "1,0,1,0,1"


def run_without_torch(*arguments: str, cwd) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + MAIN, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


@pytest.fixture
def place(tmp_path):
    """Return a working directory with conditions of 60, of 40, and, as no program of ours writes it, of 101 interventions."""
    conditions = {
        name: {"interventions": ["zero:L0H1"] * count, "note": ""}
        for name, count in (("sixty", 60), ("forty", 40), ("many", 101))
    }
    text = json.dumps({"version": 1, "conditions": conditions})
    (tmp_path / "conditions.json").write_text(text, encoding="utf-8")
    (tmp_path / "other.json").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("board", "--on", TOO_MANY),
        ("board", "--model", "all", "--json", *(word for _ in range(101) for word in ("--on", "zero:L0H1"))),
        ("test", STATE, "--on", TOO_MANY + ";"),
        ("complete", STATE, "--on", TOO_MANY),
        ("mechanism", "--json", "--on", TOO_MANY),
        ("export", "L0H1", "file.npz", "--on", TOO_MANY),
        ("board", "--condition", "sixty", "--condition", "forty", "--on", "zero:L0H2"),
        ("board", "--condition", "many"),
        ("conditions", "save", "new", "--on", TOO_MANY),
        ("conditions", "import", "other.json"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_they_are_refused_before_all_work(place, arguments):
    result = run_without_torch(*arguments, cwd=place)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    assert "Traceback" not in result.stderr
    assert "at most 100, got 101 interventions" in " ".join(result.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", ["", "[]", '{"conditions": []}', '{"conditions": {"a": {"interventions": 3}}}', "[" * 100_000]
)
def test_a_damaged_file_is_left_to_those_who_read_it_in_full(place, content):
    from playground.limits import texts_in

    assert texts_in(content) == {}
    (place / "conditions.json").write_text(content, encoding="utf-8")
    result = run_without_torch("board", "--condition", "a", cwd=place)
    assert "at most 100" not in result.stderr, "it goes on to what reads it, which torch is needed for here"
