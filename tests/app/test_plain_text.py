"""Texts from outside are shown literally: nothing becomes a link, a picture, a formula, an icon or a colour."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

from api.asked.query import ConditionQuery
from api.server import api
from playground.errors import quote
from tests.app.api.documents import read_document
from tests.app.browser import APP, serve, settle
from ui.wording import as_text

PARAMETERS = [field.alias or name for name, field in ConditionQuery.model_fields.items()]
HOSTILE = [
    "http://foreign.example/a",
    "HTTPS://foreign.example",
    "www.foreign.example",
    "see me@foreign.example now",
    "[a](http://foreign.example)",
    "[a]: http://foreign.example",
    "<http://foreign.example>",
    "![a](http://foreign.example/a.png)",
    '<img src="http://foreign.example/a.png">',
    "<script>alert(1)</script>",
    "$x^2$ and $$y$$",
    ":tada: and :+1:",
    ":material/error: and :material_error:",
    ":streamlit:",
    ":red[red] and :red-background[red]",
    ":small[small]",
    "`code` and ``http://foreign.example/`a``",
    "**bold** _it_ ~~gone~~ # head",
    "# head",
    "1. one",
    "- one",
    "> quoted",
    "    block",
    "a -> b <- c -- d >= e",
    "a|b\n-|-\n1|2",
    "title\n===",
    "&lt;b&gt; &amp;",
    "\\http\\://foreign.example \\[a](b)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_of_a_text_is_one_paragraph_of_that_text(text):
    """As CommonMark has it, which Streamlit reads before it does what only a browser shows."""
    read = MarkdownIt("gfm-like", {"linkify": False}).parse(as_text(text))
    assert [token.type for token in read] == ["paragraph_open", "inline", "paragraph_close"]
    assert {token.type for token in read[1].children} <= {"text", "text_special", "code_inline", "softbreak"}
    shown = "".join("\n" if token.type == "softbreak" else token.content for token in read[1].children or ())
    assert shown == text.lstrip()


def test_markdown_of_any_text_is_one_paragraph_of_that_text():
    draw = random.Random(0)
    pieces = [
        *"`*_{}[]()#+-!$<>~:\\|&=.@/'\"",
        "a",
        "1",
        " ",
        "``",
        "http://",
        "www.",
        ":a:",
        "->",
        "é",
        "<b>",
    ]
    for _ in range(5_000):
        text = " ".join("".join(draw.choices(pieces, k=draw.randint(1, 12))).split())
        read = MarkdownIt("gfm-like", {"linkify": False}).parse(as_text(text))
        inline = [token for token in read if token.type == "inline"]
        assert len(read) == 3 * len(inline) <= 3
        assert "".join(token.content for each in inline for token in each.children) == text


def test_what_is_said_of_errors_goes_through_one_function():
    """Streamlit's boxes take Markdown: nothing else may put a text from outside into one."""
    for path in sorted(APP.rglob("*.py")):
        if path.name in ("wording.py", "streamlit_app.py"):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        of_streamlit = [
            f"{path.name}:{call.lineno}"
            for call in calls
            if isinstance(call.func, ast.Attribute)
            and call.func.attr in ("error", "warning", "info", "success", "exception", "toast")
            and "logger" not in ast.unparse(call.func)
        ]
        assert of_streamlit == []


@pytest.mark.parametrize("seed", range(4))
def test_no_parameter_of_an_address_stops_the_page(tmp_path, monkeypatch, seed):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(seed)
    texts = [*HOSTILE, "", "\x00", "\ud800".encode(errors="replace").decode(), "1" * 500, "💥"]
    query = {name: draw.choice(texts) for name in PARAMETERS}
    response = TestClient(api).get("/condition", params=query)
    assert response.status_code == 200, response.text
    faults = read_document(response.content)["faults"]
    assert len(faults) >= len(PARAMETERS) // 2
    for fault in faults:
        # So does a page that is a script of Streamlit show it.
        read = MarkdownIt("gfm-like", {"linkify": False}).parse(as_text(fault["text"]))
        assert [token.type for token in read] == ["paragraph_open", "inline", "paragraph_close"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app in an empty folder: it shows the models that come along."""
    with serve(tmp_path_factory.mktemp("site")) as address:
        yield address


@pytest.mark.slow
def test_a_browser_shows_what_is_wrong_in_an_address_as_it_is(page, address):
    known = [name for name in PARAMETERS if name not in ("name", "model", "on", "text")]
    for first in range(0, len(HOSTILE), len(known)):
        wrong = dict(zip(known, HOSTILE[first:], strict=False))
        page.goto(f"{address}/?{urlencode({'name': 'shipped', 'model': 'gpt2', **wrong})}")
        boxes = page.get_by_role("alert")
        boxes.first.wait_for()
        settle(page)
        assert boxes.count() >= len(wrong) - 1
        assert boxes.evaluate_all("all => all.map(one => one.childElementCount)") == [0] * boxes.count()
        said = " ".join(boxes.all_inner_texts())
        for name in wrong.keys() & {
            "kind",
            "weights",
            "sort",
            "units",
            "large",
            "grouped",
            "answer",
        }:
            assert " ".join(quote(wrong[name]).split()) in " ".join(said.split())
