"""Files of rules on page World: open, save, download, share; and the button that leads to page Train."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from app_pages.world import rules_files
from playground.files import default_rules
from playground.worlds import describe_rules, list_worlds, network_of_world, parse_world, read_rules
from state import rules_address, rules_editor, widgets
from state.rules_editor import Draft
from ui.wording import show_faults, show_note

UNSAVED = Path("not saved")
_LONGEST_LINE = 70
_WRAPPED = 190


def show(draft: Draft) -> None:
    """Show the controls that open and save rules, and the result of the last action."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom", key="rules_toolbar"):
        _choose_file(draft)
        st.button(
            "Duplicate",
            key="duplicate",
            icon=":material/content_copy:",
            on_click=lambda: rules_editor.ask_for(rules_files.duplicate),
            help="Save a copy of the rules under a new name, and continue with the copy.",
        )
        with st.popover("Upload", icon=":material/upload:", key="rules_from_file"):
            _offer_upload()
        with st.popover("Download", icon=":material/download:", key="rules_to_file"):
            _offer_download(draft)
        with st.popover("Share", icon=":material/share:", key="share_rules"):
            _offer_link(draft)
        _offer_name(draft)
        if st.button(
            "Train on this world",
            key="train_on_this",
            type="primary",
            icon=":material/model_training:",
            help="Save the rules if they are not saved yet, and open page Train with them.",
        ):
            _train()
    _show_notice()


def _choose_file(draft: Draft) -> None:
    paths, here = list_worlds(), draft.file
    widgets.show(
        st.selectbox,
        "World",
        paths if here else [UNSAVED, *paths],
        key="rules_file",
        value=here or UNSAVED,
        on_choice=_open,
        format_func=_in_a_line,
        width=170,
    )


def _in_a_line(path: Path) -> str:
    said = _description(path)
    return path.stem + (f" · {said}" if said else "")


def _description(path: Path) -> str:
    """Return the line in which a file describes its world, if the file can be read."""
    if path == UNSAVED:
        return ""
    try:
        said = describe_rules(read_rules(path))
    except ValueError:
        return "cannot be read"
    return said if len(said) <= _LONGEST_LINE else f"{said[: _LONGEST_LINE - 1]}…"


def _open(path: Path) -> None:
    if path != UNSAVED:
        rules_editor.ask_for(partial(rules_files.open_file, path))


def _offer_download(draft: Draft) -> None:
    """Offer downloads of the text as it is, and of its world as a Boolean network."""
    st.download_button(
        "Rules (.rules)",
        data=draft.text,
        file_name=f"{draft.name or 'world'}.rules",
        mime="text/plain",
        key="download_rules",
        on_click="ignore",
    )
    st.download_button(
        "Boolean network (.bnet)",
        data=lambda: network_of_world(parse_world(draft.text)),
        file_name=f"{draft.name or 'world'}.bnet",
        mime="text/plain",
        key="download_network",
        on_click="ignore",
        disabled=bool(draft.faults),
    )
    st.caption(
        "For BoolNet, pyboolnet and the like. An output newX is the next value of node X; any other output is an additional node. Counts are left out."
    )


def _offer_upload() -> None:
    st.file_uploader(
        "Rules, or a Boolean network, from a file",
        type=["rules", "txt", "bnet"],
        key=widgets.emptied("rules_upload"),
        on_change=_upload,
        max_upload_size=1,
    )


def _upload() -> None:
    file = widgets.value_of(widgets.emptied("rules_upload"))
    if file is not None:
        rules_editor.ask_for(partial(rules_files.take_file, file.getvalue(), file.name))
        widgets.empty("rules_upload")


def _offer_link(draft: Draft) -> None:
    query = rules_address.write(draft.text)
    if not query:
        st.caption(
            f"These rules are too long for an address: {len(draft.text):,} characters would take more than "
            f"{rules_address.LONGEST_ADDRESS:,} in a link. Download the file and send that instead."
        )
        return
    st.markdown("**Link**")
    st.caption("Opens this page with the rules as they are now.")
    link = f"{str(st.context.url).split('?')[0]}?{urlencode(query)}"
    st.code(link, None, wrap_lines=True, height=_WRAPPED if len(link) > _WRAPPED * 2 else "content")


def _offer_name(draft: Draft) -> None:
    widgets.show(
        st.text_input,
        "Save as",
        key="rules_name",
        value=draft.name,
        on_choice=rules_editor.rename,
        placeholder="name",
        max_chars=64,
        width=110,
    )
    st.button(
        "Save",
        key="save_rules",
        icon=":material/save:",
        on_click=lambda: rules_editor.ask_for(rules_files.save_or_ask),
        help="Saves to data/worlds in the working directory.",
    )


def _train() -> None:
    """Go to page Train with this world; if it cannot be saved, show why."""
    path = rules_files.save_for_training()
    if path is not None:
        # Models of one name share one world, so the world's name suits them, except for the default world.
        query = {} if path == default_rules() else {"rules": path.stem, "name": path.stem}
        st.switch_page("app_pages/train/page.py", query_params=query)


def _show_notice() -> None:
    notice = rules_editor.notice()
    show_faults(*notice.faults)
    if notice.can_replace:
        st.button(
            "Replace it", key="replace_rules", on_click=lambda: rules_editor.ask_for(rules_files.replace)
        )
    if notice.said:
        show_note(notice.said, "check")
