"""Page World without a browser: without any model, by link, saving, duplicating, on to page Train."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from playground.errors import RequestError
from playground.files import default_rules
from playground.worlds import list_worlds, load_world, read_rules
from tests.app.browser import APP
from tests.conftest import SECOND_RULES

MANY = "inputs: " + ", ".join(f"X{index}" for index in range(30)) + "\nout = X1 AND X2\n"
LONG = "\n".join(
    ["inputs: A, B", *(f"# {index} {index**2:o} {index**9}" for index in range(900)), "out = A OR B"]
)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Return an empty working directory; all that comes along is the default world."""
    project = tmp_path / "project"
    (project / "data" / "worlds").mkdir(parents=True)
    shutil.copy(default_rules(), project / "data" / "worlds")
    monkeypatch.setattr("playground.files.project_root", lambda: project)
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600)
    app.query_params.update(query)
    app._page_hash = calc_hash("world")
    return app.run()


def said(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.error, *app.caption)).replace("\\", "")


def name_it(app: AppTest, name: str) -> AppTest:
    return next(box for box in app.text_input if box.label == "Save as").set_value(name).run()


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def written(app: AppTest) -> str:
    return app.session_state.rules_draft.text


def test_without_any_model_the_page_shows_the_default_world_and_its_address_says_the_rules(place):
    app = open_page()
    assert not app.exception
    assert not app.error
    assert written(app) == read_rules(default_rules())
    assert app.query_params["rules"] == written(app)
    assert "model" not in app.query_params


def test_rules_are_saved_under_a_name_and_then_trained_on(place):
    app = open_page(rules=SECOND_RULES)
    press(app, "train_on_this")
    assert "give the world a name first" in said(app)
    name_it(app, "mine")
    press(app, "train_on_this")
    assert not app.error
    assert Path("data/worlds/mine.rules").read_text() == SECOND_RULES
    assert (app.query_params["rules"], app.query_params["name"]) == ("mine", "mine")
    assert app.session_state.page == "Train"
    assert not app.exception


def test_other_rules_are_replaced_only_after_a_question(place):
    app = name_it(open_page(rules=SECOND_RULES), "mine")
    press(app, "save_rules")
    assert "Saved: data/worlds/mine.rules" in said(app)
    app = name_it(open_page(rules="out = A AND B"), "mine")
    press(app, "save_rules")
    assert "a file of this name exists already" in said(app)
    assert Path("data/worlds/mine.rules").read_text() == SECOND_RULES
    press(app, "replace_rules")
    assert Path("data/worlds/mine.rules").read_text() == "out = A AND B"
    assert not [button for button in app.button if button.key == "replace_rules"]


def test_a_duplicate_has_a_name_of_its_own(place):
    app = open_page()
    press(app, "duplicate")
    press(app, "duplicate")
    assert [path.stem for path in list_worlds()] == ["default", "default-2", "default-3"]
    assert load_world(list_worlds()[2]) == load_world(default_rules())
    assert app.session_state.rules_draft.file == list_worlds()[2]


def test_rules_with_faults_are_not_saved(place):
    app = name_it(open_page(rules="out = A AND"), "mine")
    press(app, "save_rules")
    assert "these rules still have errors" in said(app)
    press(app, "duplicate")
    press(app, "train_on_this")
    assert app.session_state.page == "World"
    assert list_worlds() == [default_rules()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MANY, "2 to 10 inputs, got 30 inputs"),
        ("__class__ = A AND B", "a name begins with a letter"),
        ("out = A AND B\r\nout = A", "this name is already defined"),
        ("", "1 to 10 rules"),
        ("café = A AND B", "letters A to Z"),
    ],
)
def test_what_cannot_be_a_world_is_explained_and_nothing_is_lost(place, text, expected):
    app = open_page(rules=text)
    assert not app.exception
    draft = app.session_state.rules_draft
    assert expected.lower() in " ".join(map(str, draft.faults)).lower()
    assert draft.text == text.replace("\r\n", "\n")
    assert draft.world is None or draft.right == read_rules(default_rules())


def test_a_long_text_comes_back_from_a_link_and_one_that_is_too_long_has_none(place):
    from state import rules_address

    long = "\n".join(
        ["inputs: A, B", *(f"out{index} = A OR B" for index in range(9)), "# " + "long " * 1_900]
    )
    assert len(long) > 9_000
    query = rules_address.write(long)
    assert list(query) == ["rulesz"]
    assert len(query["rulesz"]) < 6_000
    app = open_page(**query)
    assert written(app) == long
    assert app.query_params["rulesz"] == query["rulesz"]
    assert rules_address.write(LONG) == {}
    app.session_state.rules_draft = app.session_state.rules_draft.__class__(
        text=LONG, faults=(), right=LONG, name="", loaded="another"
    )
    app.run()
    assert "too long for an address" in said(app)
    assert not {"rules", "rulesz"} & set(app.query_params)


@pytest.mark.parametrize("text", [SECOND_RULES, "# ü 🌍 & = + % ; #\nout = A AND B", "", "\ttab = A OR B  "])
def test_any_text_comes_back_from_its_link(text):
    from state import rules_address

    assert rules_address.read(rules_address.write(text)) == text


@pytest.mark.parametrize("packed", ["", "eJw", "not base64!", "AAAA", "half"])
def test_a_broken_link_is_explained_and_loses_nothing(place, packed):
    from state import rules_address

    if packed == "half":
        packed = rules_address.write(LONG[:4_000])["rulesz"][:2_000]
    with pytest.raises(RequestError, match="copy all of it"):
        rules_address.read({"rulesz": packed})
    app = open_page(rules=SECOND_RULES)
    app.query_params.clear()
    app.query_params.update({"rulesz": packed})
    app.run()
    assert not app.exception
    assert "copy all of it" in said(app)
    assert written(app) == SECOND_RULES


def test_what_unpacks_to_far_more_than_rules_is_refused():
    import base64
    import zlib

    from state import rules_address

    packed = base64.urlsafe_b64encode(zlib.compress(b"#" * 50_000_000)).decode()
    with pytest.raises(RequestError, match="at most 20,000 characters"):
        rules_address.read({"rulesz": packed})


def test_a_file_of_another_encoding_is_explained_and_one_with_windows_line_ends_is_opened(place):
    app = open_page(rules=SECOND_RULES)
    uploader = app.get("file_uploader")[0]
    uploader.set_value(("latin.rules", "# é".encode("latin-1"), "text/plain")).run()
    assert "latin.rules (not UTF-8 text)" in said(app)
    assert written(app) == SECOND_RULES
    app.get("file_uploader")[0].set_value(("my own.rules", b"out = A AND B\r\n", "text/plain")).run()
    assert not app.error
    assert written(app) == "out = A AND B\n"


def test_with_a_model_the_rules_stand_in_the_address_of_this_page_alone(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    app = open_page(name="default", model="gpt2", rules=SECOND_RULES)
    assert not app.exception
    assert not app.error
    assert app.query_params["rules"] == SECOND_RULES
    assert app.query_params["state"]
    app.switch_page("app_pages/text/page.py").run()
    assert not app.exception
    assert "rules" not in app.query_params
    assert written(app) == SECOND_RULES
