"""The rules that this tab has on page World: typed, opened, saved; and what was wrong with what was asked for."""

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
        text: as it stands in the editor.
        faults: what is wrong with it.
        right: the last text before that nothing was wrong with, or itself; None if there has been none.
        name: of the file that it was read from or is to be saved to; may be empty.
        loaded: which text it is that was not typed: another one each time.
        number: of what the browser has sent last.
    """

    text: str
    faults: tuple[Fault, ...]
    right: str | None
    name: str
    loaded: str
    number: int = 0

    @property
    def world(self) -> World | None:
        """The world of the last text that nothing was wrong with."""
        return None if self.right is None else _parse(self.right)

    @property
    def file(self) -> Path | None:
        """The file that has this text; of several, the one of that name."""
        found = [path for path in list_worlds() if is_text_of(path, self.text)]
        return next((path for path in found if path.stem == self.name), found[0] if found else None)


@dataclass(frozen=True)
class Notice:
    """What has become of what was asked for last.

    Args:
        faults: what was wrong with it.
        said: what was done.
        can_replace: whether it can be done if other rules may be replaced.
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
    """Return the draft with a text that was not typed here."""
    # What came with the address of somebody else may be anything that a browser can send.
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
        payload: of the editor: a text, and its number.
    """
    here = current()
    # What is too long to be rules is not kept: it would go to and fro with every key.
    text = str(payload["text"])[: 2 * LONGEST].encode(errors="replace").decode()
    faults = _faults(text)
    st.session_state.rules_draft = replace(
        here, text=text, faults=faults, right=here.right if faults else text, number=int(payload["number"])
    )
    say()


def sync_url() -> None:
    """Take over the rules in the address, if the tab did not write that itself; explain what cannot be read."""
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
    """Return the parameters of the address that say the rules; none if they are too long."""
    return rules_address.write(current().text)


def address() -> str | None:
    """Make the address say the rules; return what it is to be if the browser is to put it in place itself.

    A text that was opened is one step of the browser's history; each pause in typing would be one, too, if it were
    written as Streamlit does it.
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
    """Have something done with the rules as soon as all that a click brings along is taken over.

    What was typed last is sent with the click on a button, and may be taken over after it.
    """
    st.session_state.rules_act = act


def carry_out() -> None:
    """Do what was asked for, and say what has become of it."""
    act = st.session_state.pop("rules_act", None)
    if act is not None:
        attempt(act)


def rename(name: str) -> None:
    """Have another name to save the rules under."""
    st.session_state.rules_draft = replace(current(), name=name.strip())
    say()


def load(text: str, name: str) -> None:
    """Have other rules.

    Args:
        text: of them.
        name: under which they are to be saved; may be empty.
    """
    st.session_state.rules_draft = _loaded(text, name, current())


def name_for(path: Path) -> str:
    """Return the name that rules from a file are saved under: the default world is not replaced."""
    return "" if path == default_rules() else path.stem


def attempt(act: Callable[[], Any]) -> Any:
    """Do something, and say what has become of it."""
    say()
    try:
        return act()
    except RequestError as error:
        say(*error.faults)
        return None


def say(*faults: Fault, said: str = "", can_replace: bool = False) -> None:
    """Keep what has become of what was asked for, to be said."""
    st.session_state.rules_notice = Notice(faults, said, can_replace)


def notice() -> Notice:
    """Return what has become of what was asked for last."""
    return st.session_state.get("rules_notice", Notice())
