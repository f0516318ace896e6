"""Panels of the route that an answer takes: text by text, and step by step of a training."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app_pages.mechanism import panel_widgets
from app_pages.mechanism.panel_widgets import STATE, Shown, show_grid, show_list
from playground.analysis import Emergence, Route, Routes
from playground.models import at_step, split_step
from playground.plots import plot_emergence
from state import session
from ui.drawings import FIGURE_FORMATS, figure_files


def draw_routes(shown: Shown) -> None:
    """Show what was written in every diagnostic text, and how far the model agrees with each derivation."""
    routes: Routes = shown.result
    route = routes.of(shown.answer)
    _list_ways(shown, route)
    _list_variables(shown, route)
    _list_texts(shown, route)


def _list_ways(shown: Shown, route: Route) -> None:
    rows = []
    for way, formula in enumerate(route.derivations):
        again = ", ".join(route.recomputed[way]) or "nothing"
        held_out, seen = (route.follows(way, among) for among in (route.held_out, ~route.held_out))
        cells = (
            formula,
            again,
            panel_widgets.percent(route.agreement[way]),
            route.follows(way),
            seen,
            held_out,
        )
        rows.append((cells, None))
    show_list(
        shown,
        ["way to compute it", "recomputed", "of all texts", "of those that tell", "seen", "held out"],
        rows,
        label=f"ways to compute {route.answer}",
        summary=f"In how many texts {route.answer} is what each way says. Those tell in which to read all and to compute all "
        "again lead to different answers.",
        what="ways",
    )


def _list_variables(shown: Shown, route: Route) -> None:
    rows = [
        (
            (
                name,
                panel_widgets.percent(route.influence[index]),
                panel_widgets.percent(route.world_influence[index]),
                "–" if np.isnan(route.effect[index]) else panel_widgets.signed(float(route.effect[index])),
                route.follows_flip(name),
            ),
            None,
        )
        for index, name in enumerate(route.variables)
    ]
    show_list(
        shown,
        ["token", "changes it", "by the rule", "from 0 to 1", "as the rule says"],
        rows,
        label=f"influence on {route.answer}",
        summary=f"In which share of the texts {route.answer} is another if one token alone is the other; by how much it grows "
        "on average; and in how many texts it changes as the rule says, of those in which it should.",
        what="variables",
    )


def _list_texts(shown: Shown, route: Route) -> None:
    """List the diagnostic texts, or where none can, those in which the answer is not what the rule says."""
    inputs = len(shown.world.inputs)
    chain = len(route.derivations) > 1
    texts = np.flatnonzero(route.is_diagnostic if chain else route.predicted[0] != route.written)
    read, again = route.predicted[0], route.predicted[-1]
    mostly = 0 if route.follows(0).holds >= route.follows(-1).holds else -1
    followed = route.predicted[mostly] == route.written
    rows = []
    for text in texts[np.argsort(followed[texts], kind="stable")].tolist():
        number = int(route.written[text])
        way = "read" if number == read[text] else "recomputed" if number == again[text] else "neither"
        cells = (
            shown.state_text(int(route.state[text])),
            ",".join(map(str, route.texts[text, inputs:].tolist())) or "–",
            *((read[text], again[text]) if chain else (read[text],)),
            number if number >= 0 else "no number",
            *((way,) if chain else ()),
        )
        rows.append((cells, bool(followed[text])))
    before = ", ".join(route.variables[inputs:]) or "nothing before it"
    show_list(
        shown,
        [
            STATE,
            before,
            *(("if read", "if recomputed") if chain else ("by the rule",)),
            "written",
            *(("so it is",) if chain else ()),
        ],
        rows,
        label=f"texts of {route.answer}",
        summary=f"{len(texts)} texts in which the two ways differ; those first in which the way that is taken more often is not."
        if chain
        else f"{route.answer} reads no other answer. {len(texts)} of {len(route.written)} texts in which it is not what the "
        "rule says.",
        what="texts",
    )


def draw_emergence(shown: Shown) -> None:
    """Show the routes at every step of the training that was kept."""
    found: Emergence = shown.result
    figure = plot_emergence(
        found.steps, found.answers, found.read, found.recomputed, found.seen, found.held_out
    )
    st.plotly_chart(figure, key=shown.key("figure"), config=figure_files("emergence", FIGURE_FORMATS[0]))
    columns = [
        *(f"{answer} {way}" for answer in found.answers for way in ("read", "again")),
        *(f"{variable}→{answer}" for variable, answer in found.variables),
        "seen",
        "held out",
    ]
    values = np.column_stack(
        [
            *(
                column
                for index in range(len(found.answers))
                for column in (found.read[:, index], found.recomputed[:, index])
            ),
            found.exchanged,
            found.seen,
            found.held_out,
        ]
    )
    show_grid(
        shown,
        [f"{step:,}" for step in found.steps],
        columns,
        np.where(found.done[:, None], values, np.nan),
        label="emergence of the routes",
        corner="step",
        legend="Percent: texts where reading and recomputing disagree, in which an answer is read, or recomputed; pairs of states in which an answer "
        "follows one exchanged token; states whose completion is right. A click holds that step beside the model.",
        take=lambda row, column: _hold_beside(shown, found.steps[row]),
        largest=1.0,
    )


def _hold_beside(shown: Shown, step: int) -> None:
    """Compare with a step of the training; with the trained model, if that is no other than the open one."""
    _, run = session.run()
    there = at_step(split_step(shown.side.run[1])[0], step)
    if there != run:
        session.change(beside=there)
