"""Page Conditions: named sets of interventions, saved in a file and compared side by side."""

from __future__ import annotations

import streamlit as st

from app_pages.conditions import components, named_edits
from playground.errors import RequestError, count_of
from playground.inference import Model
from playground.interventions import (
    CONDITIONS,
    LONGEST_NAME,
    LONGEST_NOTE,
    NamedCondition,
    export_conditions,
    load_conditions,
)
from state import deferred, session, widgets
from ui import later
from ui.wording import as_text, show_faults


def main(model: Model) -> None:
    """Show the page."""
    try:
        known = list(load_conditions().values())
    except RequestError as error:
        show_faults(*error.faults)
        return
    condition = session.current()
    measured = named_edits.measure(model, known, named_edits.ENOUGH)
    table = named_edits.table_data(model, condition, known, measured)
    save_form()
    show_notice()
    components.conditions(
        key="conditions",
        data=table,
        on_act=named_edits.on_act,
    )
    exchange(known)
    if len(measured) < len(known):
        deferred.afterwards(
            lambda: later.find(
                "measures",
                "",
                lambda: (f"{done} of {len(known)} …" for done in named_edits.measure_all(model, known)),
            )
        )


def save_form() -> None:
    """Show the form that names and saves the active edits."""
    condition = session.current()
    with (
        st.form("save", border=False, enter_to_submit=True),
        st.container(horizontal=True, gap="small", vertical_alignment="bottom"),
    ):
        st.text_input(
            "Name for the active edits", key=widgets.emptied("name"), max_chars=LONGEST_NAME, width=300
        )
        st.text_input(
            "Note", key=widgets.emptied("note"), max_chars=LONGEST_NOTE, placeholder="what it is for"
        )
        st.form_submit_button("Save", type="primary", key="save_button", on_click=_save)
    count, off = len(condition.interventions), len(condition.off)
    if off:
        st.caption(f"{count_of(count, 'intervention')} on; {off} switched off and not saved.")


def _save() -> None:
    """Save the active edits; if that fails, the typed text stays to be corrected."""
    name, note = (widgets.value_of(widgets.emptied(key)) for key in ("name", "note"))
    # Both are gone if the user has left the page meanwhile.
    if name is not None and note is not None and named_edits.save(name, note):
        widgets.empty("name", "note")


def show_notice() -> None:
    """Show the result of the last action, and offer what can be done about it."""
    notice = named_edits.notice()
    if notice is None:
        return
    show_faults(*notice.faults)
    if notice.said:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="notice"):
            st.markdown(as_text(notice.said), width="content")
            if notice.act:
                st.button(notice.offer, key="notice_act", on_click=named_edits.accept_offer)
            st.button("Close", key="notice_close", type="tertiary", on_click=named_edits.forget_notice)


def exchange(known: list[NamedCondition]) -> None:
    """Show the controls that export and import conditions."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Export**")
        st.download_button(
            f"Download {count_of(len(known), 'condition')} as JSON",
            data=export_conditions(known),
            file_name=CONDITIONS.name,
            mime="application/json",
            key="download_all",
            disabled=not known,
            on_click="ignore",
            icon=":material/download:",
        )
        st.caption(
            f"They are saved in {CONDITIONS} in the working directory. The command line lists them, too: `the-experiment conditions list`."
        )
    with right:
        st.file_uploader(
            "Import JSON",
            type="json",
            key=widgets.emptied("upload"),
            on_change=_upload,
            max_upload_size=2,
        )


def _upload() -> None:
    file = widgets.value_of(widgets.emptied("upload"))
    if file is not None:
        named_edits.take_file(file.getvalue(), file.name)
        widgets.empty("upload")


main(session.model())
