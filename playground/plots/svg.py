"""Pictures as SVG text: they inherit the colour and font of the surrounding text and load nothing."""

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
"""Upper bound on the average width of a letter, relative to its height; used for layout."""


def picture(width: float, height: float, title: str, words: str, parts: Sequence[str]) -> str:
    """Return a picture with a title and a description in words.

    Args:
        width: in pixels; scaled down where there is less room.
        height: in pixels.
        title: a few words.
        words: a description for readers who cannot see the picture.
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
        x: position of its anchor: its start, middle or end.
        y: position of its baseline.
        words: the text.
        size: in pixels.
        bold: whether it is a heading.
        faint: whether it is less important than the text around it.
        anchor: `start`, `middle` or `end`.
    """
    style = f"fill: currentColor; font-size: {size}px; font-variant-numeric: tabular-nums"
    style += "; font-weight: 600" if bold else ""
    style += "; opacity: 0.8" if faint else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{style}">{escape(words)}</text>'


def width_of(words: str, size: float) -> float:
    """Return about how many pixels a line of text takes."""
    return len(words) * size * LETTER
