"""Page Free text: any prompt and any half-written answer, and how the models go on with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from parts import components, session, texts
from parts.wording import show_note
from playground.inference import Model


def main(models: Sequence[Model], opened: Model) -> None:
    """Show the page, the open model first; all that a key changes is computed before it is drawn."""
    condition = session.current()
    text = texts.text_of(opened, condition)
    models = [opened, *(model for model in models if model.name != opened.name)]
    written = texts.go_on(models, condition, text)
    editor = texts.editor_data(written[0], condition, text)
    continuation = texts.continuation_data(written, condition)
    components.editor(
        key="editor",
        data=editor,
        on_text=lambda text: texts.take(opened, text),
    )
    components.continuation(
        key="continuation",
        data=continuation,
        on_text=lambda text: texts.take(opened, text),
    )
    for note in dict.fromkeys(note for one in written for note in one.notes):
        show_note(note)
    for reason in st.session_state.left_out:
        show_note(reason)


main(st.session_state.models, st.session_state.model)
