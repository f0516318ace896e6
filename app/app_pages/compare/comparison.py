"""What the page Compare shows: every model under one condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api import library, predictors
from api.condition import BY_STATE, Condition
from api.views import board_frame, board_group, tag, text_data, text_row
from playground.inference import Board, Model, Tally, not_learnt
from playground.interventions import Intervention
from playground.models import ARCHITECTURES
from ui.board import growth

_SORTS = (BY_STATE, "held-out")


@dataclass(frozen=True)
class Side:
    """One model of a comparison.

    Args:
        model: the model.
        applied: the interventions that apply to it.
        left_out: those that do not.
        baseline: its board, unedited.
        edited: its board under the applied interventions; the baseline if there are none.

    For a world of several blocks, some rows of the boards may be unknown yet; the chosen state is known.
    """

    model: Model
    applied: tuple[Intervention, ...]
    left_out: tuple[Intervention, ...]
    baseline: Board
    edited: Board

    @property
    def notes(self) -> list[str]:
        """Notes about the model, in words."""
        notes = [note for note in (not_learnt(self.baseline),) if note]
        if self.left_out:
            listed = ", ".join(str(each) for each in self.left_out)
            what = "which is therefore unedited here" if not self.applied else "which has no such part"
            notes.append(f"{listed}: not applied to {self.model.name}, {what}.")
        return notes


def compare(models: Sequence[Model], condition: Condition) -> list[Side]:
    """Run every model under the interventions of a condition that apply to it."""
    sides = []
    for model in models:
        fit = model.fit(condition.interventions)
        edited = library.begin(model, fit.applied, condition.state)
        baseline = library.begin(model, (), condition.state)
        sides.append(Side(model, fit.applied, fit.left_out, baseline.snapshot, edited.snapshot))
    return sides


def send(sides: Sequence[Side], condition: Condition) -> None:
    """Send the rows of boards that are too large to come with the page; see `growth.send`."""
    for side in sides:
        for applied in dict.fromkeys([(), side.applied]):
            growth.send(side.model, applied, condition)


def is_complete(sides: Sequence[Side]) -> bool:
    """Return whether the boards of all models are complete."""
    return all(
        library.growing(side.model, applied).complete for side in sides for applied in ((), side.applied)
    )


def answers_data(sides: Sequence[Side], condition: Condition) -> dict[str, Any]:
    """Return the text strip of the chosen state: one line per model."""
    state = sides[0].model.world.states.index(condition.state)
    rows = [
        text_row(side.model.name, side.edited, state, side.baseline if side.applied else None)
        for side in sides
    ]
    applied = {each for side in sides for each in side.applied}
    return text_data(sides[0].model, condition, applied, rows)


def comparison_data(sides: Sequence[Side], condition: Condition) -> dict[str, Any]:
    """Return the boards of all models side by side."""
    return {
        **board_frame(sides[0].baseline, condition),
        "models": [
            {
                "name": side.model.name,
                "baseline": board_group(side.model, side.baseline),
                "edited": board_group(side.model, side.edited) if side.applied else None,
            }
            for side in sides
        ],
        "sort": condition.sort if condition.sort.removeprefix("-") in _SORTS else BY_STATE,
    }


def scores_data(sides: Sequence[Side], condition: Condition) -> dict[str, Any]:
    """Return the cost of every model, and its accuracy, for whole answers and by answer."""
    return {
        "names": list(sides[0].model.world.answers),
        "models": [
            {
                "name": side.model.name,
                "title": ARCHITECTURES[side.model.network.architecture].title,
                "costs": side.model.checkpoint.cost.words(),
                "scores": [
                    (side.baseline.tally, side.edited.tally),
                    *(
                        (tally, side.edited.tally_by_answer.get(name))
                        for name, tally in side.baseline.tally_by_answer.items()
                    ),
                ],
                "as_written": [None, *_as_written(side.edited)],
                "notes": side.notes,
            }
            for side in sides
        ],
        "predictor": predictors.scores(sides[0].model.dataset),
        "never_seen": list(sides[0].baseline.never_seen),
        "edited": any(side.applied for side in sides),
        "condition": tag(condition),
    }


def _as_written(board: Board) -> list[Tally | None]:
    """Return for each answer how often it is right as written; None if it is forced."""
    tallies = board.tally_by_answer_as_written
    return [tallies.get(name) for name in board.dataset.world.answers]
