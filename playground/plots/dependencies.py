"""What depends on what in a world: inputs on the left, then outputs by depth, the counts last.

Names and edges in, SVG out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from playground.plots.layers import Box, Edge, Layout, lay_out, levels_of
from playground.plots.svg import FIRST, picture, text, width_of

LONGEST = 12
"""The most letters of a name to draw; hovering shows the full name."""
NO_EFFECT = "no effect"
"""The label of an input that nothing depends on."""

Kind = Literal["input", "output", "count"]
MEANINGS = {"input": "reads an input", "output": "reads another output", "count": "is counted"}
_NAME, _SIZE, _HEAD, _LEGEND = 25.0, 12.5, 30.0, 34.0
_BETWEEN, _LEAST_BETWEEN, _ALL_BETWEEN = 58.0, 36.0, 300.0
"""Pixels between two levels, at most and at least, and between all: a deep world has narrower gaps, not smaller boxes."""


@dataclass(frozen=True)
class _Variable:
    """A name and its box."""

    name: str
    level: int
    faint: bool

    @property
    def shown(self) -> str:
        return self.name if len(self.name) <= LONGEST else f"{self.name[: LONGEST - 1]}…"

    @property
    def width(self) -> float:
        return max(34.0, width_of(self.shown, _SIZE) + 14, width_of(NO_EFFECT, 9) + 8 if self.faint else 0)

    @property
    def height(self) -> float:
        return _NAME + (10 if self.faint else 0)


def draw_dependencies(
    inputs: Sequence[str],
    outputs: Sequence[str],
    counts: Sequence[str],
    edges: Sequence[Edge],
    noise: Collection[str],
) -> str:
    """Return as SVG which inputs and outputs every output reads, and what the counts count.

    Boxes have the class `box` and the attribute `data-name`, edges the class `edge`, `data-source` and `data-target`.

    Args:
        inputs: names, in the order of the text.
        outputs: names, likewise.
        counts: names, likewise.
        edges: pairs of a name and an answer that reads it.
        noise: inputs that nothing depends on.
    """
    levels = levels_of(inputs, outputs, [edge for edge in edges if edge[1] in outputs])
    levels |= dict.fromkeys(counts, 1 + max(levels.values()))
    variables = {name: _Variable(name, level, name in noise) for name, level in levels.items()}
    boxes = [Box(each.name, each.level, each.height) for each in variables.values()]
    graph = _Graph(variables, lay_out(boxes, edges), {edge: _kind(edge, inputs, counts) for edge in edges})
    return picture(
        max(graph.width, graph.legend_width),
        graph.height,
        "What depends on what",
        _described([*outputs, *counts], edges, noise),
        graph.draw(has_counts=bool(counts)),
    )


def _kind(edge: Edge, inputs: Sequence[str], counts: Sequence[str]) -> Kind:
    source, target = edge
    if target in counts:
        return "count"
    return "input" if source in inputs else "output"


def _described(answers: Sequence[str], edges: Sequence[Edge], noise: Collection[str]) -> str:
    reads = {answer: [source for source, target in edges if target == answer] for answer in answers}
    words = [f"{answer} reads {', '.join(read) or 'nothing'}" for answer, read in reads.items()]
    return "; ".join([*words, *(f"{name} has {NO_EFFECT}" for name in noise)])


class _Graph:
    """Positions of all elements: the layout runs from top to bottom, the drawing from left to right.

    Args:
        variables: the variables, by name.
        layout: layout of their boxes; its widths are heights here.
        kinds: the kind of every edge.
    """

    def __init__(self, variables: dict[str, _Variable], layout: Layout, kinds: dict[Edge, Kind]) -> None:
        self._variables, self._layout, self._kinds = variables, layout, kinds
        self._lefts, self._rights = [], []
        right, last = 2.0, max(each.level for each in variables.values())
        between = min(_BETWEEN, max(_LEAST_BETWEEN, _ALL_BETWEEN / last))
        for level in range(1 + last):
            self._lefts.append(right)
            wide = max(each.width for each in variables.values() if each.level == level)
            self._rights.append(right + max(wide, width_of(f"depth {level}", 10.5)))
            right = self._rights[-1] + between
        self.width = self._rights[-1] + 2
        self.height = _HEAD + layout.width + _LEGEND
        edges = list(kinds)
        self._leaves = layout.ports(edges, 0, self._step, origin=_HEAD)
        self._enters = layout.ports(edges, 1, self._step, origin=_HEAD)
        self._shown = [kind for kind in MEANINGS if kind in kinds.values()]
        self.legend_width = sum(56 + width_of(MEANINGS[kind], 11) for kind in self._shown)

    def draw(self, *, has_counts: bool) -> list[str]:
        """Return all elements, edges under boxes."""
        last = len(self._lefts) - 1
        heads = ["inputs", *(f"depth {level}" for level in range(1, last + 1))]
        if has_counts:
            heads[last] = "counts"
        middles = [(left + right) / 2 for left, right in zip(self._lefts, self._rights, strict=True)]
        loud = sorted(self._kinds, key=lambda edge: list(MEANINGS).index(self._kinds[edge]) % 2)
        return [
            *(text(x, 12, head, 10.5, faint=True) for x, head in zip(middles, heads, strict=True)),
            *(self._line(edge) for edge in loud),
            *(self._box(each, middles[each.level]) for each in self._variables.values()),
            *self._legend(),
        ]

    def _step(self, name: str, edges: Sequence[Edge]) -> float:
        return min(5.0, (self._variables[name].height - 8) / max(1, len(edges)))

    def _middle(self, level: int) -> float:
        return (self._lefts[level] + self._rights[level]) / 2

    def _line(self, edge: Edge) -> str:
        """Return an edge, drawn to the right through its place in each level in between."""
        source, target = (self._variables[name] for name in edge)
        x, y = self._middle(source.level) + source.width / 2, self._leaves[edge]
        path = f"M{x:.1f} {y:.1f}"
        passed = range(source.level + 1, target.level)
        stops = [(self._lefts[level], self._rights[level]) for level in passed]
        enters = self._middle(target.level) - target.width / 2
        heights = (*(_HEAD + bend for bend in self._layout.bends[edge]), self._enters[edge])
        for to, (left, right) in zip(heights, [*stops, (enters, enters)], strict=True):
            half = (x + left) / 2
            path += f"C{half:.1f} {y:.1f} {half:.1f} {to:.1f} {left:.1f} {to:.1f}H{right:.1f}"
            x, y = right, to
        ends = f'data-source="{escape(edge[0])}" data-target="{escape(edge[1])}"'
        kind = self._kinds[edge]
        title = f"{edge[1]} counts {edge[0]}" if kind == "count" else f"{edge[1]} reads {edge[0]}"
        return f'<path class="edge" {ends} d="{path}" style="fill: none; {_LOOKS[kind]}"><title>{escape(title)}</title></path>'

    def _box(self, each: _Variable, x: float) -> str:
        y = _HEAD + self._layout.centres[each.name] - each.height / 2
        look = "stroke-dasharray: 3 3; fill-opacity: 0" if each.faint else "fill-opacity: 0.06"
        return (
            f'<g class="box" data-name="{escape(each.name)}"><title>{escape(each.name)}'
            + (f": {NO_EFFECT}, whatever the state" if each.faint else "")
            + f'</title><rect x="{x - each.width / 2:.1f}" y="{y:.1f}" width="{each.width:.1f}" height="{each.height}" '
            f'rx="6" style="fill: currentColor; stroke: currentColor; stroke-opacity: 0.35; {look}"/>'
            + text(x, y + 17, each.shown, _SIZE, bold=not each.faint, faint=each.faint)
            + (text(x, y + 29, NO_EFFECT, 9, faint=True) if each.faint else "")
            + "</g>"
        )

    def _legend(self) -> list[str]:
        found, x, y = [], 2.0, self.height - 8
        for kind in self._shown:
            found.append(f'<path d="M{x:.0f} {y - 4:.0f}h28" style="{_LOOKS[kind]}"/>')
            found.append(text(x + 36, y, MEANINGS[kind], 11, faint=True, anchor="start"))
            x += 56 + width_of(MEANINGS[kind], 11)
        return found


_LOOKS = {
    "input": "stroke: currentColor; stroke-opacity: 0.45; stroke-width: 1.2",
    "output": f"stroke: {FIRST}; stroke-width: 2.4",
    "count": "stroke: currentColor; stroke-opacity: 0.3; stroke-width: 1; stroke-dasharray: 2 3",
}
"""Line styles, so that kinds of edges can be title apart without colour."""
