"""Page Free text: any prompt and any half-written answer, and how the models continue it."""

from __future__ import annotations

from collections.abc import Sequence

from app_pages.text import completions, components
from playground.inference import Model
from state import session
from ui.wording import show_note


def main(models: Sequence[Model], opened: Model) -> None:
    """Show the page, the open model first; everything that a key changes is computed before it is drawn."""
    condition = session.current()
    text = completions.text_of(opened, condition)
    models = [opened, *(model for model in models if model.name != opened.name)]
    written = completions.go_on(models, condition, text)
    editor = completions.editor_data(written[0], condition, text)
    completion = completions.completion_data(written, condition)
    components.editor(
        key="editor",
        data=editor,
        on_text=lambda text: completions.on_text(opened, text),
    )
    components.completion(
        key="completion",
        data=completion,
        on_text=lambda text: completions.on_text(opened, text),
    )
    for note in dict.fromkeys(note for one in written for note in one.notes):
        show_note(note)
    for reason in session.left_out():
        show_note(reason)


main(session.models(), session.model())
