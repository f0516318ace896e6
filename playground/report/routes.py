"""Routes drawn: the causal diagram, the route summaries, influences, and the ways to compute an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.analysis import Mechanism, Route, Routes
from playground.inference import Model
from playground.plots import draw_route_summaries, draw_routes, plot_grid
from playground.report.exhibits import Cell, Drawing, Exhibit, Picture, Table
from playground.worlds import World

MOST_WAYS = 4
"""To compute an answer that are shown at once, beside that which reads all and that which computes all."""


def routes_diagram(model: Model, routes: Routes) -> Picture:
    """Return the causal diagram: the world's beside the model's.

    Args:
        model: gives the world.
        routes: that were measured of it.
    """
    world = model.world
    by_rules, found = influences(world, routes)
    return Picture(
        "Number and width of an edge: in which share of the texts the answer becomes another if this variable alone is "
        "written the other way. Faint edges without numbers lead to answers that by the rules read no other answer. "
        "Both graphs have their boxes in the same places.",
        draw_routes(
            world.inputs,
            world.outputs,
            tuple(count.name for count in world.counts),
            by_rules,
            found,
            titles=("By the rules of the world", f"In {routes.model}"),
        ),
    )


def influences(
    world: World, routes: Routes
) -> tuple[Float[np.ndarray, "answer variable"], Float[np.ndarray, "answer variable"]]:
    """Return the influence of inputs and outputs on all answers, by the rules and on what the model writes.

    What does not stand before an answer has no number.
    """
    shape = (len(world.answers), len(world.inputs) + len(world.outputs))
    by_rules, found = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, route in enumerate(routes.answers):
        by_rules[row, : len(route.variables)] = route.world_influence
        found[row, : len(route.variables)] = route.influence
    return by_rules, found


def route_summary_bars(mechanism: Mechanism) -> Picture:
    """Return how each answer that reads others comes about; of a mechanism that has such answers."""
    prints = mechanism.route_summaries
    groups = [(each.counts, each.held_out) for each in prints]
    return Picture(
        "Shares of the texts on which reading what is written and recomputing from the inputs lead to different answers.",
        draw_route_summaries(
            [each.answer for each in prints],
            np.array([[one.counts for one in each] for each in groups]),
            np.array([[one.percent for one in each] for each in groups]),
            ("all states", "held out"),
        ),
    )


def routes_exhibits(routes: Routes, model: Model) -> list[Exhibit]:
    """Return influences of everything on everything, and how far each way to compute an answer agrees."""
    world = model.world
    variables = (*world.inputs, *world.outputs)
    by_rules, found = influences(world, routes)
    return [
        Drawing(
            f"Influence in {routes.model}: the share of texts in which it writes another answer (row) if one variable (column) "
            "alone is the other. Empty: the variable does not stand before the answer.",
            plot_grid(found, world.answers, variables, unit="influence"),
        ),
        Drawing(
            "The same by the rules of the world, which read everything as it stands written.",
            plot_grid(by_rules, world.answers, variables, unit="influence"),
        ),
        *(table for route in routes.chains for table in _ways(route)),
    ]


def _ways(route: Route) -> list[Table]:
    """Return the ways to compute an answer that the model agrees with most, and all if these are not all."""
    held_out, last = route.held_out, len(route.derivations) - 1

    def share(way: int, among: np.ndarray) -> str:
        found = route.follows(way, among)
        return str(found) if found.of else "–"

    def rows(ways: Sequence[int]) -> tuple[tuple[Cell, ...], ...]:
        return tuple(
            (
                route.derivations[way],
                ", ".join(route.recomputed[way]) or "nothing",
                float(route.agreement[way]),
                share(way, ~held_out),
                share(way, held_out),
            )
            for way in ways
        )

    columns = ("way", "recomputed", "agreement", "seen states", "held-out states")
    order = np.argsort(-route.agreement, kind="stable").tolist()
    shown = [way for place, way in enumerate(order) if place < MOST_WAYS or way in (0, last)]
    caption = (
        f"Ways to compute {route.answer}, that with which the model agrees most first. Agreement: the share of all texts in "
        "which it writes what this way says. Then: in how many of the texts in which reading all and computing all "
        "anew differ."
    )
    tables = [Table(caption, columns, rows(shown))]
    if len(shown) < len(order):
        tables.append(
            Table(f"All {len(order)} ways to compute {route.answer}", columns, rows(order), folded=True)
        )
    return tables
