"""The app's own components: drawn and clicked in the browser; Python handles their events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from state import widgets

_HERE = Path(__file__).parent
_APP = _HERE.parent
_SHARED = _APP / "client" / "shared"
MARKS = _APP / "client" / "marks"

# Modules are served beside the pages (modules.py), so that all components, and what is not Streamlit's, share them.
_SCRIPT = """
const load = (path) => import(String(new URL(`modules/${{path}}`, document.baseURI)));
const [{{ steady }}, {{ draw }}] = await Promise.all([load("ui/steady.js"), load("{module}")]);
export default steady(".{name}", draw);
"""


def make_component(files: Path, *styles: Path) -> Callable[..., None]:
    """Return a component; the function `draw` that its script exports draws it.

    Call it with its key, its data, and for each event `name` a handler `on_name`, which takes the event's payload. Its
    style comes after that of all components, and after `styles`.

    Args:
        files: its script and its style, without their suffixes.
        styles: other styles that it uses, without their suffixes.
    """
    name = files.name
    css = "\n".join(
        path.with_suffix(".css").read_text(encoding="utf-8") for path in (_SHARED, *styles, files)
    )
    module = files.with_suffix(".js").relative_to(_APP).as_posix()
    script = _SCRIPT.format(module=module, name=name)
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
edits = make_component(_HERE / "sidebar" / "edits")
entry = make_component(_HERE / "sidebar" / "entry")
predictors = make_component(_HERE / "predictors" / "predictors", MARKS)
state_table = make_component(_HERE / "state_table" / "state_table", MARKS)
