"""Runs around every page: logging, the chosen model, the condition, the sidebar."""

from __future__ import annotations

import time
from contextlib import suppress

import streamlit as st

from api import library, runs
from api.runs import Runs
from playground import logs
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.models import find_run, split_step
from state import deferred, session, url
from ui import client
from ui.board import growth
from ui.pages import PAGES, Page
from ui.sidebar import edits, sidebar
from ui.wording import show_faults

PAINTING = 0.15
"""Seconds that a browser needs to paint what a click changes first."""


@st.cache_resource
def _configure_logs() -> None:
    logs.configure()


def anticipate() -> None:
    """Compute the boards that a click asks for before anything is sent.

    The browser then repaints only once, and leaves the cores alone meanwhile.
    """
    if session.has_condition():
        for model in deferred.awaited():
            # A fault is found again, and shown, where the board is drawn.
            with suppress(RequestError):
                growth.anticipate(model, session.current())


def main() -> None:
    """Run the app once; Streamlit does so at every click."""
    _configure_logs()
    pages = {
        st.Page(each.script, title=each.title, icon=f":material/{each.icon}:", url_path=each.name): each
        for each in PAGES.values()
    }
    chosen = st.navigation(list(pages))
    page = pages[chosen]
    url.sync_url(page.title)
    if page.shows == "client":
        chosen.run()
        return
    client.take_over()
    found, model = _open(found=runs.find())
    sidebar.choose_model(found)
    if model is None:
        _run_without_model(chosen, page, found)
        return
    models, left_out = [model], []
    if page.shows == "models":
        models, left_out = library.open_rivals(model, session.run())
    session.restore(model, models)
    show_faults(*session.faults())
    session.show_models(models, left_out)
    deferred.start(models if page.awaits_board else ())
    try:
        growth.wait(deferred.awaited(), session.current())
        chosen.run()
    except RequestError as error:
        # The sidebar below is still drawn: the user can fix the fault there.
        show_faults(*error.faults)
    url.publish()
    _draw_the_rest(model, models)


def _open(found: Runs) -> tuple[Runs, Model | None]:
    """Return all runs, and the model that this tab has open; if that is damaged, the first model that opens."""
    before: tuple[Fault, ...] = ()
    while found.sound:
        run = session.choose_run(found)
        before = tuple(dict.fromkeys((*before, *session.faults())))
        session.set_faults(*before)
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


def _run_without_model(chosen: st.Page, page: Page, found: Runs) -> None:
    """If no model can be opened, run a page that needs none; otherwise say why."""
    session.forget_model()
    url.publish()
    if page.shows == "nothing":
        chosen.run()
    else:
        faults = [fault for faults in found.damaged.values() for fault in faults]
        show_faults(*(faults or [_no_model()]))


def _draw_the_rest(model: Model, models: list[Model]) -> None:
    """Draw what is not needed at once: the sidebar, what the page deferred, what takes longest."""
    # Parts that take the browser long to draw would otherwise arrive together with the result of the click.
    time.sleep(PAINTING)
    sidebar.show(model, models, session.current())
    deferred.draw_all()
    growth.prepare(deferred.awaited())
    edits.count(model, session.current())


def _no_model() -> Fault:
    return Fault(
        message="there is no trained model yet",
        expected="a complete run in models/",
        got="none",
        hint="Train one on page Train, or with: the-experiment train gpt2.",
    )
