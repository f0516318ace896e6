"""The address of the page: what the browser sent, and what the tab has written into it."""

from __future__ import annotations

from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from api.address import write_query

RUN_PARAMETERS: tuple[str, ...] = ("name", "model")
_SHOWN = 20
"""Number of latest addresses that are remembered: with a slow server, the browser is some clicks behind."""
_OF_EMBEDDING = ("embed", "embed_options")
"""Streamlit's own parameters, which it preserves itself."""


def sync_url(page: str) -> None:
    """Note which page is shown, and whether its address contains anything that the tab did not write itself.

    Args:
        page: its title.
    """
    memory = st.session_state
    memory.adopted = memory.pop("offered", None)
    query = browser_query()
    if "page" in memory and not query:
        # Switching pages drops the query, in both directions; the condition is kept nevertheless.
        memory.url = query
    memory.page = page
    # A click sends the address that the browser shows, which may be some clicks old: the tab's own later changes are
    # newer. Still, an address that the tab never showed is news, and so is one reached by going back or forward.
    context = get_script_run_ctx()
    led = context is not None and context.is_history_navigation
    late = memory.get("acted", False) and query in memory.get("shown", ()) and not led
    memory.url_is_news = memory.adopted is not None or (query != memory.get("url") and not late)
    note(query)
    memory.acted = False


def mark_changed() -> None:
    """Note that the tab itself has changed what it shows: the address sent with this run may be older."""
    st.session_state.acted = True


def is_news() -> bool:
    """Return whether the address contains anything that the tab did not write itself."""
    return st.session_state.url_is_news


def browser_query() -> dict[str, str]:
    """Return the parameters of the address that the browser sent with this run.

    `st.query_params` is not enough: all runs of a tab share it, and a run that is about to be stopped for a newer one
    may begin late and write its own, older address there. The link of the newer run would then be ignored.
    """
    context, adopted = get_script_run_ctx(), st.session_state.get("adopted")
    text = adopted or (context.query_string if context else "")
    sent = parse_qs(text, keep_blank_values=True)
    query = {name: values[-1] for name, values in sent.items() if name.lower() not in _OF_EMBEDDING}
    return query | ({"on": ";".join(sent["on"])} if "on" in sent else {})


def adopt(query: str) -> None:
    """Show what an address names that a page of the client was at last."""
    st.session_state.offered = query


def note(query: dict[str, str]) -> None:
    """Remember the parameters of an address that the browser shows, or will show."""
    shown = st.session_state.get("shown", ())
    if query not in shown[-1:]:
        st.session_state.shown = (*shown, query)[-_SHOWN:]


def publish() -> None:
    """Write what the page shows into the URL; without a condition, the model that could not be opened."""
    query = as_query()
    if query != browser_query():
        st.query_params.from_dict(query)
    note(query)
    st.session_state.url = query


def as_query() -> dict[str, str]:
    """Return the parameters that all pages have in common."""
    memory = st.session_state
    query: dict[str, str] = dict(zip(RUN_PARAMETERS, memory.run, strict=True)) if "run" in memory else {}
    if "condition" in memory:
        query |= write_query(memory.condition)
    return query


def published() -> dict[str, str]:
    """Return the parameters of the URL that was last published."""
    return st.session_state.url
