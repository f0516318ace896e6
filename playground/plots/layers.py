"""Layout of a layered graph: positions of boxes, and of edges between them.

The method of Sugiyama, Tagawa and Toda (1981). An edge that crosses a level gets its own place there, so that it
passes behind no box. Levels are sorted by the mean place of their items' neighbours. Then every item is moved towards
its neighbours, as far as order and widths allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

SWEEPS = 24
GAP = 12.0
"""Pixels between boxes."""
LANE = 8.0
"""Width of an edge where it crosses a level, in pixels."""

Edge = tuple[str, str]
_Item = tuple[str, ...]
"""An item in a level: a box, given by its name, or a crossing edge, given by its two ends."""
_Link = tuple[_Item, _Item]


@dataclass(frozen=True)
class Box:
    """A node of a graph.

    Args:
        name: its unique name.
        level: counted from 0, at the top.
        width: in pixels.
    """

    name: str
    level: int
    width: float


@dataclass(frozen=True)
class Layout:
    """Positions of all elements, in pixels from the left.

    Args:
        width: total width.
        centres: the centre of each box.
        bends: for each edge, where it crosses the levels between its ends, from the top.
    """

    width: float
    centres: Mapping[str, float]
    bends: Mapping[Edge, tuple[float, ...]]

    def ports(
        self,
        edges: Sequence[Edge],
        end: Literal[0, 1],
        step: Callable[[str, Sequence[Edge]], float],
        *,
        origin: float = 0.0,
    ) -> dict[Edge, float]:
        """Return where edges leave their sources (0) or enter their targets (1), ordered by direction.

        Args:
            edges: the edges of the layout.
            end: 0 or 1.
            step: pixels between the edges of one box.
            origin: offset added to each place.
        """

        def other(edge: Edge) -> float:
            bends = self.bends[edge]
            return bends[-end] if bends else self.centres[edge[1 - end]]

        found = {}
        for name, centre in self.centres.items():
            ends = sorted((edge for edge in edges if edge[end] == name), key=other)
            apart = step(name, ends)
            first = origin + centre - apart * (len(ends) - 1) / 2
            found |= {edge: first + apart * index for index, edge in enumerate(ends)}
        return found


def levels_of(inputs: Sequence[str], answers: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Return the level of every name: inputs at 0, every answer below all sources of its edges.

    Args:
        inputs: names.
        answers: names, each after the sources of its edges.
        edges: pairs of a name and an answer.
    """
    levels = dict.fromkeys(inputs, 0)
    for answer in answers:
        levels[answer] = 1 + max((levels[source] for source, target in edges if target == answer), default=0)
    return levels


def lay_out(boxes: Sequence[Box], edges: Sequence[Edge]) -> Layout:
    """Return the positions of boxes and edges.

    Args:
        boxes: the boxes; within a level, in their initial order.
        edges: pairs of box names, the upper one first.
    """
    level = {box.name: box.level for box in boxes}
    widths: dict[_Item, float] = {(box.name,): box.width for box in boxes}
    rows: list[list[_Item]] = [[] for _ in range(1 + max(level.values()))]
    for box in boxes:
        rows[box.level].append((box.name,))
    links: list[_Link] = []
    passing: dict[Edge, list[_Item]] = {}
    for source, target in edges:
        between = range(level[source] + 1, level[target])
        passing[source, target] = [(source, target, str(passed)) for passed in between]
        for passed, item in zip(between, passing[source, target], strict=True):
            rows[passed].append(item)
            widths[item] = LANE
        chain = [(source,), *passing[source, target], (target,)]
        links += pairwise(chain)
    rows = _in_order([row for row in rows if row], links)
    places = _moved(rows, links, widths)
    left = min(places[row[0]] - widths[row[0]] / 2 for row in rows)
    right = max(places[row[-1]] + widths[row[-1]] / 2 for row in rows)
    return Layout(
        width=right - left,
        centres={box.name: places[box.name,] - left for box in boxes},
        bends={edge: tuple(places[item] - left for item in items) for edge, items in passing.items()},
    )


def _in_order(rows: list[list[_Item]], links: Sequence[_Link]) -> list[list[_Item]]:
    """Return the levels in the order with the fewest crossings found; the first level is not reordered."""
    best, fewest = rows, _crossings(rows, links)
    rows = [list(row) for row in rows]
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = _neighbours(links, down=down)
        for index in range(1, len(rows)) if down else range(len(rows) - 2, 0, -1):
            # Levels have different numbers of items, so places are relative to that number.
            places = {item: (place + 0.5) / len(row) for row in rows for place, item in enumerate(row)}
            means = {
                item: float(np.mean([places[other] for other in near.get(item, [item])]))
                for item in rows[index]
            }
            rows[index].sort(key=means.__getitem__)
        crossed = _crossings(rows, links)
        if crossed < fewest:
            best, fewest = [list(row) for row in rows], crossed
    return best


def _crossings(rows: Sequence[Sequence[_Item]], links: Sequence[_Link]) -> int:
    """Return how many pairs of links cross."""
    count = 0
    for upper, lower in pairwise(rows):
        above, below = ({item: place for place, item in enumerate(row)} for row in (upper, lower))
        ends = np.array([(above[one], below[other]) for one, other in links if one in above])
        if len(ends):
            first, second = (ends[:, side, None] - ends[:, side] for side in (0, 1))
            count += int((first * second < 0).sum()) // 2
    return count


def _neighbours(links: Sequence[_Link], *, down: bool) -> dict[_Item, list[_Item]]:
    """Return the items linked above each item, or below it."""
    near: dict[_Item, list[_Item]] = {}
    for upper, lower in links:
        item, other = (lower, upper) if down else (upper, lower)
        near.setdefault(item, []).append(other)
    return near


def _moved(
    rows: Sequence[Sequence[_Item]], links: Sequence[_Link], widths: Mapping[_Item, float]
) -> dict[_Item, float]:
    """Return the centre of every item, moved close to its neighbours."""
    places: dict[_Item, float] = {}
    for row in rows:
        places |= dict(zip(row, _spread([0.0] * len(row), row, widths), strict=True))
    above, below = _neighbours(links, down=True), _neighbours(links, down=False)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = []
            for item in row:
                near = [*above.get(item, []), *below.get(item, [])] or [item]
                # Edges that cross several levels should be straight: weights of Gansner et al. (1993).
                weights = [(1, 2, 8)[_passes(item) + _passes(other)] for other in near]
                wanted.append(float(np.average([places[other] for other in near], weights=weights)))
            places |= dict(zip(row, _spread(wanted, row, widths), strict=True))
    return places


def _passes(item: _Item) -> bool:
    return len(item) > 1


def _spread(wanted: Sequence[float], row: Sequence[_Item], widths: Mapping[_Item, float]) -> list[float]:
    """Return places in this order, sufficiently far apart, with the least squared distance to the wanted places.

    The wanted places minus the room taken on the left must not decrease: isotonic regression, by pooling violators.
    """
    room = [0.0]
    for one, other in pairwise(row):
        gap = GAP / 2 if _passes(one) or _passes(other) else GAP
        room.append(room[-1] + (widths[one] + widths[other]) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for want, taken in zip(wanted, room, strict=True):
        mean, count = want - taken, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    free = [mean for mean, count in pools for _ in range(count)]
    return [place + taken for place, taken in zip(free, room, strict=True)]
