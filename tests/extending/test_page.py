"""The page of docs/extending.md, installed as a package of its own, is in the navigation and runs like ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from playground.inference import load_model
from tests.extending.examples import DOCUMENT, EXAMPLES, install

ROOT = Path(__file__).parents[2]
OPEN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from streamlit.testing.v1 import AppTest
from ui.pages import PAGES

app = AppTest.from_file(str(PAGES["counts"].script), default_timeout=600)
import preload
preload.ensure()
from state import session
from playground.inference import load_model
model = load_model("shipped", "gpt2")
from api.condition import first_condition
app.session_state.model = model
app.session_state.condition = first_condition(model)
app.run()
assert not app.exception, app.exception
print(json.dumps({"pages": list(PAGES), "heading": app.markdown[0].value, "table": app.dataframe[0].value.to_dict()}))
"""


def test_it_counts_the_states_that_are_right(tmp_path):
    packages = install("page", tmp_path)
    path = os.pathsep.join([str(packages), str(ROOT / "app")])
    command = [sys.executable, "-W", "ignore", "-c", OPEN, str(ROOT / "app")]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    shown = json.loads(result.stdout.splitlines()[-1])
    assert shown["pages"][-1] == "counts"
    assert len(shown["pages"]) == 10
    assert shown["heading"] == "#### In how many states is each answer right?"
    board = load_model("shipped", "gpt2").board()
    written, held_out = board.written, board.held_out
    for column, answer in enumerate(board.dataset.world.answers):
        right = written[:, column] == board.truth[:, column]
        for title, states in (("seen states", ~held_out), ("held-out states", held_out)):
            expected = f"{int(right[states].sum())} of {int(states.sum())}"
            assert shown["table"][title][answer] == expected


def test_the_document_shows_it():
    for name in ("playground_counts/__init__.py", "playground_counts/page.py", "pyproject.toml"):
        assert (EXAMPLES / "page" / name).read_text(encoding="utf-8").strip() in DOCUMENT
