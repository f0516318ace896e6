"""Page Mechanism: how one model, or two side by side, derive their answers: the verdict and its evidence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.runs import Run
from app_pages.mechanism import components, mechanisms, panels
from app_pages.mechanism.mechanisms import Side
from playground.errors import RequestError
from playground.inference import Model, mechanism_as_command, mechanism_as_python
from state import deferred, session, widgets
from ui import later
from ui.wording import as_text, show_faults, show_info

NONE = "no other model"


def main(model: Model) -> None:
    """Show the page; the verdict is computed before anything is drawn, its evidence follows."""
    condition, run = session.current(), session.run()
    place = st.empty()
    with st.spinner("Measuring how the model derives each answer"):
        sides = [mechanisms.look(model, run, condition, place.caption)]
        if condition.beside and condition.beside != run[1]:
            sides += _second(model, (run[0], condition.beside), place.caption)
    place.empty()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _choose_second(run)
        _offer_code(sides)
        st.download_button(
            "Report",
            data=partial(mechanisms.report, sides),
            file_name=mechanisms.report_name(sides),
            mime="text/html",
            key="report",
            icon=":material/download:",
            on_click="ignore",
            help="Everything measured so far, as one HTML page that opens offline.",
        )
    for place, side in zip(st.columns(len(sides), gap="large"), sides, strict=True):
        with place:
            _show_verdict(side)
    lacking = st.container()
    evidence = st.container()
    deferred.afterwards(lambda: panels.show(evidence, sides))
    deferred.afterwards(lambda: _complete(lacking, sides))


def _second(model: Model, run: Run, say: Callable[[str], object]) -> list[Side]:
    """Return the model to compare with the first; if it cannot be opened, show why."""
    try:
        return [mechanisms.look(mechanisms.open_rival(model, run), run, session.current(), say)]
    except RequestError as error:
        show_faults(*error.faults)
    except ValueError as error:
        show_info(str(error))
    return []


def _choose_second(run: Run) -> None:
    rivals, beside = mechanisms.rivals(run), session.current().beside
    widgets.show(
        st.selectbox,
        "Compare with",
        [NONE, *rivals],
        key="beside",
        value=beside if beside in rivals else NONE,
        on_choice=lambda chosen: session.change(beside=None if chosen == NONE else chosen),
        width=220,
        help="Compare with another run of the same name: another architecture, another seed, or an earlier step of a training.",
    )


def _offer_code(sides: list[Side]) -> None:
    with st.popover("Copy as code", icon=":material/code:"):
        for side in sides:
            st.markdown(f":small[The verdict on {as_text('/'.join(side.run))}, as Python and as a command.]")
            st.code(mechanism_as_python(*side.run, side.applied), "python")
            st.code(mechanism_as_command(*side.run, side.applied), "bash", wrap_lines=True)


def _show_verdict(side: Side) -> None:
    world, key = side.model.world, f"verdict_{side.title}"
    components.verdict(
        key=key,
        data=mechanisms.verdict_data(side),
        on_state=lambda state: session.change(state=world.parse_state(state)),
    )


def _complete(place: DeltaGenerator, sides: list[Side]) -> None:
    """Compute the slower claims once everything else is on the page."""
    lacking = [side for side in sides if not side.whole]
    if lacking:
        with place:
            later.find("tokens", f"{mechanisms.said_of(lacking[0])} …", lambda: mechanisms.complete(lacking))


main(session.models()[0])
