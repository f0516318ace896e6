"""Words on the page that come from outside: shown as they are, whatever Markdown would make of them."""

from __future__ import annotations

import re
import string

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.errors import Fault

_ESCAPED = str.maketrans({character: f"\\{character}" for character in string.punctuation})
_MADE_OF_TEXT = re.compile(
    r"(?:(?:https?://|www\.)(?:(?!:material/)[^\s'\"])*"  # a link
    r"|[-.+\w]+@[-\w]+\.[-.\w]+"  # a link to an e-mail address
    r"|:[-+\w]+:"  # an emoji or an icon
    r"|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S))+",  # an arrow or another symbol
    re.IGNORECASE,
)
"""What Streamlit turns into something else after Markdown has been read, so that no backslash prevents it."""


def as_text(message: str) -> str:
    """Return Markdown that shows a message as it is: no link, picture, formula, emoji or colour comes of it.

    What would be made of plain text all the same stands there as code.
    """
    # Four spaces at the beginning of a line would make a block of code of it.
    text = "\n".join(line.lstrip() for line in message.splitlines())
    shown, end = [], 0
    for found in _MADE_OF_TEXT.finditer(text):
        shown += [text[end : found.start()].translate(_ESCAPED), _as_code(found[0])]
        end = found.end()
    return "".join([*shown, text[end:].translate(_ESCAPED)])


def _as_code(text: str) -> str:
    """Return text without a space as a code span: its fence is longer than any row of backticks in it."""
    fence = "`" * (1 + max(map(len, re.findall("`*", text))))
    room = " " if "`" in text else ""
    return f"{fence}{room}{text}{room}{fence}"


def show_faults(*faults: Fault, place: DeltaGenerator | None = None) -> None:
    """Say what is wrong with a request.

    Args:
        faults: each is shown in a box of its own.
        place: where; by default where the page is.
    """
    for fault in faults:
        show_error(str(fault), place)


def show_error(message: str, place: DeltaGenerator | None = None) -> None:
    """Say in a box that something failed."""
    (place or st).error(as_text(message), icon=":material/error:")


def show_info(message: str) -> None:
    """Say in a box what is worth knowing."""
    st.info(as_text(message), icon=":material/info:")


def show_note(message: str, icon: str = "info", place: DeltaGenerator | None = None) -> None:
    """Say something in small print, behind an icon."""
    (place or st).caption(f":material/{icon}: {as_text(message)}")
