"""The states of a world as a table: which are held out, and what a model in training writes in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from api.models import predictors
from playground.inference import Board
from playground.worlds import State, World, state_text


def state_data(
    world: World, held_out: Sequence[State], *, board: Board | None, editable: bool, caption: str
) -> dict[str, Any]:
    """Return the data of the table: all states, which are held out, and what a model in training writes in each."""
    held, truth = set(held_out), world.truth_table
    vocabulary = np.array(board.template.vocabulary) if board else None
    return {
        "inputs": list(world.inputs),
        "outputs": list(world.answers),
        "states": [
            {
                "state": state_text(state),
                "values": [str(bit) for bit in state],
                "held": state in held,
                "truth": [str(value) for value in row],
            }
            for state, row in zip(world.states, truth.tolist(), strict=True)
        ],
        "editable": editable,
        "written": None if board is None or vocabulary is None else vocabulary[board.written].tolist(),
        "judged": board.judged[:, board.template.answer_positions].tolist() if board else None,
        "predictor": predictors.tally(board.dataset) if board else None,
        "never_seen": list(board.never_seen) if board else [],
        "caption": caption,
    }
