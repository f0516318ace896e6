"""Widgets with a value: what the browser is sent, run by run, and what it reports."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from state import widgets

    memory = st.session_state
    values = memory.setdefault(
        "values",
        {"Name": "mine", "Count": 6, "On": True, "Models": ["b"], "World": "b", "Kind": "b", "Step": "b"},
    )
    letters, most = memory.setdefault("letters", ["a", "b", "c"]), memory.setdefault("most", 9)
    for draw, label, *options in (
        (st.text_input, "Name"),
        (st.number_input, "Count"),
        (st.toggle, "On"),
        (st.pills, "Models", letters),
        (st.selectbox, "World", letters),
        (st.segmented_control, "Kind", letters),
        (st.select_slider, "Step", letters),
    ):
        widgets.show(
            draw,
            label,
            *options,
            key=label,
            value=values[label],
            on_choice=lambda value, label=label: values.update({label: value}),
            **({"min_value": 0, "max_value": most} if label == "Count" else {}),
            **({"selection_mode": "multi"} if label == "Models" else {}),
        )


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(_page).run()


def shown(page: AppTest) -> dict[str, object]:
    """Return what a browser shows that hears of the last run alone, and has never heard of what it draws."""
    widgets = [
        page.text_input,
        page.number_input,
        page.toggle,
        page.button_group,
        page.selectbox,
        page.select_slider,
    ]
    return {
        widget.proto.label: list(widget.proto.default)
        if hasattr(widget.proto.default, "__len__") and not isinstance(widget.proto.default, str)
        else widget.proto.default
        for kind in widgets
        for widget in kind
    }


FIRST = {"Name": "mine", "Count": 6, "On": True, "Models": [1], "World": 1, "Kind": [1], "Step": [1]}


def test_every_run_says_what_the_widgets_hold(page):
    for _ in range(3):
        assert shown(page) == FIRST
        page.run()
        assert not page.exception


def test_what_somebody_chooses_is_taken_and_stays(page):
    page.text_input[0].set_value("yours").run()
    page.toggle[0].set_value(False).run()
    page.selectbox[0].set_value("c").run()
    page.number_input[0].set_value(4).run()
    chosen = {"Name": "yours", "Count": 4, "On": False, "World": "c"}
    for _ in range(2):
        assert page.session_state["values"] | chosen == page.session_state["values"]
        assert page.text_input[0].value == "yours"
        page.run()


def test_what_is_set_elsewhere_is_shown_by_a_new_widget(page):
    before = page.text_input[0].key
    page.text_input[0].set_value("yours").run()
    page.session_state["values"] = page.session_state["values"] | {"Name": "ours", "World": "a"}
    page.run()
    assert page.text_input[0].key != before
    assert shown(page) == FIRST | {"Name": "ours", "World": 0}


def test_what_was_chosen_stays_when_there_are_others_to_choose_from(page):
    page.selectbox[0].set_value("c").run()
    page.number_input[0].set_value(2).run()
    page.session_state["letters"], page.session_state["most"] = ["c", "b", "d"], 3
    page.run()
    assert not page.exception
    assert shown(page) == FIRST | {"World": 0, "Count": 2}
    assert page.session_state["values"]["World"] == "c"


def test_what_was_chosen_on_one_page_is_shown_on_another(page):
    page.toggle[0].set_value(False).run()
    page.session_state["page"] = "another"
    page.run()
    assert shown(page) == FIRST | {"On": False}
