"""The rules that this tab has on page World: typed, opened, saved; and what was wrong with what was asked for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from parts import links, session, widgets
from playground.errors import Fault, RequestError
from playground.files import default_rules
from playground.worlds import (
    World,
    decode_rules,
    list_worlds,
    parse_world,
    path_of_rules,
    read_rules,
    save_rules,
)
from playground.worlds.files import LONGEST

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
        number: of what the browser has told last.
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
        found = [path for path in list_worlds() if _has(path, self.text)]
        return next((path for path in found if path.stem == self.name), found[0] if found else None)


def _has(path: Path, text: str) -> bool:
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


def take(told: dict[str, Any]) -> None:
    """Take over what was typed.

    Args:
        told: by the editor: a text, and its number.
    """
    here = current()
    # What is too long to be rules is not kept: it would go to and fro with every key.
    text = str(told["text"])[: 2 * LONGEST].encode(errors="replace").decode()
    faults = _faults(text)
    st.session_state.rules_draft = replace(
        here, text=text, faults=faults, right=here.right if faults else text, number=int(told["number"])
    )
    _say()


def arrive() -> None:
    """Take over the rules in the address, if the tab did not write that itself; explain what cannot be read."""
    here, memory = current(), st.session_state
    if not memory.url_is_news:
        return
    try:
        text = links.read(st.query_params.to_dict())
    except RequestError as error:
        _say(*error.faults)
        return
    _say()
    if text is None or text == here.text:
        return
    draft = _loaded(text, "", here)
    memory.rules_draft = replace(draft, name=_name_for(draft.file) if draft.file else "")


def as_query() -> dict[str, str]:
    """Return the parameters of the address that say the rules; none if they are too long."""
    return links.write(current().text)


def address() -> str | None:
    """Make the address say the rules; return what it is to be if the browser is to put it in place itself.

    A text that was opened is one step of the browser's history; each pause in typing would be one, too, if it were
    told as Streamlit does it.
    """
    draft, memory = current(), st.session_state
    if memory.get("published_rules") != draft.loaded:
        memory.published_rules = draft.loaded
        session.publish(**as_query())
        return None
    return urlencode(session.as_query() | as_query())


def rename(name: str) -> None:
    """Have another name to save the rules under."""
    st.session_state.rules_draft = replace(current(), name=name.strip())
    _say()


def open_file(path: Path) -> None:
    """Open the rules of a file."""
    with_faults(lambda: _open(read_rules(path), _name_for(path)))


def _name_for(path: Path) -> str:
    """Return the name that rules from a file are saved under: the default world is not replaced."""
    return "" if path == default_rules() else path.stem


def take_file(content: bytes, name: str) -> None:
    """Open rules that somebody has sent.

    Args:
        content: of a file.
        name: of it.
    """
    with_faults(lambda: _open(decode_rules(content, name), Path(name).stem))


def _open(text: str, name: str) -> None:
    st.session_state.rules_draft = _loaded(text, name, current())


def save(*, replaces: bool) -> Path | None:
    """Save the rules under their name; return the file, or None if that cannot be, which is said.

    Args:
        replaces: whether other rules under that name may be replaced.
    """
    return with_faults(lambda: _save(current().name, replaces=replaces))


def duplicate() -> None:
    """Save the rules under a name that is not taken, and go on with that."""
    here = current()
    name = re.sub(r"-\d+$", "", here.file.stem if here.file else here.name or "world")
    taken = {path.stem for path in list_worlds()}
    free = next(copy for number in range(2, len(taken) + 3) if (copy := f"{name}-{number}") not in taken)
    with_faults(lambda: _save(free, replaces=False))


def _save(name: str, *, replaces: bool) -> Path:
    here = current()
    if here.faults:
        raise RequestError(
            Fault(
                rule="rules are saved when nothing is wrong with them",
                expected="a text without faults",
                got=f"{len(here.faults)} of them",
                hint="Mend what is marked, or download the text as it is.",
            )
        )
    path = save_rules(name, here.text, replace=replaces)
    st.session_state.rules_draft = replace(here, name=path.stem)
    widgets.empty("replaces")
    _say(said=f"Saved: {path}")
    return path


def save_for_training() -> Path | None:
    """Return the file of the rules; they are saved if there is none, which is said if it cannot be."""
    here = current()
    if here.file and not here.faults:
        return here.file
    return save(replaces=False)


def is_taken(draft: Draft) -> bool:
    """Return whether the name of a draft is that of a file with other rules."""
    try:
        path = path_of_rules(draft.name)
    except RequestError:
        return False
    return path.exists() and not _has(path, draft.text)


def with_faults(act: Callable[[], Any]) -> Any:
    """Do something, and say what has become of it."""
    _say()
    try:
        return act()
    except RequestError as error:
        _say(*error.faults)
        return None


def _say(*faults: Fault, said: str = "") -> None:
    st.session_state.rules_notice = (faults, said)


def notice() -> tuple[tuple[Fault, ...], str]:
    """Return what was wrong with what was asked for last, and what has become of it."""
    return st.session_state.get("rules_notice", ((), ""))
