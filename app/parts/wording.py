"""Words on the page."""

from __future__ import annotations


def as_text(message: str) -> str:
    """Return a message that Markdown shows as it is."""
    return "".join(
        f"\\{character}" if character in r"\`*_{}[]()#+-!$<>~:" else character for character in message
    )
