"""Page Train: choose what is held out and what is trained, and watch the training."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from api import runs, state_table
from api.runs import of_run
from app_pages.train import components, form, training_progress
from app_pages.train.training_progress import Shown
from playground.errors import RequestError
from playground.training import Job, TrainingProgress
from state import session, training_form, widgets
from state.widgets import TabValue
from ui import components as shared
from ui.wording import as_text, show_error, show_faults, show_note

WIDTHS = (10, 9)
WATCHING = 2.5
"""Seconds between two looks at what runs."""
WHOLE_PAGE = TabValue("whole_page", default=False)
"""Whether the whole page has to be redrawn, not only the watched training."""
RUNNING = TabValue("trainings_running", default=False)
"""Whether a training ran at the last look."""
DISCARD_ASKED: TabValue[str | None] = TabValue("discard_asked", None)
"""The training that the user is asked to throw away."""


def main() -> None:
    """Show the page: the form on the left, the trainings on the right."""
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        form.show(training_form.current())
    shown = training_progress.all_of_them()
    running = any(each.progress and not each.progress.ended for each in shown)
    with right:
        st.fragment(_watch, run_every=WATCHING if running else None)()


def _watch() -> None:
    """Show the progress of trainings; called again while one runs."""
    if WHOLE_PAGE.take():
        session.rerun()
    shown = training_progress.all_of_them()
    if not shown:
        st.caption("Nothing has been trained yet.")
        return
    names = [each.name for each in shown]
    active = [each for each in shown if each.progress and not each.progress.ended]
    watched = training_progress.WATCHED.get()
    here = next((each for each in shown if each.name == watched), active[-1] if active else _open_one(shown))
    # It stays selected when it ends, so that the user sees how it ended.
    training_progress.WATCHED.set(here.name)
    for each in active:
        if each.progress:
            _show_line(each, each.progress)
    widgets.show(
        st.selectbox,
        "Watch",
        names,
        key="watched_run",
        value=here.name,
        on_choice=training_progress.WATCHED.set,
    )
    try:
        _show(here)
    except RequestError as error:
        show_faults(*error.faults)
    if RUNNING.get() and not active:
        RUNNING.set(False)
        session.rerun()
    RUNNING.set(bool(active))


def _open_one(shown: list[Shown]) -> Shown:
    """Return the training of the model that is open, if there is one."""
    name = "/".join(of_run(session.run())) if session.has_run() else None
    return next((each for each in shown if each.name == name), shown[0])


def _show_line(shown: Shown, progress: TrainingProgress) -> None:
    """Show the progress of a training in one line, with a button to stop it."""
    step = progress.step
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"line_{shown.name}"):
        st.progress(
            step.number / step.total if step and step.total else 0.0,
            text=as_text(f"{shown.name} {shown.said}"),
        )
        st.button(
            "Stop",
            key=f"stop_{shown.name}",
            icon=":material/stop_circle:",
            on_click=partial(training_progress.trainings().stop, progress.job),
            disabled=progress.status == "stopping",
            help="The progress is kept, and the training can go on later.",
        )


def _show(shown: Shown) -> None:
    """Show one training: how it ended if it has, its latest board, and its charts."""
    progress = shown.progress
    if progress is None and shown.job is None and (faults := runs.faults_of(shown.run)):
        show_faults(*faults)
        return
    if progress and progress.failure:
        show_faults(*progress.failure.faults)
        if not progress.failure.faults:
            show_error(progress.failure.error)
    if progress is None or progress.ended:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="ended"):
            st.markdown(as_text(f"{shown.name} {shown.said}"), width="content")
            if shown.job and shown.job.unfinished.exists and not shown.elsewhere:
                go_on = partial(_go_on, shown.name, shown.job)
                st.button("Go on", key="go_on", icon=":material/play_arrow:", on_click=go_on)
                _offer_to_discard(shown.name, shown.job)
            elif (progress is None or progress.status == "done") and st.button("Open", key="open_run"):
                session.open_run(shown.run)
                st.switch_page("app_pages/probe/page.py")
        if training_progress.has_predecessor(shown):
            show_note(f"The run before this one is kept in models/{shown.name}.previous.", "history")
    if progress and progress.board:
        shared.state_table(
            key="live_board",
            data=state_table.state_data(
                progress.board.dataset.world,
                progress.board.dataset.held_out,
                board=progress.board,
                editable=False,
                caption=f"What {shown.name} wrote at its last evaluation",
            ),
        )
    components.training_progress(key="training_progress", data=training_progress.chart_data(shown))


def _offer_to_discard(name: str, job: Job) -> None:
    """Offer to throw away the progress of a stopped training; ask first."""
    if DISCARD_ASKED.get() != name:
        st.button(
            "Discard",
            key="discard",
            icon=":material/delete:",
            on_click=partial(DISCARD_ASKED.set, name),
            help="Throw away the progress so far.",
        )
        return
    st.markdown(
        as_text(f"Throw away what {name} has learnt in {job.unfinished.step:,} steps?"), width="content"
    )
    st.button("Throw it away", key="discard_yes", on_click=partial(_discard, job))
    st.button("Keep it", key="discard_no", on_click=_forget_question)


def _discard(job: Job) -> None:
    _forget_question()
    try:
        training_progress.discard(job)
    except RequestError as error:
        training_form.fail(error)
    # It can no longer be watched, and the form may have other warnings now.
    WHOLE_PAGE.set(True)


def _forget_question() -> None:
    DISCARD_ASKED.set(None)


def _go_on(name: str, job: Job) -> None:
    try:
        training_progress.trainings().add([replace(job, resume=True)])
    except RequestError as error:
        training_form.fail(error)
    training_progress.WATCHED.set(name)
    # The page refreshes by itself only while a training runs.
    WHOLE_PAGE.set(True)


main()
