"""The causal diagram: what each answer depends on by the rules of a world, and in a model.

Numbers and names in, SVG out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from jaxtyping import Float

from playground.plots.layers import Box, Edge, Layout, lay_out, levels_of
from playground.plots.svg import FIRST, QUIET, SECOND, picture, text, width_of

LEAST = 0.05
"""Smaller influences are not drawn."""
BESIDE = 640
"""Up to this width, in pixels, the two graphs are drawn side by side rather than stacked."""

Kind = Literal["same", "missing", "extra"]
COLOURS: Mapping[Kind, str] = {"same": FIRST, "missing": QUIET, "extra": SECOND}
MEANINGS: Mapping[Kind, str] = {
    "same": "as in the rules",
    "missing": f"in the rules, but under {LEAST} in the model",
    "extra": "in the model, not in the rules",
}
LONGEST = {"chip": 10, "box": 22}
"""The most characters of a name to draw; hovering shows the full name."""
_TITLE, _BETWEEN, _NAME, _CHIP, _APART, _LEGEND = 34, 62, 24, 30, 44, 36


@dataclass(frozen=True)
class Link:
    """An edge as it is drawn.

    Args:
        source: a variable.
        target: an answer.
        kind: how it compares with the rules.
        strength: its influence, from 0 to 1.
    """

    source: str
    target: str
    kind: Kind
    strength: float

    @property
    def edge(self) -> Edge:
        """Its source and target."""
        return self.source, self.target

    def __str__(self) -> str:
        return f"{self.source} on {self.target}: {self.strength:.2f}, {MEANINGS[self.kind]}"


def draw_routes(
    inputs: Sequence[str],
    outputs: Sequence[str],
    counts: Sequence[str],
    world: Float[np.ndarray, "answer variable"],
    model: Float[np.ndarray, "answer variable"],
    *,
    titles: tuple[str, str] = ("by the rules of the world", "in the model"),
    answers: Sequence[str] | None = None,
) -> str:
    """Return two graphs as SVG: the influence of each variable on each answer, by the rules and in a model.

    Boxes have the same places in both, for easy comparison. Edges into some answers have numbers; all others are
    faint. An answer stands below everything it depends on in either graph.

    Args:
        inputs: names, in the order of the text.
        outputs: names, likewise.
        counts: names, likewise.
        world: influence, from 0 to 1, of inputs and outputs on outputs and counts, by the rules; NaN where the
            variable does not come before the answer.
        model: the same on what the model writes.
        titles: the titles of the two graphs.
        answers: the answers whose edges have numbers; by default those that read an output by the rules, or all if
            none does.
    """
    ruled, measured, graph = _compare(inputs, outputs, counts, world, model, answers)
    wide = graph.width(*titles)
    beside = wide <= BESIDE
    right, down = (wide + _APART, 0.0) if beside else (0.0, graph.height + _APART / 2)
    legend, legend_width, _ = _legend(_kinds(measured), graph.height + down + _LEGEND / 2)
    return picture(
        max(wide + right, legend_width),
        graph.height + down + _LEGEND,
        "What each answer depends on",
        f"{titles[0]}: {_described(ruled)}. {titles[1]}: {_described(measured)}.",
        [*graph.draw(titles[0], ruled, 1, 0), *graph.draw(titles[1], measured, right + 1, down), *legend],
    )


def draw_routes_apart(
    inputs: Sequence[str],
    outputs: Sequence[str],
    counts: Sequence[str],
    world: Float[np.ndarray, "answer variable"],
    model: Float[np.ndarray, "answer variable"],
    *,
    titles: tuple[str, str] = ("by the rules of the world", "in the model"),
) -> tuple[str, str, str]:
    """Return the two graphs and their legend, each as an SVG of its own: a page puts them where it has room.

    See `draw_routes` for the arguments.
    """
    ruled, measured, graph = _compare(inputs, outputs, counts, world, model, None)
    wide = graph.width(*titles)
    by_rules, found = (
        picture(
            wide,
            graph.height,
            f"What each answer depends on {title}",
            f"{_described(links)}.",
            graph.draw(title, links, 1, 0),
        )
        for title, links in zip(titles, (ruled, measured), strict=True)
    )
    legend, width, height = _legend(_kinds(measured), _LEGEND / 2, wide)
    return by_rules, found, picture(width, height, "legend", "The lines of the graphs.", legend)


def _compare(
    inputs: Sequence[str],
    outputs: Sequence[str],
    counts: Sequence[str],
    world: Float[np.ndarray, "answer variable"],
    model: Float[np.ndarray, "answer variable"],
    answers: Sequence[str] | None,
) -> tuple[list[Link], list[Link], _Graph]:
    """Return the links of both graphs, and where they are; see `draw_routes` for the arguments."""
    variables, names = (*inputs, *outputs), (*outputs, *counts)
    ruled = list(_links(variables, names, world, world))
    measured = list(_links(variables, names, world, model))
    if answers is None:
        answers = [link.target for link in ruled if link.source in outputs] or names
    return ruled, measured, _Graph(inputs, names, len(counts), [*ruled, *measured], answers)


def _kinds(measured: Sequence[Link]) -> list[Kind]:
    """Return the kinds of links that there are, in the order of the legend."""
    found = {link.kind for link in measured} | {"same"}
    return [kind for kind in MEANINGS if kind in found]


def _links(
    variables: Sequence[str],
    names: Sequence[str],
    world: Float[np.ndarray, "answer variable"],
    found: Float[np.ndarray, "answer variable"],
) -> Iterator[Link]:
    """Yield the edges drawn for a graph, including those that it lacks."""
    for answer, of_world, of_graph in zip(names, world.tolist(), found.tolist(), strict=True):
        for variable, ruled, strength in zip(variables, of_world, of_graph, strict=True):
            if strength >= LEAST:
                yield Link(variable, answer, "same" if ruled >= LEAST else "extra", strength)
            elif ruled >= LEAST:
                yield Link(variable, answer, "missing", strength)


class _Graph:
    """Positions of all elements, in both graphs.

    Args:
        inputs: names.
        answers: names, counts last.
        counts: number of counts.
        links: the links of both graphs.
        loud: the answers whose edges have numbers.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        answers: Sequence[str],
        counts: int,
        links: Sequence[Link],
        loud: Sequence[str],
    ) -> None:
        self._edges = list(dict.fromkeys(link.edge for link in links))
        self._loud = {edge for edge in self._edges if edge[1] in loud}
        levels = levels_of(inputs, answers, self._edges)
        if counts:
            last = max(levels[name] for name in answers[-counts:])
            last = max(last, 1 + max(levels[name] for name in (*inputs, *answers[:-counts])))
            levels |= dict.fromkeys(answers[-counts:], last)
        self._levels = levels
        self._chip = max(32.0, *(width_of(_cut(source, "chip"), 9.5) + 11 for source, _ in self._edges), 0)
        chips = {name: sum(target == name for _, target in self._loud) for name in levels}
        self._widths = {
            name: max(34.0, width_of(_cut(name, "box"), 12.5) + 12, chips[name] * self._chip)
            for name in levels
        }
        self._heights = {name: _NAME + (_CHIP if chips[name] else 0) for name in levels}
        boxes = [Box(name, level, self._widths[name]) for name, level in levels.items()]
        self.layout: Layout = lay_out(boxes, self._edges)
        self._tops, self._bottoms = [], []
        below = float(_TITLE)
        for level in range(1 + max(levels.values())):
            self._tops.append(below)
            self._bottoms.append(below + max(self._heights[name] for name in levels if levels[name] == level))
            below = self._bottoms[-1] + _BETWEEN
        self.height = self._bottoms[-1] + 2
        self._leaves = self.layout.ports(self._edges, 0, self._step)
        self._enters = self.layout.ports(self._edges, 1, self._step_of_chips)

    def width(self, *titles: str) -> float:
        """Return the width of the wider one of two graphs with these titles."""
        return max(self.layout.width, *(width_of(title, 13) for title in titles)) + 2

    def draw(self, title: str, links: Sequence[Link], right: float, down: float) -> list[str]:
        """Return one of the graphs, shifted right and down."""
        faint = [link for link in links if link.edge not in self._loud]
        # Weak links are drawn over strong ones, which would hide them.
        loud = sorted((link for link in links if link.edge in self._loud), key=lambda link: -link.strength)
        return [
            f'<g transform="translate({right:.0f} {down:.0f})">',
            text(max(self.layout.width, width_of(title, 13)) / 2, 14, title, 13, bold=True),
            *(self._line(link) for link in (*faint, *loud)),
            *(self._box(name) for name in self._levels),
            *(self._number(link) for link in loud),
            "</g>",
        ]

    def _top(self, name: str) -> float:
        return self._tops[self._levels[name]]

    def _bottom(self, name: str) -> float:
        return self._top(name) + self._heights[name]

    def _step(self, name: str, edges: Sequence[Edge]) -> float:
        return min(7.0, (self._widths[name] - 12) / max(1, len(edges)))

    def _step_of_chips(self, name: str, edges: Sequence[Edge]) -> float:
        return self._chip if edges and edges[0] in self._loud else self._step(name, edges)

    def _path(self, edge: Edge) -> str:
        """Return the path of an edge, drawn down through its place in each level in between."""
        x, y = self._leaves[edge], self._bottom(edge[0])
        path = f"M{x:.1f} {y:.1f}"
        passed = range(self._levels[edge[0]] + 1, self._levels[edge[1]])
        stops = [(self._tops[level], self._bottoms[level]) for level in passed]
        bends = (*self.layout.bends[edge], self._enters[edge])
        for to, (top, bottom) in zip(bends, [*stops, (self._top(edge[1]),) * 2], strict=True):
            half = (y + top) / 2
            path += f"C{x:.1f} {half:.1f} {to:.1f} {half:.1f} {to:.1f} {top:.1f}V{bottom:.1f}"
            x, y = to, bottom
        return path

    def _line(self, link: Link) -> str:
        loud = link.edge in self._loud
        width = 1 + 5 * min(link.strength, 1.0) if loud else 1.0
        colour = COLOURS[link.kind] if loud or link.kind != "same" else "currentColor"
        style = f"fill: none; stroke: {colour}; stroke-opacity: {0.9 if loud else 0.28}; {_dashed(link.kind, width)}"
        return f'<path d="{self._path(link.edge)}" style="{style}"><title>{escape(str(link))}</title></path>'

    def _box(self, name: str) -> str:
        width = self._widths[name]
        x = self.layout.centres[name]
        shown = _cut(name, "box")
        box = (
            f'<rect x="{x - width / 2:.1f}" y="{self._top(name):.1f}" width="{width:.1f}" '
            f'height="{self._heights[name]}" rx="6" style="fill: currentColor; fill-opacity: 0.05; '
            f'stroke: currentColor; stroke-opacity: 0.35"/>'
            + text(x, self._bottom(name) - 8, shown, 12.5, bold=True)
        )
        return box if shown == name else f"<g><title>{escape(name)}</title>{box}</g>"

    def _number(self, link: Link) -> str:
        x, y, colour = self._enters[link.edge], self._top(link.target), COLOURS[link.kind]
        return (
            f"<g><title>{escape(str(link))}</title>"
            f'<rect x="{x - self._chip / 2 + 1.5:.1f}" y="{y + 1.5:.1f}" width="{self._chip - 3:.1f}" '
            f'height="{_CHIP - 2}" rx="4.5" style="fill: {colour}; fill-opacity: 0.12; stroke: {colour}; '
            f'{_dashed(link.kind, 1)}"/>'
            + text(x, y + 12, _cut(link.source, "chip"), 9.5, faint=True)
            + text(x, y + 24.5, f"{link.strength:.2f}", 11)
            + "</g>"
        )


