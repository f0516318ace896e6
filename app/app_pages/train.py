"""Page Train: what is held out, what is trained, and how it goes, as it goes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from parts import components, courses, lessons, session, widgets
from parts.courses import Shown
from parts.lessons import Lesson
from parts.wording import as_text
from playground.errors import RequestError
from playground.models import ARCHITECTURES
from playground.training import Course, Job

WIDTHS = (10, 9)
STATES_AND_FORM = (5, 5)
DRAWN = 6
WATCHING = 1.5
"""Seconds between two looks at what runs."""


def main() -> None:
    """Show the page: what is asked for on the left, what becomes of it on the right."""
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        _ask(lessons.current())
    shown = courses.all_of_them()
    running = any(each.course and not each.course.ended for each in shown)
    with right:
        st.fragment(_watch, run_every=WATCHING if running else None)()


def _ask(lesson: Lesson) -> None:
    """Show what can be said of a training: what is held out beside how it is trained."""
    states, form = st.columns(STATES_AND_FORM, gap="medium")
    with states:
        _show_states(lesson)
    with form:
        _choose_world(lesson)
        _hold_out(lesson)
        _choose_models(lesson)
        _choose_recipe(lesson)
        _offer_start(lesson)


def _choose_models(lesson: Lesson) -> None:
    widgets.show(
        st.pills,
        "Models",
        list(ARCHITECTURES),
        key="lesson_models",
        value=list(lesson.models),
        take=lambda names: lessons.change(models=tuple(names)),
        selection_mode="multi",
        format_func=lambda name: ARCHITECTURES[name].title,
    )


def _choose_recipe(lesson: Lesson) -> None:
    """Show the numbers of a recipe; those left empty are what is usual."""
    typed = dict(lesson.numbers)
    with st.container(horizontal=True, gap="small", key="recipe"):
        for name, label in lessons.numbers().items():
            widgets.show(
                st.text_input,
                label,
                key=f"lesson_{name}",
                value=typed[name],
                take=partial(_take_number, name),
                placeholder="usual",
                width=88,
            )
        widgets.show(
            st.number_input,
            "Seed",
            key="lesson_seed",
            value=lesson.seed,
            take=lambda seed: lessons.change(seed=int(seed)),
            min_value=0,
            max_value=2**31 - 1,
            step=1,
            width=110,
        )
    widgets.show(
        st.toggle,
        "Stop once all seen states are right",
        key="lesson_until",
        value=lesson.until_learned,
        take=lambda on: lessons.change(until_learned=on),
    )


def _offer_start(lesson: Lesson) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        widgets.show(
            st.text_input,
            "Name",
            key="lesson_name",
            value=lesson.name,
            take=lambda name: lessons.change(name=name.strip()),
            help="Data and models are kept under it: data/NAME, models/NAME.",
            width=150,
        )
        st.button("Start", type="primary", key="start", icon=":material/play_arrow:", on_click=_start)
    for fault in lessons.faults():
        st.error(as_text(str(fault)), icon=":material/error:")


def _choose_world(lesson: Lesson) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        widgets.show(
            st.selectbox,
            "World",
            lessons.worlds(),
            key="lesson_world",
            value=lesson.rules,
            take=lessons.choose_world,
            format_func=lambda path: path.stem,
            width=180,
        )
        with st.popover("Rules"):
            st.code(lesson.world.text, None)


def _show_states(lesson: Lesson) -> None:
    """Show the states, to be held out by a click."""
    components.lesson(
        key="hold_out",
        data=courses.lesson_data(
            lesson.world,
            lesson.held_out,
            board=None,
            editable=True,
            caption="The states, and the ones that training never has",
        ),
        on_toggle_change=lambda: lessons.toggle(st.session_state.hold_out.toggle),
    )


def _hold_out(lesson: Lesson) -> None:
    """Show how several states are held out at once."""
    world = lesson.world
    with st.form("patterns", border=False, enter_to_submit=True):
        line = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
        line.text_input(
            "Hold out all like",
            key=widgets.emptied("pattern"),
            placeholder=",".join("1" if not index else "*" for index in range(len(world.inputs))),
            help="0, 1 or * for each input; several are joined by ';'.",
            width=150,
        )
        line.form_submit_button("Hold out", on_click=_add_pattern)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="hold_out_ways"):
        widgets.show(
            st.number_input,
            "At random",
            key="lesson_count",
            value=_count(lesson),
            take=_take_count,
            min_value=0,
            max_value=len(world.states) - 1,
            width=110,
        )
        st.button("Draw", key="draw", on_click=_draw)
        st.button("None", key="hold_out_none", on_click=lambda: lessons.change(held_out=()))


def _take_count(count: int) -> None:
    st.session_state.lesson_count_said = int(count)


def _count(lesson: Lesson) -> int:
    """Return how many states are drawn."""
    return min(st.session_state.get("lesson_count_said", DRAWN), len(lesson.world.states) - 1)


def _draw() -> None:
    lessons.draw_states(_count(lessons.current()))


def _add_pattern() -> None:
    lessons.add_pattern(st.session_state[widgets.emptied("pattern")])
    if not lessons.faults():
        widgets.empty("pattern")


def _take_number(name: str, text: str) -> None:
    lessons.change(
        numbers=tuple((each, text if each == name else said) for each, said in lessons.current().numbers)
    )


def _start() -> None:
    """Have done what is asked for; what is wrong with it is said where it is asked."""
    try:
        jobs = lessons.make_jobs()
        courses.trainings().add(jobs)
    except RequestError as error:
        lessons.fail(error)
        return
    lessons.change()
    st.session_state.watched = f"{jobs[0].folder.name}/{jobs[0].name}"


def _watch() -> None:
    """Show how trainings go; called again while one runs."""
    if st.session_state.pop("all_of_the_page", False):
        session.again()
    shown = courses.all_of_them()
    if not shown:
        st.caption("Nothing has been trained yet.")
        return
    names = [each.name for each in shown]
    active = [each for each in shown if each.course and not each.course.ended]
    watched = st.session_state.get("watched")
    here = next((each for each in shown if each.name == watched), (active or shown)[-1 if active else 0])
    # It stays the one that is watched when it ends, so that how it ended is seen.
    st.session_state.watched = here.name
    for each in active:
        if each.course:
            _show_line(each, each.course)
    widgets.show(
        st.selectbox,
        "Watch",
        names,
        key="watched_run",
        value=here.name,
        take=lambda name: st.session_state.update(watched=name),
    )
    _show(here)
    if st.session_state.get("trainings_run") and not active:
        st.session_state.trainings_run = False
        session.again()
    st.session_state.trainings_run = bool(active)


def _show_line(shown: Shown, course: Course) -> None:
    """Show in a line how a training goes, and how to stop it."""
    step = course.step
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"line_{shown.name}"):
        st.progress(
            step.number / step.total if step and step.total else 0.0,
            text=as_text(f"{shown.name} {shown.said}"),
        )
        st.button(
            "Stop",
            key=f"stop_{shown.name}",
            icon=":material/stop_circle:",
            on_click=partial(courses.trainings().stop, course.job),
            disabled=course.status == "stopping",
            help="What it has learnt is kept: it can go on later.",
        )


def _show(shown: Shown) -> None:
    """Show one training: how it ended if it has, its charts, and the board that fills."""
    course = shown.course
    if course and course.failure:
        faults = course.failure.faults
        st.error(as_text("\n\n".join(map(str, faults)) or course.failure.error), icon=":material/error:")
    if course is None or course.ended:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="ended"):
            st.markdown(as_text(f"{shown.name} {shown.said}"), width="content")
            if shown.job and shown.job.unfinished.exists:
                go_on = partial(_go_on, shown.name, shown.job)
                st.button("Go on", key="go_on", icon=":material/play_arrow:", on_click=go_on)
            elif course is None or course.status == "done":
                name, run = shown.name.split("/")
                st.button("Open", key="open_run", on_click=partial(_open, (name, run)))
    if course and course.board:
        components.lesson(
            key="live_board",
            data=courses.lesson_data(
                course.board.dataset.world,
                course.board.dataset.held_out,
                board=course.board,
                editable=False,
                caption=f"What {shown.name} wrote at its last evaluation",
            ),
        )
    components.course(key="course", data=courses.course_data(shown))


def _go_on(name: str, job: Job) -> None:
    try:
        courses.trainings().add([replace(job, resume=True)])
    except RequestError as error:
        lessons.fail(error)
    st.session_state.watched = name
    # The page looks again and again only while one runs.
    st.session_state.all_of_the_page = True


def _open(run: session.Run) -> None:
    session.open_run(run)
    st.session_state.all_of_the_page = True


main()
