"""The panels of page Mechanism, one for each method that it can draw: what is asked, how far it is, what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app_pages.mechanism import measuring, panel_widgets
from app_pages.mechanism.circuit_panels import draw_circuits, draw_edges, draw_formulas, draw_free
from app_pages.mechanism.exchanges import (
    choose_states,
    choose_variable,
    draw_interchange,
    draw_patching,
    draw_tokens,
)
from app_pages.mechanism.mechanisms import Side, progress_of
from app_pages.mechanism.panel_widgets import Shown
from app_pages.mechanism.residual_panels import choose_spread, draw_attention, draw_attribution, draw_lens
from app_pages.mechanism.routes import draw_emergence, draw_routes
from playground.analysis import METHODS, Method, estimate_seconds, in_words
from playground.analysis.base.method import Name
from playground.inference import Model
from playground.worlds import World
from state import session, url, widgets
from state.condition import Condition
from ui import later
from ui.wording import as_text, show_info

WATCHING = 1.0
"""Seconds between two looks at what is being measured."""
_MINUTE = 60
_LONG = 3 * _MINUTE
"""Seconds from which a time is told as it is expected in this world."""


@dataclass(frozen=True)
class Panel:
    """How the page shows what a method finds.

    Args:
        draw: what has been found in one model.
        caution: what it shows, and when that misleads.
        about: how long it takes, of one that is measured when it is asked for.
        choose: shows what can be chosen in it, once for all models.
    """

    draw: Callable[[Shown], None]
    caution: str
    about: str = ""
    choose: Callable[[World, Condition], None] | None = None


PANELS: dict[str, Panel] = {
    "routes": Panel(
        draw_routes,
        "The model reads texts with every combination of outputs, right and wrong, and what it writes next is held against "
        "each way to compute it. It misleads where the model fails on right texts, too: then no way is told from a mistake. "
        "Training contained no incorrect text.",
    ),
    "tokens": Panel(
        draw_tokens,
        "One token alone is exchanged for that of another state, and all else stays. Such a text may contradict itself, which "
        "no text of the training does. A low number says that the answer does not go by this token alone.",
    ),
    "attention": Panel(
        draw_attention,
        "Where a head looks is not what it does: what it carries from there may be small, or be ignored. A difference between "
        "held-out and seen states is a hint at another mechanism, and no more.",
        choose=choose_spread,
    ),
    "lens": Panel(
        draw_lens,
        "The residual stream is read in the middle as if it were the end. Early layers need not write in the form that the end "
        "reads: that an answer is not on top does not say that it is not there.",
    ),
    "attribution": Panel(
        draw_attribution,
        "The direct path alone: a part that acts through later ones adds nothing itself. Large numbers of opposite sign may "
        "cancel out.",
    ),
    "patching": Panel(
        draw_patching,
        "A value is taken from the run of a state that differs in one input. Other parts may make up for an exchange, so that "
        "what is needed looks idle; and what brings the answer over need not be used in other states.",
        about="some 10 to 60 seconds",
        choose=choose_states,
    ),
    "interchange": Panel(
        draw_interchange,
        "A part that stands for a variable makes the answer follow the other state's value in every pair. Early parts at an "
        "input's own token carry it trivially; a number between 0 and 100 may be half a variable or several at once.",
        about="half a minute to some minutes",
        choose=choose_variable,
    ),
    "formulas": Panel(
        draw_formulas,
        "The formula over the inputs that tells best, in all states, where the part's value is high. A part may follow a formula "
        "and yet be used for nothing; of thousands of parts and functions some fit by chance.",
    ),
    "free": Panel(
        draw_free,
        "After the exchange the model goes on with what it then writes: an answer may follow because it reads another one that "
        "did. Here too a part that stands for a variable need not be the only one.",
        about="some minutes where interchange accuracy has not been measured",
    ),
    "circuits": Panel(
        draw_circuits,
        "All other heads are set to their mean. That lies off what the model ever computes, and what a set of heads keeps with "
        "means it may not keep with other values; what all sets have in common is certain.",
        about="some minutes",
    ),
    "edges": Panel(
        draw_edges,
        "Scores are estimates from gradients; what is really kept when all other edges are cut stands beside them. A large gap "
        "between the two says that the estimate is not to be trusted here.",
        about="half a minute",
    ),
    "emergence": Panel(
        draw_emergence,
        "The same questions at every kept step of the training. Between two steps anything may have happened; early steps fail "
        "on seen states, and what they do there is no route.",
        about="some 5 seconds a step",
    ),
}


def show(place: DeltaGenerator, sides: list[Side]) -> None:
    """Show the panels; those that are open say what has been found.

    Args:
        place: where.
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
            value=panel_widgets.answer_of(world, condition),
            on_choice=lambda answer: session.change(answer=answer),
            required=True,
            help="Which answer the panels are about.",
        )
        for method in METHODS:
            if method.name in PANELS:
                _show_panel(method, PANELS[method.name], sides, condition)


