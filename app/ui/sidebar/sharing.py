"""The whole condition to share: as a link, as Python, as a command."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from api.condition import Condition
from playground.errors import count_of
from playground.inference import Model, as_command, as_python
from state import session, url
from ui.wording import as_text, show_note

_PLAIN = ",:;@!=~"
"""Characters that a link leaves unescaped, because people read links, too."""
_LONG = 400
_HEIGHT = 190


def show(model: Model, condition: Condition) -> None:
    """Show a button that opens texts to copy, each complete in itself.

    Args:
        model: the open model; the code is for it alone.
        condition: of the page.
    """
    with st.popover("Share", icon=":material/share:", width="stretch", key="share"):
        st.markdown("**Link**")
        st.caption("The page as it is now, with all its settings.")
        _offer(link(), None)
        name, run = session.run()
        fit = model.fit(condition.interventions)
        st.markdown("**Python**")
        st.caption(
            f"A script that prints the board of {as_text(name)}/{as_text(run)} under the active edits."
        )
        _offer(as_python(name, run, fit.applied), "python")
        st.markdown("**Command**")
        st.caption("The same board, on the command line.")
        _offer(as_command(name, run, fit.applied), "bash")
        if fit.left_out:
            show_note(f"{count_of(len(fit.left_out), 'intervention')} left out: cannot be applied to {run}.")


def link() -> str:
    """Return the address of the page with the whole condition in it."""
    return f"{st.context.url}?{urlencode(url.published(), safe=_PLAIN)}"


def _offer(text: str, language: str | None) -> None:
    # Long texts scroll, so that the next one stays in sight.
    st.code(
        text, language, wrap_lines=language != "python", height=_HEIGHT if len(text) > _LONG else "content"
    )
