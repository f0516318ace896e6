"""The fingerprint: how each answer comes about, as one bar of three parts. Numbers and names in, SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Float

from playground.plots.svg import FIRST, QUIET, SECOND, picture, text, width_of

WAYS = ("read", "computed again", "something else")
COLOURS = (FIRST, SECOND, QUIET)
_COLUMNS = (0.0, 78.0, 206.0)
"""Where the numbers of each way stand behind the bar, in pixels."""
_BAR, _NUMBERS, _HEAD, _ROW, _TALL = 250.0, 336.0, 26.0, 22.0, 14.0


def draw_fingerprints(
    answers: Sequence[str],
    read: Float[np.ndarray, "answer group"],
    recomputed: Float[np.ndarray, "answer group"],
    groups: Sequence[str] = ("all", "held out"),
) -> str:
    """Return bars as SVG: how often each answer is read, computed again from the inputs, or something else.

    Args:
        answers: names.
        read: shares, from 0 to 1, of the texts in which reading and computing again lead to different answers; NaN
            where there are none.
        recomputed: likewise.
        groups: of states, one bar each.
    """
    names = max(width_of(answer, 12.5) for answer in answers) + 14
    left = names + max(width_of(group, 11.5) for group in groups) + 10
    parts = [
        f'<rect x="{left + _BAR + 14 + column:.1f}" y="6" width="10" height="10" rx="2" style="fill: {colour}"/>'
        + text(left + _BAR + 29 + column, 15, way, 11.5, anchor="start")
        for way, colour, column in zip(WAYS, COLOURS, _COLUMNS, strict=True)
    ]
    words, y = [], _HEAD
    for answer, of_read, of_recomputed in zip(answers, read.tolist(), recomputed.tolist(), strict=True):
        parts.append(text(0, y + _TALL - 2, answer, 12.5, bold=True, anchor="start"))
        for group, first, second in zip(groups, of_read, of_recomputed, strict=True):
            parts.append(text(names, y + _TALL - 2.5, group, 11.5, faint=True, anchor="start"))
            if np.isnan(first) or np.isnan(second):
                parts.append(text(left, y + _TALL - 2.5, "no text tells", 11.5, faint=True, anchor="start"))
            else:
                shares = (first, second, max(0.0, 1 - first - second))
                parts += _bar(f"{answer}, {group}", shares, left, y)
                words.append(f"{answer}, {group}: " + _said(shares))
            y += _ROW
        y += 4
    return picture(left + _BAR + _NUMBERS, y, "How each answer comes about", "; ".join(words), parts)


def _bar(label: str, shares: tuple[float, float, float], left: float, y: float) -> list[str]:
    parts, x = [f"<g><title>{escape(label)}: {_said(shares)}</title>"], left
    for share, colour, column in zip(shares, COLOURS, _COLUMNS, strict=True):
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{share * _BAR:.1f}" height="{_TALL}" style="fill: {colour}; '
            'fill-opacity: 0.85"/>'
        )
        parts.append(text(left + _BAR + 29 + column, y + _TALL - 2.5, f"{share:.0%}", 12, anchor="start"))
        x += share * _BAR
    return [*parts, "</g>"]


def _said(shares: tuple[float, float, float]) -> str:
    return ", ".join(f"{way} {share:.0%}" for way, share in zip(WAYS, shares, strict=True))
