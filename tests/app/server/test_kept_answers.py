"""Answers kept from one start to the next: the same bytes, only while nothing has changed, and gone without harm."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from starlette.responses import Response
from starlette.testclient import TestClient

import kept_answers
from tests.app.browser import BOARD, MOSAIC, serve
from tests.support.program import HANGS

QUESTION = "/board?name=default&model=gpt2"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a file of a model."""
    run = tmp_path / "models" / "default" / "gpt2"
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer_of(path: str, query: str = "", method: str = "GET") -> bytes | None:
    """Return what is kept to a question."""
    return kept_answers.find({"type": "http", "method": method, "path": path, "query_string": query.encode()})


def ask(question: str, *, body: bytes = b"numbers", status: int = HTTPStatus.OK, method: str = "GET") -> None:
    """Ask an API that gives this answer."""
    response = Response(body, status, media_type="application/octet-stream")
    client = TestClient(kept_answers.KeepingAnswers(response))
    assert client.request(method, question).content == body


def test_the_same_question_gets_the_same_answer(place):
    assert answer_of("/board", "name=default&model=gpt2") is None
    ask(QUESTION)
    kept = answer_of("/board", "name=default&model=gpt2")
    assert kept == b"application/octet-stream\nnumbers"
    assert answer_of("/board", "model=gpt2&name=default") == kept, "in any order"
    assert answer_of("/board", "name=default&model=rnn") is None
    assert answer_of("/picture", "name=default&model=gpt2") is None


@pytest.mark.parametrize(
    ("question", "given"),
    [
        (f"{QUESTION}&on=zero:L0", {}),
        ("/ranking?name=default&model=gpt2", {}),
        (QUESTION, {"status": HTTPStatus.UNPROCESSABLE_ENTITY}),
        (QUESTION, {"method": "POST"}),
        (QUESTION, {"body": b" " * (2**20 + 1)}),
    ],
)
def test_only_short_answers_about_unedited_models_are_kept(place, question, given):
    ask(question, **given)
    assert not Path("cache").exists()


def test_what_has_changed_since_is_asked_anew(place):
    ask(QUESTION)
    asked = ("/board", "name=default&model=gpt2")
    assert answer_of(*asked) is not None
    weights = place / "models" / "default" / "gpt2" / "model.safetensors"
    weights.write_bytes(b"WEIGHTS")
    assert answer_of(*asked) is None
    ask(QUESTION, body=b"others")
    assert answer_of(*asked) == b"application/octet-stream\nothers"
    (place / "models" / "default" / "rnn").mkdir()
    (place / "models" / "default" / "rnn" / "run.json").touch()
    assert answer_of(*asked) is None


def test_what_changes_while_it_is_answered_is_not_kept(place):
    async def api(scope, receive, send):
        (place / "models" / "default" / "gpt2" / "model.safetensors").write_bytes(b"others")
        await Response(b"numbers")(scope, receive, send)

    assert TestClient(kept_answers.KeepingAnswers(api)).get(QUESTION).content == b"numbers"
    assert answer_of("/board", "name=default&model=gpt2") is None


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], lambda content: content + b"!", lambda _: b""]
)
def test_a_damaged_file_counts_for_nothing(place, damage):
    ask(QUESTION)
    [file] = Path("cache", "answers").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert answer_of("/board", "name=default&model=gpt2") is None


def test_a_folder_that_cannot_be_written_is_no_fault(place):
    Path("cache").write_text("a file stands where the folder should be")
    ask(QUESTION)
    assert answer_of("/board", "name=default&model=gpt2") is None


def test_kept_files_do_not_grow_without_end(place, monkeypatch):
    monkeypatch.setattr(kept_answers, "_MOST", 3)
    for number in range(5):
        ask(f"/picture?state={number}")
    assert len(list(Path("cache", "answers").iterdir())) == 2
    assert answer_of("/picture", "state=4") is not None


SLOW = """import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "transformer_lens":
            time.sleep(8)
sys.meta_path.insert(0, Slow())
"""
"""Python runs it before the app; it takes a slow machine's time to import the library."""


@pytest.mark.journey
def test_the_second_start_draws_before_the_library_is_there_and_an_edit_waits_with_a_sign(page, tmp_path):
    def numbers() -> list[str]:
        return page.locator(f"{BOARD} td").all_inner_texts()

    with serve(tmp_path) as address:
        page.goto(address)
        page.wait_for_selector(MOSAIC)
        page.wait_for_load_state("networkidle")
        first = numbers()
        page.goto(f"{address}/?on=zero:L0")
        page.wait_for_selector('.mosaic[data-condition$="zero:L0"]')
        edited = numbers()
        page.goto("about:blank")
    slow = tmp_path / "slow" / "sitecustomize.py"
    slow.parent.mkdir()
    slow.write_text(SLOW)
    with serve(tmp_path, PYTHONPATH=str(slow.parent)) as address:
        page.goto(address)
        page.wait_for_selector(MOSAIC)
        assert numbers() == first
        with urlopen(f"{address}/api/alive", timeout=HANGS) as said:  # noqa: S310  Our own server.
            assert json.load(said) == {"alive": True, "ready": False}
        page.locator('.mosaic [data-site="L0"]').first.click()
        expect(page.get_by_role("status").filter(has_text="still starting")).to_be_visible()
        page.wait_for_selector('.mosaic[data-condition$="zero:L0"]')
        assert numbers() == edited
        expect(page.get_by_text("still starting")).to_have_count(0)
        page.goto("about:blank")
