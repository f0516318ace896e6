"""The form of page Train: world, hold-out, models, recipe, name, and the button that starts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import streamlit as st

from parts import components, courses, guessing, later, lessons, widgets
from parts.lessons import TrainingForm
from parts.wording import show_faults, show_note
from playground.datasets import DatasetSpec
from playground.errors import RequestError, count_of
from playground.models import ARCHITECTURES
from playground.seeds import LARGEST_SEED
from playground.training import replaced_by
from playground.worlds import list_worlds

STATES_AND_FORM = (5, 5)
DRAWN = 6
"""States that are held out at random unless somebody says how many."""


def show(lesson: TrainingForm) -> None:
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
    guessing.show(DatasetSpec(world=lesson.world, held_out=lesson.held_out))


def _choose_models(lesson: TrainingForm) -> None:
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


def _choose_recipe(lesson: TrainingForm) -> None:
    """Show the numbers of a recipe; those left empty keep their default."""
    typed = dict(lesson.numbers)
    with st.container(horizontal=True, gap="small", key="recipe"):
        for name, label in lessons.numbers().items():
            widgets.show(
                st.text_input,
                label,
                key=f"lesson_{name}",
                value=typed[name],
                take=partial(_take_number, name),
                placeholder="default",
                width=88,
            )
        widgets.show(
            st.number_input,
            "Seed",
            key="lesson_seed",
            value=lesson.seed,
            take=lambda seed: lessons.change(seed=int(seed)),
            min_value=0,
            max_value=LARGEST_SEED,
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


def _offer_start(lesson: TrainingForm) -> None:
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
    for said in lessons.warnings():
        show_note(said, "warning")
    show_faults(*lessons.faults())
    if lessons.question():
        _ask_to_replace()


def _choose_world(lesson: TrainingForm) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        widgets.show(
            st.selectbox,
            "World",
            list_worlds(),
            key="lesson_world",
            value=lesson.rules,
            take=lessons.choose_world,
            format_func=lambda path: path.stem,
            width=180,
        )
        with st.popover("Rules"):
            st.code(lesson.world.text, None)


def _show_states(lesson: TrainingForm) -> None:
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
        on_toggle=lessons.toggle,
    )


def _hold_out(lesson: TrainingForm) -> None:
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
        st.button(
            "Hardest",
            key="hardest",
            on_click=lambda: st.session_state.update(hardest_wanted=True),
            help="As many states, those on which guessing does worst, while the others still tell every rule.",
        )
        st.button("None", key="hold_out_none", on_click=lambda: lessons.change(held_out=()))
    if st.session_state.get("hardest_wanted"):
        later.find("hardest", "", partial(_draw_hardest, _count(lesson)))


def _draw_hardest(count: int) -> Iterator[str]:
    yield f"Looking for {count_of(count, 'state')} on which guessing does worst…"
    st.session_state.hardest_wanted = False
    lessons.draw_hardest(count)


def _take_count(count: int) -> None:
    st.session_state.lesson_count_said = int(count)


def _count(lesson: TrainingForm) -> int:
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


def _ask_to_replace() -> None:
    """Ask whether complete runs may be replaced, and say where they will be."""
    for each in lessons.question():
        show_note(f"{each}.", "warning")
    with st.container(horizontal=True, gap="small", key="ask_to_replace"):
        st.button(
            "Train and replace",
            key="replace_run",
            icon=":material/play_arrow:",
            on_click=partial(_start, may_replace=True),
        )
        st.button("Cancel", key="replace_no", on_click=lessons.change)


def _start(*, may_replace: bool = False) -> None:
    """Have done what is asked for; what is wrong with it is said where it is asked.

    Args:
        may_replace: whether complete runs may be replaced; else that is asked first.
    """
    try:
        jobs = lessons.make_jobs()
        taken = replaced_by(jobs)
        if taken and not may_replace:
            lessons.ask(taken)
            return
        courses.trainings().add(jobs)
    except RequestError as error:
        lessons.fail(error)
        return
    lessons.change()
    st.session_state.watched = f"{jobs[0].folder.name}/{jobs[0].name}"
