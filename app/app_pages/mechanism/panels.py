"""The panels of page Mechanism, one per method: its question, its progress, its results."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.condition import Condition
from app_pages.mechanism import blocks, measuring
from app_pages.mechanism.blocks import Shown, say
from app_pages.mechanism.mechanisms import Side, progress_of
from playground.analysis import METHODS, Method, Option, View, estimate_seconds, in_words
from playground.inference import Model
from state import session, url, widgets
from ui import later
from ui.wording import as_text, show_info

WATCHING = 1.0
"""Seconds between two updates while something is being measured."""
_MINUTE = 60
_LONG = 3 * _MINUTE
"""Seconds from which the page shows the time expected for this world."""


def show(place: DeltaGenerator, sides: list[Side]) -> None:
    """Show the panels; open ones show their results.

    Args:
        place: where to show them.
        sides: the models.
    """
    condition, world = session.current(), sides[0].model.world
    with place:
        st.markdown("#### Evidence")
        widgets.show(
            st.segmented_control,
            "Answer",
            list(world.answers),
            key="answer",
            value=blocks.answer_of(world, condition),
            on_choice=lambda answer: session.change(answer=answer),
            required=True,
            help="The answer that the panels are about.",
        )
        for method in METHODS.values():
            _show_panel(method, sides, condition)


def _show_panel(method: Method, sides: list[Side], condition: Condition) -> None:
    name = method.name
    drawn = widgets.show(
        st.expander,
        f"**{method.title}** – {method.question}",
        key=f"panel_{name}",
        value=name in condition.opened,
        on_choice=lambda opened: _turn(name, open_=opened),
    )
    if name not in condition.opened:
        return
    with drawn:
        say(f"{method.how} {method.caution}")
        if any(not method.unavailable_reason(side.model.network) for side in sides):
            answer = blocks.answer_of(sides[0].model.world, condition)
            for option in method.options(View(sides[0].model, answer=answer)):
                _choose(option, condition)
        for side in sides:
            if len(sides) > 1:
                st.markdown(f"**{as_text(side.title)}**")
            lack = method.unavailable_reason(side.model.network)
            if lack:
                show_info(f"Nothing to measure in {side.title}: {lack}.")
            elif measuring.job_of(side.model, side.applied, method).running:
                st.fragment(_watch, run_every=WATCHING)(method, side, condition)
            else:
                _show_found(method, side)


def _choose(option: Option, condition: Condition) -> None:
    """Show an option of a method's blocks."""
    labels, chosen = dict(option.choices), dict(condition.options).get(option.name)
    if not labels:
        return
    first = next(iter(labels))

    def choose(value: str) -> None:
        others = {name: kept for name, kept in session.current().options if name != option.name}
        session.change(options=tuple((others | ({} if value == first else {option.name: value})).items()))

    widgets.show(
        st.selectbox,
        option.label,
        list(labels),
        key=f"option_{option.name}",
        value=chosen if chosen in labels else first,
        on_choice=choose,
        format_func=lambda value: labels.get(value, value),
        width=420,
        help=option.help or None,
    )


def _turn(name: str, *, open_: bool) -> None:
    """Open or close a panel."""
    others = tuple(each for each in session.current().opened if each != name)
    session.change(opened=(*others, name) if open_ else others)


def _draw(method: Method, side: Side) -> None:
    step = measuring.job_of(side.model, side.applied, method).step
    if step is not None:
        shown = Shown(side, method, session.current())
        blocks.show(shown, method.present(step.result, shown.view))


def _show_found(method: Method, side: Side) -> None:
    """Show the results, and a button to measure the rest."""
    job = measuring.job_of(side.model, side.applied, method)
    for fault in job.faults:
        show_info(str(fault))
    if method.is_long and not job.complete:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Go on" if job.step else "Measure",
                key=f"measure_{method.name}_{side.title}",
                icon=":material/play_arrow:",
                on_click=_start,
                args=(side, method),
            )
            say(
                f"{job.step.done:,} of {job.step.of:,} measured."
                if job.step
                else f"Takes {_how_long(method, side)}."
            )
    _draw(method, side)
    if not method.is_long and not job.complete and not job.faults:
        later.find(
            f"{method.name}_{side.title}",
            f"{method.title}: measuring …",
            lambda: (
                f"{method.title}: {step.done} of {step.of} …"
                for step in measuring.measure(side.model, side.applied, method)
            ),
        )


def _how_long(method: Method, side: Side) -> str:
    """Return how long a method takes; for many states, how long in this world."""
    seconds = _estimate(side.model.digest, method.name, _method=method, _model=side.model)
    if seconds is None or seconds < _LONG:
        return method.duration or "a while"
    return f"{in_words(seconds)} in this world"


@st.cache_data(show_spinner=False, max_entries=256)
def _estimate(digest: str, method: str, *, _method: Method, _model: Model) -> float | None:
    return estimate_seconds(_method, _model)


def _watch(method: Method, side: Side, before: Condition) -> None:
    """Show the progress and the results of a measurement; once it ends, run the whole page again."""
    job = measuring.job_of(side.model, side.applied, method)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Stop", key=f"stop_{method.name}_{side.title}", icon=":material/stop_circle:"):
            measuring.stop(side.model, side.applied, method)
        said = f"{job.step.done:,} of {job.step.of:,}" if job.step else "starting"
        left = job.seconds_left
        st.progress(
            progress_of(job.step), text=f"{said}{'' if left is None else f', {_in_words(left)} left'}"
        )
    _draw(method, side)
    if not job.running or session.current() != before:
        session.rerun()


def _in_words(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < _MINUTE else f"about {seconds / _MINUTE:.0f} min"


def _start(side: Side, method: Method) -> None:
    url.mark_changed()
    measuring.start(side.model, side.applied, method)
