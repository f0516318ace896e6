"""All models of one name that learnt the same task, under one condition: what they cost, what each gets right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.asked.condition import Condition
from api.asked.query import Asked
from api.asked.views import tag
from api.models import library, predictors
from playground.inference import Board, Model, Tally, not_learnt
from playground.interventions import Intervention
from playground.models import ARCHITECTURES, at_step


@dataclass(frozen=True)
class Side:
    """One model of a comparison.

    Args:
        model: the model.
        applied: the interventions that apply to it.
        left_out: those that do not.
        baseline: its board, unedited.
        edited: its board under the applied interventions; the baseline if there are none.
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


def rivals_data(asked: Asked) -> dict[str, Any]:
    """Return the models that can be compared with the open one, itself among them, and why others cannot."""
    rivals, left_out = library.open_rivals(asked.model, asked.run)
    return {
        "models": [
            {
                "run": at_step(model.checkpoint.folder.name, model.checkpoint.step),
                "name": model.name,
                "title": ARCHITECTURES[model.network.architecture].title,
                "costs": model.checkpoint.cost.words(),
            }
            for model in rivals
        ],
        "left_out": left_out,
    }


def compare(asked: Asked) -> list[Side]:
    """Run every model under the interventions of a condition that apply to it."""
    sides = []
    for model in library.open_rivals(asked.model, asked.run)[0]:
        fit = model.fit(asked.condition.interventions)
        baseline, edited = library.board(model, ()), library.board(model, fit.applied)
        sides.append(Side(model, fit.applied, fit.left_out, baseline, edited))
    return sides


def scores_data(sides: list[Side], condition: Condition) -> dict[str, Any]:
    """Return the accuracy of every model, for whole answers and by answer, and what predictors get right."""
    return {
        "names": list(sides[0].model.world.answers),
        "models": [
            {
                "name": side.model.name,
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
