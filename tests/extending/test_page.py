"""The page of docs/extending.md, installed as a package of its own, is in the navigation and runs like ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.inference import load_model
from tests.extending.examples import DOCUMENT, EXAMPLES, install
from ui.pages import BUILT_IN

ROOT = Path(__file__).parents[2]
OPEN = """
import json, sys
from types import SimpleNamespace
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
import playground.files
from ui import client
from ui.pages import PAGES

def run(**query):
    app = AppTest.from_file(sys.argv[1] + "/script.py", default_timeout=600)
    app.query_params.update(query)
    app._page_hash = calc_hash("counts")
    return app.run()

def shown(app):
    assert not app.exception, app.exception
    assert not app.error, app.error
    return {"heading": app.markdown[0].value, "table": app.dataframe[0].value.to_dict()}

named = {"name": "shipped", "model": "gpt2"}
found = {"pages": list(PAGES), "unedited": shown(run(**named)), "edited": shown(run(**named, on="zero:L0H1"))}
# The browser has gone on since the page was opened, and says where it is.
sidebar, client._sidebar = client._sidebar, lambda **_: SimpleNamespace(query="name=shipped&model=gpt2&on=zero:L1&off=")
found["followed"] = shown(run(**named))
client._sidebar = sidebar
playground.files.project_root = lambda: playground.files.Path("nowhere")
app = run(**named)
assert not app.exception, app.exception
found["said"] = [error.value for error in app.error]
found["after it"] = len(app.markdown) + len(app.dataframe)
print(json.dumps(found))
"""
HEADING = "#### In how many states is each answer right?"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the page shows: unedited, edited, after the sidebar said more, and where there is no model."""
    place = tmp_path_factory.mktemp("page")
    packages = install("page", place)
    path = os.pathsep.join([str(packages), str(ROOT / "app")])
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPEN, str(ROOT / "app")],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_it_is_the_last_page_of_the_navigation(found):
    assert found["pages"] == [*(page.name for page in BUILT_IN), "counts"]


@pytest.mark.parametrize(
    ("shown", "on"), [("unedited", ""), ("edited", "zero:L0H1"), ("followed", "zero:L1")]
)
def test_it_counts_the_states_that_are_right(found, shown, on):
    assert found[shown]["heading"] == HEADING
    board = load_model("shipped", "gpt2").board(on)
    written, held_out = board.written, board.held_out
    for column, answer in enumerate(board.dataset.world.answers):
        right = written[:, column] == board.truth[:, column]
        for title, states in (("seen states", ~held_out), ("held-out states", held_out)):
            expected = f"{int(right[states].sum())} of {int(states.sum())}"
            assert found[shown]["table"][title][answer] == expected


def test_where_no_model_opens_it_says_why_and_ends(found):
    [said] = found["said"]
    assert "train gpt2" in said.replace("\\", "")
    assert found["after it"] == 0


def test_the_document_shows_it():
    for name in ("playground_counts/__init__.py", "playground_counts/page.py", "pyproject.toml"):
        assert (EXAMPLES / "page" / name).read_text(encoding="utf-8").strip() in DOCUMENT
