"""Pictures as SVG text: they take the colour and the font of the text around them and ask nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from playground.plots import theme

FIRST, SECOND, QUIET = (
    f"var(--{name}, {colour})"
    for name, colour in (("first", theme.FIRST), ("second", theme.SECOND), ("quiet", theme.QUIET))
)
"""Colours; a page may set its own."""

LETTER = 0.61
"""How wide a letter is, at most on average, in parts of its height: what a picture is laid out with."""


def picture(width: float, height: float, title: str, words: str, parts: Sequence[str]) -> str:
    """Return a picture with a title and a description in words.

    Args:
        width: in pixels; it is drawn smaller where there is less room.
        height: in pixels.
        title: in a few words.
        words: what is to be seen, for those who do not see it.
        parts: its elements.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="display: block; width: 100%; max-width: {width:.0f}px; height: auto; font-family: inherit">'
        f"<title>{escape(title)}</title><desc>{escape(words)}</desc>{''.join(parts)}</svg>"
    )


def text(
    x: float,
    y: float,
    words: str,
    size: float,
    *,
    bold: bool = False,
    faint: bool = False,
    anchor: str = "middle",
) -> str:
    """Return a line of text.

    Args:
        x: of its middle, or of the end that is the anchor.
        y: of its foot.
        words: what it says.
        size: in pixels.
        bold: whether it is a heading.
        faint: whether it says less than what is near it.
        anchor: `start`, `middle` or `end`.
    """
    style = f"fill: currentColor; font-size: {size}px; font-variant-numeric: tabular-nums"
    style += "; font-weight: 600" if bold else ""
    style += "; opacity: 0.8" if faint else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{style}">{escape(words)}</text>'


def width_of(words: str, size: float) -> float:
    """Return about how many pixels a line of text takes."""
    return len(words) * size * LETTER
