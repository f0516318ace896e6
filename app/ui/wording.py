"""Texts from outside: shown on the page literally, never interpreted as Markdown."""

from __future__ import annotations

import re
import string

import streamlit as st

_ESCAPED = str.maketrans({character: f"\\{character}" for character in string.punctuation})
_MADE_OF_TEXT = re.compile(
    r"(?:(?:https?://|www\.)(?:(?!:material/)[^\s'\"])*"  # a link
    r"|[-.+\w]+@[-\w]+\.[-.\w]+"  # a link to an e-mail address
    r"|:[-+\w]+:"  # an emoji or an icon
    r"|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S))+",  # an arrow or another symbol
    re.IGNORECASE,
)
"""What Streamlit replaces after it has parsed Markdown, so that a backslash cannot prevent it."""


def as_text(message: str) -> str:
    """Return Markdown that shows a message literally: nothing becomes a link, picture, formula, emoji or colour.

    Parts that Streamlit would replace even in escaped text become code spans.
    """
    # Four spaces at the beginning of a line would turn it into a code block.
    text = "\n".join(line.lstrip() for line in message.splitlines())
    shown, end = [], 0
    for found in _MADE_OF_TEXT.finditer(text):
        shown += [text[end : found.start()].translate(_ESCAPED), _as_code(found[0])]
        end = found.end()
    return "".join([*shown, text[end:].translate(_ESCAPED)])


def _as_code(text: str) -> str:
    """Return text without spaces as a code span; its fence is longer than any run of backticks in it."""
    fence = "`" * (1 + max(map(len, re.findall("`*", text))))
    room = " " if "`" in text else ""
    return f"{fence}{room}{text}{room}{fence}"


def show_error(message: str) -> None:
    """Show in a box that something failed."""
    st.error(as_text(message), icon=":material/error:")
