"""The rules that this tab edits on page World (typed, opened, saved), and the result of its last request."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from playground.errors import Fault, RequestError
from playground.files import default_rules
from playground.worlds import World, list_worlds, parse_world, read_rules
from playground.worlds.files import LONGEST
from state import rules_address, url

_parse = lru_cache(maxsize=64)(parse_world)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A text of rules.

    Args:
        text: the text in the editor.
        faults: what is wrong with it.
        right: the last text without faults, perhaps this one; None if there has been none.
        name: of the file that it was read from or is to be saved to; may be empty.
        loaded: identifies the last text that was not typed; a fresh value each time.
        number: of the last text that the browser sent.
    """

    text: str
    faults: tuple[Fault, ...]
    right: str | None
    name: str
    loaded: str
    number: int = 0

    @property
    def world(self) -> World | None:
        """The world of the last text without faults."""
        return None if self.right is None else _parse(self.right)

    @property
    def file(self) -> Path | None:
        """The file with this text; if there are several, the one with this name."""
        found = [path for path in list_worlds() if is_text_of(path, self.text)]
        return next((path for path in found if path.stem == self.name), found[0] if found else None)


@dataclass(frozen=True)
class Notice:
    """The result of the last request.

    Args:
        faults: what was wrong with it.
        said: what was done.
        can_replace: whether it would succeed if it may replace other rules.
    """

    faults: tuple[Fault, ...] = ()
    said: str = ""
    can_replace: bool = False


def is_text_of(path: Path, text: str) -> bool:
    """Return whether a file has this text."""
    try:
        return read_rules(path) == text
    except RequestError:
        return False


def current() -> Draft:
    """Return the rules of this tab; at first those of the default world."""
    memory = st.session_state
    if "rules_draft" not in memory:
        memory.rules_draft = _loaded(read_rules(default_rules()), "")
    return memory.rules_draft


def _loaded(text: str, name: str, before: Draft | None = None) -> Draft:
    """Return a draft with a text that was not typed here."""
    # The address of a link may contain anything that a browser can send.
    text = text.encode(errors="replace").decode()
    faults = _faults(text)
    right = text if not faults else before.right if before else None
    return Draft(text=text, faults=faults, right=right, name=name, loaded=uuid.uuid4().hex)


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        _parse(text)
    except RequestError as error:
        return error.faults
    return ()


def on_text(payload: dict[str, Any]) -> None:
    """Take over what was typed.

    Args:
        payload: of the editor: a text and its number.
    """
    here = current()
    # A text too long to be rules is cut: it would travel to and fro with every key.
    text = str(payload["text"])[: 2 * LONGEST].encode(errors="replace").decode()
    faults = _faults(text)
    st.session_state.rules_draft = replace(
        here, text=text, faults=faults, right=here.right if faults else text, number=int(payload["number"])
    )
    say()


def sync_url() -> None:
    """Take over the rules in the address unless the tab wrote them itself; explain what cannot be read."""
    here, memory = current(), st.session_state
    if not url.is_news():
        return
    try:
        text = rules_address.read(url.browser_query())
    except RequestError as error:
        say(*error.faults)
        return
    say()
    if text is None or text == here.text:
        return
    draft = _loaded(text, "", here)
    memory.rules_draft = replace(draft, name=name_for(draft.file) if draft.file else "")


def as_query() -> dict[str, str]:
    """Return the rules as parameters of the address; none if they are too long."""
    return rules_address.write(current().text)


def address() -> str | None:
    """Put the rules into the address; return the address if the browser has to set it itself.

    Opening a text adds one step to the browser's history. Written by Streamlit, each pause in typing would add one, too.
    """
    draft, memory = current(), st.session_state
    if memory.get("published_rules") != draft.loaded:
        memory.published_rules = draft.loaded
        url.publish(**as_query())
        return None
    query = url.as_query() | as_query()
    url.note(query)
    return urlencode(query)


def ask_for(act: Callable[[], Any]) -> None:
    """Do something with the rules once everything sent with the click has been taken over.

    The last typed text is sent together with the click on a button, and may be handled after it.
    """
    st.session_state.rules_act = act


def carry_out() -> None:
    """Do what was asked for, and keep the result to be shown."""
    act = st.session_state.pop("rules_act", None)
    if act is not None:
        attempt(act)


def rename(name: str) -> None:
    """Change the name under which the rules will be saved."""
    st.session_state.rules_draft = replace(current(), name=name.strip())
    say()


def load(text: str, name: str) -> None:
    """Load other rules.

    Args:
        text: the rules.
        name: under which they will be saved; may be empty.
    """
    st.session_state.rules_draft = _loaded(text, name, current())


def name_for(path: Path) -> str:
    """Return the name under which rules from a file are saved; never the name of the default world."""
    return "" if path == default_rules() else path.stem


def attempt(act: Callable[[], Any]) -> Any:
    """Do something, and keep the result to be shown."""
    say()
    try:
        return act()
    except RequestError as error:
        say(*error.faults)
        return None


def say(*faults: Fault, said: str = "", can_replace: bool = False) -> None:
    """Keep the result of a request, to be shown."""
    st.session_state.rules_notice = Notice(faults, said, can_replace)


def notice() -> Notice:
    """Return the result of the last request."""
    return st.session_state.get("rules_notice", Notice())