def _show_panel(method: Method, panel: Panel, sides: list[Side], condition: Condition) -> None:
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
        panel_widgets.say(panel.caution)
        if panel.choose:
            panel.choose(sides[0].model.world, condition)
        for side in sides:
            if len(sides) > 1:
                st.markdown(f"**{as_text(side.title)}**")
            lack = method.unavailable_reason(side.model.network)
            if lack:
                show_info(f"Nothing to measure in {side.title}: {lack}.")
            elif measuring.job_of(side.model, side.applied, method).running:
                st.fragment(_watch, run_every=WATCHING)(method, panel, side, condition)
            else:
                _show_found(method, panel, side, condition)


def _turn(name: str, *, open_: bool) -> None:
    """Open a panel, or close it."""
    others = tuple(each for each in session.current().opened if each != name)
    session.change(opened=(*others, name) if open_ else others)


def _draw(method: Method, panel: Panel, side: Side) -> None:
    step = measuring.job_of(side.model, side.applied, method).step
    if step is not None:
        panel.draw(Shown(side, method.name, step.result, session.current()))


def _show_found(method: Method, panel: Panel, side: Side, condition: Condition) -> None:
    """Show what was found, and the way to what was not."""
    job = measuring.job_of(side.model, side.applied, method)
    for fault in job.faults:
        show_info(str(fault))
    if method.long and not job.complete:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Go on" if job.step else "Measure",
                key=f"measure_{method.name}_{side.title}",
                icon=":material/play_arrow:",
                on_click=_start,
                args=(side, method),
            )
            panel_widgets.say(
                f"{job.step.done:,} of {job.step.of:,} measured."
                if job.step
                else f"Takes {_how_long(method, panel, side)}."
            )
    _draw(method, panel, side)
    if not method.long and not job.complete and not job.faults:
        later.find(
            f"{method.name}_{side.title}",
            f"{method.title}: measuring …",
            lambda: (
                f"{method.title}: {step.done} of {step.of} …"
                for step in measuring.measure(side.model, side.applied, method)
            ),
        )


def _how_long(method: Method, panel: Panel, side: Side) -> str:
    """Return how long a method takes; where states are many, how long on these."""
    seconds = _estimate(side.model.digest, method.name, _model=side.model)
    return panel.about if seconds is None or seconds < _LONG else f"{in_words(seconds)} in this world"


@st.cache_data(show_spinner=False, max_entries=256)
def _estimate(digest: str, method: Name, *, _model: Model) -> float | None:
    return estimate_seconds(method, _model)


def _watch(method: Method, panel: Panel, side: Side, before: Condition) -> None:
    """Show how far a measurement is, and what it has found; once it is over, all of the page is shown anew."""
    job = measuring.job_of(side.model, side.applied, method)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Stop", key=f"stop_{method.name}_{side.title}", icon=":material/stop_circle:"):
            measuring.stop(side.model, side.applied, method)
        said = f"{job.step.done:,} of {job.step.of:,}" if job.step else "at work"
        left = job.seconds_left
        st.progress(
            progress_of(job.step), text=f"{said}{'' if left is None else f', {_in_words(left)} left'}"
        )
    _draw(method, panel, side)
    if not job.running or session.current() != before:
        session.rerun()


def _in_words(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < _MINUTE else f"about {seconds / _MINUTE:.0f} min"


def _start(side: Side, method: Method) -> None:
    url.mark_changed()
    measuring.start(side.model, side.applied, method)
