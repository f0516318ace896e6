"""What comes before every page: logging, the chosen model, the condition, the sidebar."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import streamlit as st

from parts import drafts, growth, library, runs, session, sidebar, tray
from parts.runs import Runs
from parts.wording import show_faults
from playground import logs
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.models import find_run, split_step

PAINTING = 0.15
"""Seconds in which a browser paints what a click changes first."""

PAGES = Path(__file__).parents[1] / "app_pages"


@st.cache_resource
def _configure_logs() -> None:
    logs.configure()


def anticipate() -> None:
    """Find the boards that a click asks for before anything is sent.

    The browser then repaints once for all that changes, and leaves the cores alone meanwhile.
    """
    memory = st.session_state
    if "condition" in memory:
        for model in memory.get("awaited", ()):
            # What is wrong is found again, and said, where the board is shown.
            with suppress(RequestError):
                growth.anticipate(model, memory.condition)


def main() -> None:
    """Run the app once, as Streamlit does at every click."""
    _configure_logs()
    compare = st.Page(PAGES / "compare.py", title="Compare", icon=":material/compare:")
    text = st.Page(PAGES / "text.py", title="Free text", icon=":material/edit_note:", url_path="text")
    world = st.Page(PAGES / "world.py", title="World", icon=":material/account_tree:")
    train = st.Page(PAGES / "train.py", title="Train", icon=":material/model_training:")
    page = st.navigation(
        [
            st.Page(PAGES / "probe.py", title="Probe", icon=":material/biotech:"),
            st.Page(PAGES / "activations.py", title="Activations", icon=":material/grid_on:"),
            st.Page(PAGES / "weights.py", title="Weights", icon=":material/apps:"),
            st.Page(PAGES / "mechanism.py", title="Mechanism", icon=":material/schema:"),
            compare,
            text,
            world,
            train,
            st.Page(PAGES / "conditions.py", title="Conditions", icon=":material/bookmarks:"),
        ]
    )
    session.arrive(page.title)
    if page == world:
        drafts.arrive()
    found, model = _open(found=runs.find())
    sidebar.choose_model(found)
    if model is None:
        _run_without_model(page, found, needs_none=page in (world, train))
        return
    models = [model]
    if page in (compare, text):
        models, st.session_state.left_out = library.open_rivals(model, st.session_state.run)
    session.restore(model, models)
    show_faults(*session.faults())
    st.session_state.models = models
    st.session_state.awaited = () if page in (text, world, train) else models
    st.session_state.afterwards, st.session_state.at_last = [], []
    try:
        growth.wait(st.session_state.awaited, session.current())
        page.run()
    except RequestError as error:
        # The sidebar below is drawn all the same: there it can be mended.
        show_faults(*error.faults)
    session.publish(**(drafts.as_query() if page == world else {}))
    # Rules are typed without the sidebar being drawn anew: page World shares them itself.
    _draw_the_rest(model, models, share=page != world)


def _open(found: Runs) -> tuple[Runs, Model | None]:
    """Return the runs that there are, and the model that this tab has open: if that is damaged, the first that opens."""
    before: tuple[Fault, ...] = ()
    while found.sound:
        run = session.choose_run(found)
        st.session_state.faults = before = tuple(dict.fromkeys((*before, *session.faults())))
        name, (base, step) = run[0], split_step(run[1])
        try:
            return found, library.open_run(find_run(name, base), step)
        except RequestError as error:
            if step is None:
                runs.note(run, error.faults)
                found = runs.find()
            else:
                before = (*before, *error.faults)
                session.open_run((name, base))
    return found, None


def _run_without_model(page: st.Page, found: Runs, *, needs_none: bool) -> None:
    """Run a page where no model can be opened, if it needs none; else say why."""
    for name in ("condition", "model", "run"):
        st.session_state.pop(name, None)
    session.publish(**(drafts.as_query() if page.title == "World" else {}))
    if needs_none:
        page.run()
    else:
        faults = [fault for faults in found.damaged.values() for fault in faults]
        show_faults(*(faults or [_no_model()]))


def _draw_the_rest(model: Model, models: list[Model], *, share: bool) -> None:
    """Draw what is not needed at once: the sidebar, what the page put off, what takes longest."""
    # What takes the browser long to draw would otherwise arrive in one piece with what was clicked for.
    time.sleep(PAINTING)
    sidebar.show(model, models, session.current(), share=share)
    for draw in st.session_state.afterwards:
        draw()
    # The first may have put off more.
    for draw in st.session_state.at_last:
        draw()
    growth.prepare(st.session_state.awaited)
    tray.count(model, session.current())


def _no_model() -> Fault:
    return Fault(
        message="there is no trained model yet",
        expected="a complete run in models/",
        got="none",
        hint="Train one on page Train, or with: the-experiment train gpt2.",
    )
