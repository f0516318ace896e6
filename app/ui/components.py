"""The app's own components: drawn and clicked in the browser; Python handles their events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from state import widgets

_HERE = Path(__file__).parent
_SHARED = _HERE / "shared" / "shared"
MARKS = _HERE / "shared" / "marks"
VIRTUAL_TABLE = _HERE / "board" / "virtual_table"
STATES = _HERE / "board" / "states"
PIXELS = _HERE / "shared" / "pixels"
STRIP = _HERE / "strip" / "strip"


def make_component(files: Path, *shared: Path, style: Path | None = None) -> Callable[..., None]:
    """Return a component; the function `show` of its script draws it.

    Call it with its key, its data, and for each event `name` a handler `on_name`, which takes the event's payload. Its
    style and script come after those that all components share, and after those of `shared`.

    Args:
        files: its script and its style, without their suffixes.
        shared: files that it shares with some components, without their suffixes.
        style: the files of another component whose style it uses.
    """

    def read(suffix: str, *more: Path) -> str:
        paths = (_SHARED, *shared, *more, files)
        return "\n".join(path.with_suffix(suffix).read_text(encoding="utf-8") for path in paths)

    name = files.name
    css = read(".css", *([style] if style else []))
    script = read(".js") + "\nexport default steady(show);\n"
    draw = component(f"the_experiment_{name}", html=f'<div class="{name}"></div>', css=css, js=script)

    def show(*, key: str, data: dict[str, Any], **handlers: Callable[[Any], None]) -> None:
        on_change: dict[str, Any] = {
            f"{event}_change": partial(_handle, key, event.removeprefix("on_"), handler)
            for event, handler in handlers.items()
        }
        draw(key=key, data=data, **on_change)

    return show


def _handle(key: str, event: str, handler: Callable[[Any], None]) -> None:
    """Handle an event unless its component is gone: a browser may still show one that the last run dropped."""
    events = widgets.value_of(key)
    if events is not None and events.get(event) is not None:
        handler(events[event])


later = make_component(_HERE / "later")
strip = make_component(STRIP, MARKS)
board = make_component(_HERE / "board" / "board", VIRTUAL_TABLE, MARKS, STATES)
rows = make_component(_HERE / "board" / "rows", VIRTUAL_TABLE)
edits = make_component(_HERE / "sidebar" / "edits")
entry = make_component(_HERE / "sidebar" / "entry")
predictors = make_component(_HERE / "predictors" / "predictors", MARKS)
state_table = make_component(_HERE / "state_table" / "state_table", MARKS)
