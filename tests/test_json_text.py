"""JSON that other readers would fall over is an error with its place, and names what is wrong."""

from __future__ import annotations

import json

import pytest

from playground.errors import RequestError
from playground.files import read_json
from playground.json_text import DEEPEST, LARGEST_INTEGER, parse_json
from tests.support.mutations import DEEP

WRONG = [
    ("", r"an error in line 1, column 1 \(Expecting value\)"),
    ('{"a":\n 1,}', "line 2, column 4"),
    (b"\xff{}", "expected text in UTF-8, got an invalid byte at offset 0"),
    ("{}".encode("utf-16"), "expected text in UTF-8"),
    (DEEP, f"at most {DEEPEST} nested brackets"),
    (DEEP + "]" * 100_000, f"at most {DEEPEST} nested brackets"),
    ('{"a":' * 100_000, f"at most {DEEPEST} nested brackets"),
    ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), f"at most {DEEPEST} nested brackets"),
    ('{"a": {"b": [0, NaN]}}', r"a\.b\[1\]: expected a finite number, got NaN"),
    ('{"a": -Infinity}', "a: expected a finite number, got -Infinity"),
    ('{"a": 1e400}', "a: expected a finite number"),
    (f'{{"a": {"9" * 400}}}', "a: expected a number below .* got a number of 400 digits"),
    (f'{{"a": -{"9" * 10_000}}}', "a: expected a finite number"),
    (f"[{LARGEST_INTEGER}]", r"\[0\]: expected a number below"),
    ('{"a": [{"b": 1, "b": 1}]}', "each key once in an object, got 'b' twice"),
    ('"\\ud800"', "expected valid Unicode text"),
    ('{"\\udfff": 1}', "expected keys of valid Unicode text"),
    ("{} {}", "Extra data"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_refused(text, said):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(RequestError, match=said) as error:
        parse_json(content, "run.json", "Make it anew.")
    assert str(error.value).startswith("run.json: ")
    assert len(str(error.value)) < 500
    str(error.value).encode()


@pytest.mark.parametrize(
    "document",
    [{}, [], 3, "é😀", None, {"a": [1, -2.5, 1e300, True, {"b": None}]}, LARGEST_INTEGER - 1, -(2**63)],
)
def test_what_is_read_is_what_json_reads(document):
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=3)):
        assert parse_json(text.encode(), "x", "") == document
        assert parse_json(b"\xef\xbb\xbf" + text.encode(), "x", "") == document
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert parse_json(deep.encode(), "x", "") == json.loads(deep)


@pytest.mark.parametrize(
    ("text", "got"), [("[]", "a list"), ("3", "a number"), ("true", "true or false"), ("null", "null")]
)
def test_a_file_holds_an_object(tmp_path, text, got):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RequestError, match=f"expected a JSON object, got {got}"):
        read_json(tmp_path / "run.json")


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path, tmp_path / "none.json", tmp_path / ("x" * 300)):
        with pytest.raises(RequestError, match="expected a readable file"):
            read_json(path)
