"""Boards as they go to the client: whole for a world of one block, else block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from api.asked.query import Asked
from api.asked.views import tag
from api.models import library
from playground.inference import Board, PartialBoard, not_learnt
from playground.interventions import Intervention

_HIGHEST = 255


def board_parts(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the board under the condition in parts, the chosen state's block first.

    Every part names the condition, what is left out, and how many states are known so far.
    """
    model, condition = asked.model, asked.condition
    fit = model.fit(condition.interventions)
    growing = library.growing(model, fit.applied)
    about = {
        "condition": tag(condition),
        "applied": [str(each) for each in fit.applied],
        "unfit": unfit_data(asked),
        "acted_on": _acted_on(asked, fit.applied),
    }
    first = model.world.states.index(condition.state)
    known = growing.known
    sent = [block for block in growing.blocks if known[block.start]]
    if sent:
        yield about | _rows(growing, sent)
    for block in growing.compute_blocks([first]):
        sent.append(block)
        yield about | _rows(growing, [block])
    # Another client may have computed some meanwhile.
    late = [block for block in growing.blocks if block not in sent]
    if late:
        yield about | _rows(growing, late)


def unfit_data(asked: Asked) -> list[dict[str, str]]:
    """Return the active interventions that the model cannot carry out, and why."""
    return [
        {"edit": fault.where, "why": f"expected {fault.expected}", "text": str(fault)}
        for fault in asked.model.fit(asked.condition.interventions).faults
    ]


def _acted_on(asked: Asked, applied: tuple[Intervention, ...]) -> list[bool]:
    """Return for each token whether an intervention acts there."""
    template = asked.model.template
    masks = [each.positions.mask(template) for each in applied]
    return np.any(masks, axis=0).tolist() if masks else [False] * template.length


def _rows(growing: PartialBoard, blocks: list[slice]) -> dict[str, Any]:
    """Return the states of some blocks; tokens are numbers of the vocabulary."""
    board = growing.snapshot
    rows = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
    return {
        "rows": rows.astype(np.uint16),
        "total": len(board.tokens),
        "tokens": board.tokens[rows].astype(np.uint8),
        "token_probability": board.token_probability[rows].astype(np.float32),
        "judged": board.judged[rows].astype(np.uint8),
        "margin": board.margin[rows].astype(np.float32),
        # `NOT_JUDGED` becomes the highest of these numbers, which no token has.
        "truth_as_written": (board.truth_as_written[rows] & _HIGHEST).astype(np.uint8),
        "truth_do": None if board.truth_do is None else board.truth_do[rows].astype(np.uint8),
        "tally": growing.tally,
        "tally_do": growing.tally_do,
        "note": _note(growing, board),
    }


def _note(growing: PartialBoard, board: Board) -> str | None:
    """Return a sentence if the unedited model has not learnt the seen states."""
    return not_learnt(board) if growing.complete and not board.interventions else None