def _cut(name: str, where: Literal["chip", "box"]) -> str:
    """Return a name shortened to fit: its beginning, and its last letters, which distinguish most names."""
    most = LONGEST[where]
    return name if len(name) <= most else f"{name[: most - 4]}…{name[-3:]}"


def _dashed(kind: Kind, width: float) -> str:
    """Return the line style of an edge, which shows its kind without colour."""
    width = 1.2 if kind == "missing" else width
    dashes = {"same": "none", "missing": "6 4", "extra": f"0.1 {max(2.6, 1.9 * width):.1f}"}
    cap = "round" if kind == "extra" else "butt"
    return f"stroke-width: {width:.1f}; stroke-dasharray: {dashes[kind]}; stroke-linecap: {cap}"


def _described(links: Sequence[Link]) -> str:
    return "; ".join(
        f"{answer} depends on "
        + ", ".join(
            f"{link.source} {link.strength:.2f}"
            + ("" if link.kind == "same" else f" ({MEANINGS[link.kind]})")
            for link in links
            if link.target == answer
        )
        for answer in dict.fromkeys(link.target for link in links)
    )


def _legend(kinds: Sequence[Kind], y: float, most: float = float("inf")) -> tuple[list[str], float, float]:
    """Return the legend of the lines, its width, and where it ends; of a row that would be wider than `most`, the rest is below."""
    margin = 2.0
    found, x, width = [], margin, 0.0
    for kind in kinds:
        room = 56 + width_of(MEANINGS[kind], 11.5)
        if x > margin and x + room > most:
            x, y = margin, y + _LEGEND / 2
        style = f"stroke: {COLOURS[kind]}; {_dashed(kind, 3.5)}"
        found.append(f'<path d="M{x:.0f} {y:.0f}h30" style="{style}"/>')
        found.append(text(x + 38, y + 4, MEANINGS[kind], 11.5, faint=True, anchor="start"))
        x += room
        width = max(width, x)
    return found, width, y + _LEGEND / 2
