"""Named sets side by side: what a model still gets right under each, measured one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.asked.query import Asked
from api.asked.views import tag
from api.models import library, predictors
from playground.datasets import never_seen
from playground.inference import Compared, Model
from playground.interventions import Intervention, NamedCondition, export_conditions, load_conditions

UNEDITED, CURRENT = "unedited", "the edits"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        name: of the set.
        measure: returns the model's board under it.
        known: whether that takes no time.
        fixed: whether it is no set of the file: the unedited model, or the edits.
        interventions: in their text form.
        note: what the set is for.
        file: the content of a file with this set alone.
    """

    name: str
    measure: Callable[[], Compared]
    known: bool
    fixed: bool = False
    interventions: tuple[str, ...] = ()
    note: str = ""
    file: str = ""


def table_parts(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the table: unedited, the current edits, every saved set; then the scores of what had to be measured.

    Raises:
        RequestError: if the file of named sets is damaged.
    """
    model = asked.model
    rows = _rows(model, asked.condition.interventions)
    yield {
        "names": list(model.world.answers),
        "entries": [
            {
                "name": row.name,
                "fixed": row.fixed,
                "interventions": list(row.interventions),
                "note": row.note,
                "file": row.file,
                **_scores(row.measure() if row.known else None),
            }
            for row in rows
        ],
        "predictor": predictors.tally(model.dataset),
        "never_seen": list(never_seen(model.world, model.dataset.held_out)),
        "condition": tag(asked.condition),
    }
    for index, row in enumerate(rows):
        if not row.known:
            yield {"index": index} | _scores(row.measure())


def _rows(model: Model, active: tuple[Intervention, ...]) -> list[Row]:
    rows = [
        Row(UNEDITED, lambda: Compared(None, library.board(model, ())), _is_complete(model, ()), fixed=True)
    ]
    if active:
        fit = model.fit(active)
        known = not fit.applied or _is_complete(model, fit.applied)
        texts = tuple(map(str, active))
        rows.append(Row(CURRENT, partial(_under, model, active), known, fixed=True, interventions=texts))
    return rows + [_row_of(model, each) for each in load_conditions().values()]


def _row_of(model: Model, saved: NamedCondition) -> Row:
    return Row(
        saved.name,
        partial(library.compared, model, saved),
        library.is_compared(model, saved),
        interventions=saved.interventions,
        note=saved.note,
        file=export_conditions([saved]),
    )


def _is_complete(model: Model, applied: tuple[Intervention, ...]) -> bool:
    return library.growing(model, applied).complete


def _under(model: Model, active: tuple[Intervention, ...]) -> Compared:
    fit = model.fit(active)
    board = library.board(model, fit.applied) if fit.applied else None
    return Compared(None, board, fit.left_out, fit.faults)


def _scores(compared: Compared | None) -> dict[str, Any]:
    board = None if compared is None else compared.board
    return {
        "pending": compared is None,
        "whole": None if board is None else board.tally,
        "whole_do": None if board is None else board.tally_do,
        "answers": {} if board is None else board.tally_by_answer,
        "answers_as_written": {} if board is None else board.tally_by_answer_as_written,
        "unfit": [
            {"text": fault.where, "why": f"expected {fault.expected}"}
            for fault in (() if compared is None else compared.faults)
        ],
    }
