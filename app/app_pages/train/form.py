"""The form of page Train: world, hold-out, models, recipe, name, and the button that starts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import streamlit as st

from api import state_table
from app_pages.train import training_progress
from playground.datasets import DatasetSpec
from playground.errors import RequestError, count_of
from playground.models import ARCHITECTURES
from playground.seeds import LARGEST_SEED
from playground.training import replaced_by
from playground.worlds import list_worlds
from state import training_form, widgets
from state.training_form import TrainingForm
from state.widgets import TabValue
from ui import components, later
from ui.predictors import predictor_panel
from ui.wording import show_faults, show_note

STATES_AND_FORM = (5, 5)
DRAWN = TabValue("drawn_states", 6)
"""How many states are held out at random."""
HARDEST_WANTED = TabValue("hardest_wanted", default=False)
"""Whether the hardest states are being looked for."""


def show(form: TrainingForm) -> None:
    """Show the choices for a training: the hold-out next to the recipe."""
    states, fields = st.columns(STATES_AND_FORM, gap="medium")
    with states:
        _show_states(form)
    with fields:
        _choose_world(form)
        _hold_out(form)
        _choose_models(form)
        _choose_recipe(form)
        _offer_start(form)
    predictor_panel.show(DatasetSpec(world=form.world, held_out=form.held_out))


def _choose_models(form: TrainingForm) -> None:
    widgets.show(
        st.pills,
        "Models",
        list(ARCHITECTURES),
        key="training_models",
        value=list(form.models),
        on_choice=lambda names: training_form.change(models=tuple(names)),
        selection_mode="multi",
        format_func=lambda name: ARCHITECTURES[name].title,
    )


def _choose_recipe(form: TrainingForm) -> None:
    """Show the numbers of a recipe; those left empty keep their default."""
    typed = dict(form.numbers)
    with st.container(horizontal=True, gap="small", key="recipe"):
        for name, label in training_form.numbers().items():
            widgets.show(
                st.text_input,
                label,
                key=f"training_{name}",
                value=typed[name],
                on_choice=partial(_take_number, name),
                placeholder="default",
                width=88,
            )
        widgets.show(
            st.number_input,
            "Seed",
            key="training_seed",
            value=form.seed,
            on_choice=lambda seed: training_form.change(seed=int(seed)),
            min_value=0,
            max_value=LARGEST_SEED,
            step=1,
            width=110,
        )
    widgets.show(
        st.toggle,
        "Stop once all seen states are right",
        key="training_until",
        value=form.until_learned,
        on_choice=lambda on: training_form.change(until_learned=on),
    )


def _offer_start(form: TrainingForm) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        widgets.show(
            st.text_input,
            "Name",
            key="training_name",
            value=form.name,
            on_choice=lambda name: training_form.change(name=name.strip()),
            help="Where data and models are saved: data/NAME, models/NAME.",
            width=150,
        )
        st.button("Start", type="primary", key="start", icon=":material/play_arrow:", on_click=_start)
    for said in training_form.warnings():
        show_note(said, "warning")
    show_faults(*training_form.faults())
    if training_form.question():
        _ask_to_replace()


def _choose_world(form: TrainingForm) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        widgets.show(
            st.selectbox,
            "World",
            list_worlds(),
            key="training_world",
            value=form.rules,
            on_choice=training_form.choose_world,
            format_func=lambda path: path.stem,
            width=180,
        )
        with st.popover("Rules"):
            st.code(form.world.text, None)


def _show_states(form: TrainingForm) -> None:
    """Show the states; a click holds one out."""
    components.state_table(
        key="hold_out",
        data=state_table.state_data(
            form.world,
            form.held_out,
            board=None,
            editable=True,
            caption="All states, and which are held out of training",
        ),
        on_toggle=training_form.toggle,
    )


def _hold_out(form: TrainingForm) -> None:
    """Show the controls that hold out several states at once."""
    world = form.world
    with st.form("patterns", border=False, enter_to_submit=True):
        line = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
        line.text_input(
            "Hold out all like",
            key=widgets.emptied("pattern"),
            placeholder=",".join("1" if not index else "*" for index in range(len(world.inputs))),
            help="0, 1 or * (any) for each input. Join several patterns with ';'.",
            width=150,
        )
        line.form_submit_button("Hold out", on_click=_add_pattern)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="hold_out_ways"):
        widgets.show(
            st.number_input,
            "At random",
            key="training_count",
            value=_count(form),
            on_choice=_take_count,
            min_value=0,
            max_value=len(world.states) - 1,
            width=110,
        )
        st.button("Draw", key="draw", on_click=_draw)
        st.button(
            "Hardest",
            key="hardest",
            on_click=partial(HARDEST_WANTED.set, True),
            help="Hold out that many states: those that simple predictors miss most, keeping every rule identifiable.",
        )
        st.button("None", key="hold_out_none", on_click=lambda: training_form.change(held_out=()))
    if HARDEST_WANTED.get():
        later.find("hardest", "", partial(_draw_hardest, _count(form)))


def _draw_hardest(count: int) -> Iterator[str]:
    yield f"Searching for the {count_of(count, 'state')} that simple predictors miss most …"
    HARDEST_WANTED.set(False)
    training_form.draw_hardest(count)


def _take_count(count: int) -> None:
    DRAWN.set(int(count))


def _count(form: TrainingForm) -> int:
    """Return how many states to draw."""
    return min(DRAWN.get(), len(form.world.states) - 1)


def _draw() -> None:
    training_form.draw_states(_count(training_form.current()))


def _add_pattern() -> None:
    training_form.add_pattern(widgets.value_of(widgets.emptied("pattern")))
    if not training_form.faults():
        widgets.empty("pattern")


def _take_number(name: str, text: str) -> None:
    training_form.change(
        numbers=tuple(
            (each, text if each == name else said) for each, said in training_form.current().numbers
        )
    )


def _ask_to_replace() -> None:
    """Ask whether complete runs may be replaced, and say where they are moved."""
    for each in training_form.question():
        show_note(f"{each}.", "warning")
    with st.container(horizontal=True, gap="small", key="ask_to_replace"):
        st.button(
            "Train and replace",
            key="replace_run",
            icon=":material/play_arrow:",
            on_click=partial(_start, may_replace=True),
        )
        st.button("Cancel", key="replace_no", on_click=training_form.change)


def _start(*, may_replace: bool = False) -> None:
    """Start the trainings; faults are shown at the form.

    Args:
        may_replace: whether complete runs may be replaced; otherwise the user is asked first.
    """
    try:
        jobs = training_form.make_jobs()
        taken = replaced_by(jobs)
        if taken and not may_replace:
            training_form.ask(taken)
            return
        training_progress.trainings().add(jobs)
    except RequestError as error:
        training_form.fail(error)
        return
    training_form.change()
    training_progress.WATCHED.set(f"{jobs[0].folder.name}/{jobs[0].name}")
