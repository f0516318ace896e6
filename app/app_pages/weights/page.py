"""Page Weights: flip, nuke and blur every matrix of one model, and see which weights are fragile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import views
from api.views import View
from app_pages.weights import atlases, components
from app_pages.weights.weight_data import chosen_weight, group_name, groups_of, matrix_data, thumbnails_data
from playground.analysis import By
from playground.inference import Model
from playground.interventions import Flip, Nuke, parse_site
from playground.models import Site
from state import deferred, session, widgets
from state.widgets import TabValue
from ui.board import boards
from ui.click_action import choose_on_weights
from ui.strip import strips

WIDTHS = (11, 10)
WATCHING = 1.0
"""Seconds between two looks at an atlas that is being measured."""
CLICKED = TabValue("atlas_clicked", default=False)
"""Whether a part was clicked in the atlas, so that the whole page has to be redrawn."""
RUNNING = TabValue("atlas_running", default=False)
"""Whether an atlas was being measured at the last look."""


def main(model: Model) -> None:
    """Show the page; the board, which a click changes first, is drawn before slower parts."""
    view = views.build_view(model, session.current())
    strip, board = views.strip_data(view), views.board_data(view)
    strips.show(view, strip)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        boards.show(view, board)
        atlas = st.container()
    with right:
        choose_on_weights(model, view.condition)
        matrices = st.container()
    deferred.afterwards(lambda: _show_weights(matrices, view))
    deferred.afterwards(lambda: _show_atlas(atlas, view))


def _show_weights(place: DeltaGenerator, view: View) -> None:
    model, weight = view.model, chosen_weight(view)
    with place:
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        widgets.show(
            row.segmented_control,
            "Weights of",
            groups_of(model.network),
            key="weight_layer",
            value=weight.layer,
            on_choice=lambda layer: _choose_layer(model, layer),
            required=True,
            format_func=group_name,
        )
        widgets.show(
            row.selectbox,
            "In full",
            list(model.network.weights),
            key="weight",
            value=weight,
            on_choice=lambda weight: session.change(weight=weight),
            format_func=str,
            width=220,
        )
        components.matrix(
            key="matrix", data=matrix_data(view), on_act=lambda act: _on_act(act, model, weight)
        )
        components.thumbnails(
            key="thumbnails",
            data=thumbnails_data(view, weight.layer),
            on_weight=lambda weight: session.change(weight=parse_site(weight)),
        )


def _choose_layer(model: Model, layer: int | None) -> None:
    of_layer = [site for site in model.network.weights if site.layer == layer]
    matrix = next((site for site in of_layer if model.network.weights[site].dim() > 1), of_layer[0])
    session.change(weight=matrix)


def _on_act(payload: dict[str, Any], model: Model, weight: Site) -> None:
    """Edit the clicked weights as the click action says, or undo their edit."""
    site = parse_site(f"{weight}[{payload['index']}]")
    if all(each.start is None and each.stop is None for each in site.index):
        site = site.whole
    action = session.current().click_action
    made = (
        Nuke(site=site, positions=action.positions)
        if payload["nuke"]
        else action.on_weight(site, model.world.states)
    )
    session.click(made, model)


def _show_atlas(place: DeltaGenerator, view: View) -> None:
    """Show the chosen weight's atlas as far as it is known; while it is measured, update it every second."""
    weight = chosen_weight(view)
    running = any(
        atlases.job_of(view.model, weight, by).running for by in atlases.ways_of(view.model, weight)
    )
    with place:
        st.markdown(f"**Flip atlas of `{weight}`**: how many states break when one part of it is flipped")
        st.fragment(_watch, run_every=WATCHING if running else None)(view.model, weight)


def _watch(model: Model, weight: Site) -> None:
    ways = atlases.ways_of(model, weight)
    jobs = {by: atlases.job_of(model, weight, by) for by in ways}
    running = [by for by, job in jobs.items() if job.running]
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="atlas_buttons"):
        slices: list[By] = [by for by in ways if by != "weights"]
        offers: list[tuple[str, list[By]]] = [
            (" and ".join(slices).capitalize(), slices),
            ("Every single weight", ["weights"]),
        ]
        for label, wanted in offers:
            if wanted and not all(jobs[by].complete for by in wanted):
                key = f"atlas_{wanted[0]}"
                if st.button(f"Measure: {label}", key=key, disabled=bool(running)):
                    atlases.start(model, weight, *wanted)
                    session.rerun()
        if running and st.button("Cancel", key="atlas_cancel", icon=":material/stop_circle:"):
            atlases.stop(model, weight)
            session.rerun()
    for by in running:
        atlas = jobs[by].atlas
        done, total = atlas.progress if atlas else (0, 1)
        st.progress(done / total, text=f"{by}: {done:,} of {total:,}")
    components.atlas(
        key="atlas", data=atlases.atlas_data(model, weight), on_flip=lambda flip: _flip(flip, model)
    )
    if CLICKED.take() or (RUNNING.get() and not running):
        RUNNING.set(False)
        session.rerun()
    RUNNING.set(bool(running))


def _flip(text: str, model: Model) -> None:
    """Flip a part that the atlas names, at the tokens of the next click."""
    session.click(
        replace(Flip(site=parse_site(text)), positions=session.current().click_action.positions), model
    )
    CLICKED.set(True)


main(session.models()[0])
