"""Boards of worlds with many states: the first rows at once, the rest when everything else is on the page.

The rows go to the browser in parts, each in a component of its own that hands them to the board. A click may
interrupt between two parts; the rows computed so far are kept.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import library
from api.condition import Condition
from playground.errors import RequestError
from playground.inference import Board, Model, PartialBoard
from playground.interventions import ActivationIntervention, Intervention
from state import deferred
from ui import components
from ui.wording import show_faults

_HIGHEST = 255


def anticipate(model: Model, condition: Condition) -> None:
    """Compute what a click needs first: the board of a world of one block, else the part that is shown first."""
    applied = model.fit(condition.interventions).applied
    if not _has_to_wait(model, applied):
        library.begin(model, applied, condition.state)


def wait(models: Sequence[Model], condition: Condition) -> None:
    """Compute what the first row depends on, and show the progress.

    A mean is over all states of the unedited model; nothing can be shown until it is known.
    """
    for model in models:
        if _has_to_wait(model, model.fit(condition.interventions).applied):
            place, of = st.empty(), len(model.world.states)
            for block in library.growing(model, ()).blocks:
                place.caption(
                    f"Computing the means of {model.name} over all states: {block.start:,} of {of:,} …"
                )
                model.texts.average(block)
            place.empty()


def prepare(models: Sequence[Model]) -> None:
    """Compute the means that a later click may need, once for all tabs; a click may interrupt between two blocks."""
    for model in models:
        place = st.empty()
        for block in library.growing(model, ()).blocks:
            if not model.texts.averaged:
                model.texts.average(block)
                place.empty()


def _has_to_wait(model: Model, applied: Sequence[Intervention]) -> bool:
    reads_all = any(isinstance(each, ActivationIntervention) and each.reads_all_states for each in applied)
    return reads_all and not model.texts.averaged


def send(model: Model, applied: Sequence[Intervention], condition: Condition) -> None:
    """Send the browser the known rows of a board; the others are computed and sent after all else is drawn."""
    tag = library.tag_of(model, applied)
    if tag is None:
        return
    growing = library.growing(model, applied)
    name = f"{model.name}-{'edited' if applied else 'baseline'}"
    with st.container(key=f"rows-{name}", gap=None):
        if growing.complete:
            components.rows(key=f"all-{name}", data=_rows_data(growing.snapshot, growing, tag, slice(None)))
            return
        known = growing.known
        sent = [block for block in growing.blocks if known[block.start]]
        for block in sent:
            _send_block(growing, tag, name, block)
        later = st.container(gap=None)
    first = model.world.states.index(condition.state)
    deferred.at_last(lambda: _send_rest(later, growing, tag, name, first, sent))


def _send_rest(
    place: DeltaGenerator, growing: PartialBoard, tag: str, name: str, first: int, sent: list[slice]
) -> None:
    """Compute the missing blocks, beginning with that of the state `first`; send all that were not sent before."""

    def send_new(block: slice) -> None:
        if block not in sent:
            sent.append(block)
            with place:
                _send_block(growing, tag, name, block)

    try:
        for block in growing.compute_blocks([first]):
            send_new(block)
    except RequestError as error:
        show_faults(*error.faults, place=place)
        return
    # Another tab may have computed some meanwhile.
    for block in growing.blocks:
        send_new(block)


def _send_block(growing: PartialBoard, tag: str, name: str, block: slice) -> None:
    components.rows(key=f"{block.start}-{name}", data=_rows_data(growing.snapshot, growing, tag, block))


def _rows_data(board: Board, growing: PartialBoard, tag: str, states: slice) -> dict[str, Any]:
    written = board.written[states]
    return {
        "tag": tag,
        "first": states.start or 0,
        "rows": len(written),
        "answers": written.shape[1],
        "written": _pack(written, "u1"),
        "margin": _pack(board.margin[states], "<f4"),
        "probability": _pack(board.probability[states], "<f4"),
        "truth_do": None if board.truth_do is None else _pack(board.truth_do[states], "u1"),
        # `NOT_JUDGED` becomes the highest of these numbers, which no token has.
        "truth_as_written": _pack(board.truth_as_written[states] & _HIGHEST, "u1"),
        "judged": _pack(board.judged[states][:, board.template.answer_positions], "u1"),
        "tally": growing.tally,
        "tally_do": growing.tally_do,
    }


def _pack(values: np.ndarray, form: str) -> str:
    return base64.b64encode(values.astype(form).tobytes()).decode("ascii")
