"""Files of rules: which there are, what they say of themselves, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import RequestError
from playground.files import default_rules
from playground.worlds import (
    decode_rules,
    describe_rules,
    list_worlds,
    load_world,
    path_of_rules,
    read_rules,
    save_rules,
)
from playground.worlds.files import LONGEST

RULES = "inputs: X, Y\nout = X AND Y\n"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_saved_is_listed_and_is_the_world_that_was_written(place):
    path = save_rules("mine", RULES, replace=False)
    assert path == Path("data/worlds/mine.rules")
    assert path.read_bytes() == RULES.encode()
    assert list_worlds()[:2] == [default_rules(), path]
    assert load_world(path).outputs == ("out",)
    assert [each.name for each in path.parent.iterdir()] == ["mine.rules"]


def test_ones_own_file_stands_for_one_that_comes_along_but_never_for_the_default_world(place, monkeypatch):
    along = place / "project" / "data" / "worlds"
    along.mkdir(parents=True)
    for name in ("default", "chain", "deep"):
        (along / f"{name}.rules").write_text(RULES)
    monkeypatch.setattr("playground.worlds.files.default_rules", lambda: along / "default.rules")
    save_rules("chain", "out = A OR B", replace=False)
    Path("data/worlds/default.rules").write_text("out = A")
    assert list_worlds() == [along / "default.rules", Path("data/worlds/chain.rules"), along / "deep.rules"]
    assert (along / "chain.rules").read_text() == RULES


def test_another_text_is_replaced_only_if_that_is_said(place):
    path = save_rules("mine", RULES, replace=False)
    assert save_rules("mine.rules ", RULES, replace=False) == path, "the same text is no other"
    with pytest.raises(RequestError, match="a file of this name exists already"):
        save_rules("mine", "out = A", replace=False)
    assert path.read_text() == RULES
    save_rules("mine", "out = A", replace=True)
    assert path.read_text() == "out = A"


@pytest.mark.parametrize(
    "name", ["", "  ", "../up", "a/b", "a b", ".hidden", "default", "default.rules", "é", "x" * 65, "a\n"]
)
def test_names_that_cannot_be_files_are_refused(place, name):
    if name == "a\n":
        assert path_of_rules(name).name == "a.rules"
        return
    with pytest.raises(RequestError, match=r"invalid name|give the world a name first"):
        save_rules(name, RULES, replace=True)
    assert list(place.iterdir()) == []


def test_where_nothing_can_be_written_is_said(place):
    (place / "data").write_text("no folder")
    with pytest.raises(RequestError, match="a file stands where a folder is needed"):
        save_rules("mine", RULES, replace=False)


def test_what_is_no_text_of_rules_is_refused(place):
    with pytest.raises(RequestError, match="not UTF-8 text"):
        decode_rules("é = A".encode("latin-1"), "mine.rules")
    with pytest.raises(RequestError, match=f"at most {LONGEST:,} characters"):
        decode_rules(b"#" * (LONGEST + 1), "mine.rules")
    with pytest.raises(RequestError, match=r"nosuch\.rules"):
        read_rules(Path("nosuch.rules"))


def test_marks_and_line_ends_of_other_systems_are_taken_as_they_are_meant():
    assert decode_rules(b"\xef\xbb\xbfout = A\r\n# x\rend", "mine.rules") == "out = A\n# x\nend"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULES, ""),
        ("out = A # not of the world\n", ""),
        ("#\n#  Two chains, one shortcut.  \n# More.\nout = A\n", "Two chains, one shortcut."),
        ("out = A\n  ## late\n", "late"),
    ],
)
def test_the_first_line_of_comment_describes_a_world(text, said):
    assert describe_rules(text) == said
