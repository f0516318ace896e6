"""The route summary: one bar of three parts for each answer. Numbers and names in, SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Int

from playground.plots.svg import FIRST, QUIET, SECOND, picture, text, width_of

WAYS = ("read", "recomputed", "neither")
COLOURS = (FIRST, SECOND, QUIET)
_COLUMNS = (0.0, 78.0, 206.0)
"""Offsets of each route's number to the right of the bar, in pixels."""
_BAR, _NUMBERS, _HEAD, _ROW, _TALL = 250.0, 336.0, 26.0, 22.0, 14.0


def draw_route_summaries(
    answers: Sequence[str],
    counts: Int[np.ndarray, "answer group way"],
    percent: Int[np.ndarray, "answer group way"],
    groups: Sequence[str] = ("all", "held out"),
) -> str:
    """Return bars as SVG: how often each answer is read, recomputed from the inputs, or neither.

    Args:
        answers: names.
        counts: diagnostic texts by route taken; zeros where there are none.
        percent: the same in per cent, as displayed.
        groups: groups of states, one bar each.
    """
    names = max(width_of(answer, 12.5) for answer in answers) + 14
    left = names + max(width_of(group, 11.5) for group in groups) + 10
    parts = [
        f'<rect x="{left + _BAR + 14 + column:.1f}" y="6" width="10" height="10" rx="2" style="fill: {colour}"/>'
        + text(left + _BAR + 29 + column, 15, way, 11.5, anchor="start")
        for way, colour, column in zip(WAYS, COLOURS, _COLUMNS, strict=True)
    ]
    words, y = [], _HEAD
    for answer, of_answer, said_of in zip(answers, counts.tolist(), percent.tolist(), strict=True):
        parts.append(text(0, y + _TALL - 2, answer, 12.5, bold=True, anchor="start"))
        for group, found, numbers in zip(groups, of_answer, said_of, strict=True):
            parts.append(text(names, y + _TALL - 2.5, group, 11.5, faint=True, anchor="start"))
            if not sum(found):
                parts.append(text(left, y + _TALL - 2.5, "no such text", 11.5, faint=True, anchor="start"))
            else:
                said = ", ".join(f"{way} {number} %" for way, number in zip(WAYS, numbers, strict=True))
                parts += _bar(f"{answer}, {group}: {said}", found, numbers, left, y)
                words.append(f"{answer}, {group}: {said}")
            y += _ROW
        y += 4
    return picture(left + _BAR + _NUMBERS, y, "How each answer comes about", "; ".join(words), parts)


def _bar(title: str, counts: Sequence[int], percent: Sequence[int], left: float, y: float) -> list[str]:
    parts, x = [f"<g><title>{escape(title)}</title>"], left
    for count, number, colour, column in zip(counts, percent, COLOURS, _COLUMNS, strict=True):
        width = count / sum(counts) * _BAR
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_TALL}" style="fill: {colour}; '
            'fill-opacity: 0.85"/>'
        )
        parts.append(text(left + _BAR + 29 + column, y + _TALL - 2.5, f"{number} %", 12, anchor="start"))
        x += width
    return [*parts, "</g>"]
