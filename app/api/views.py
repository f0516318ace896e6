"""The view of one model under one condition that pages show, and the data of strip and board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from api import library, predictors
from api.condition import Condition
from playground.analysis import margin_change
from playground.datasets import NOT_JUDGED
from playground.inference import Board, Model, Run
from playground.interventions import Intervention, anchor_at, format_all
from playground.worlds import state_text

_DIGITS = 4


@dataclass(frozen=True)
class View:
    """Everything that a page shows of one model under one condition.

    Args:
        model: the open model.
        condition: what is shown.
        applied: the interventions that apply to the model.
        state: index of the chosen state.
        baseline: the unedited model's board.
        edited: the board under the interventions.

    For a world of several blocks, some rows of the boards may be unknown yet; the chosen state is known.
    """

    model: Model
    condition: Condition
    applied: tuple[Intervention, ...]
    state: int
    baseline: Board
    edited: Board

    @cached_property
    def runs(self) -> tuple[Run, Run]:
        """The model's runs in the chosen state, unedited and edited: one row each.

        They need the board first: with its text, one forward pass is enough.
        """
        state = self.condition.state
        unedited = self.model.run(state)
        if not self.applied:
            return unedited, unedited
        return unedited, self.model.run(state, self.applied, guess=self.edited.tokens[self.state])

    @property
    def writing(self) -> list[int]:
        """The positions at which answers are written."""
        return (self.model.template.answer_positions - 1).tolist()

    @property
    def labels(self) -> tuple[list[str], list[str]]:
        """The label of each position in the chosen state, baseline and edited."""
        return token_labels(self.baseline, self.state), token_labels(self.edited, self.state)

    @property
    def tag(self) -> str:
        """Identifies what a painted component shows."""
        return tag(self.condition)


def build_view(model: Model, condition: Condition) -> View:
    """Run the model under a condition: on all states of a world of one block, else on those that are shown first."""
    applied = model.fit(condition.interventions).applied
    return View(
        model=model,
        condition=condition,
        applied=applied,
        state=model.world.states.index(condition.state),
        baseline=library.begin(model, (), condition.state).snapshot,
        edited=library.begin(model, applied, condition.state).snapshot,
    )


def tag(condition: Condition) -> str:
    """Return a text that identifies what a painted component shows: the state and the interventions."""
    return f"{state_text(condition.state)} {format_all(condition.interventions)}".strip()


def token_labels(board: Board, state: int) -> list[str]:
    """Return the label of each position: its name with its token, or the separator."""
    template = board.template
    return [
        f"{slot.name}={template.visible(token)}" if slot.name else template.visible(token)
        for slot, token in zip(template.slots, board.tokens[state], strict=True)
    ]


def strip_data(view: View) -> dict[str, Any]:
    """Return the written text of one state, token by token, baseline and edited, above the truth."""
    rows = [text_row("baseline", view.baseline, view.state)]
    if view.applied:
        rows.append(text_row("edited", view.edited, view.state, view.baseline))
    template = view.model.template
    data = text_data(view.model, view.condition, view.applied, rows)
    data["player"] = {
        "first": template.prompt_length,
        "step": view.condition.step,
        "written_at": [str(anchor_at(template, max(index - 1, 0))) for index in range(template.length)],
    }
    data["outputs"] = list(view.model.world.outputs)
    return data


def text_row(label: str, board: Board, state: int, before: Board | None = None) -> dict[str, Any]:
    """Return one line of a text strip: what a model writes in one state.

    Args:
        label: of the line.
        board: of the model.
        state: index of the state.
        before: its board without interventions, if the line marks what they changed.
    """
    cells = [_written(board, state, index) for index in range(len(board.template.slots))]
    was = [board.template.visible(token) for token in before.tokens[state]] if before else None
    return {"label": label, "cells": cells, "before": was}


def text_data(
    model: Model, condition: Condition, applied: Iterable[Intervention], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a text strip: names above, the truth below, one line per row.

    Args:
        model: one of the models that wrote.
        condition: gives the chosen state.
        applied: the interventions that acted on any of them.
        rows: see `text_row`.
    """
    template, state = model.template, model.world.states.index(condition.state)
    masks = [intervention.positions.mask(template) for intervention in applied]
    slots = [
        {
            "name": slot.name or "",
            "given": index < template.prompt_length,
            "acted_on": any(mask[index] for mask in masks),
            "truth": template.visible(template.truth[state, index]),
        }
        for index, slot in enumerate(template.slots)
    ]
    return {"slots": slots, "rows": rows, "edited": bool(masks), "condition": tag(condition)}


def _written(board: Board, state: int, index: int) -> dict[str, Any]:
    token = board.tokens[state, index]
    return {
        "token": board.template.visible(token),
        "judged": int(board.judged[state, index]),
        "as_written": _as_written(board, state, index),
        "probability": float(board.token_probability[state, index]),
    }


def _as_written(board: Board, state: int, index: int) -> str | None:
    """Return the token that would be right as written at a position; None if it is undetermined."""
    template = board.template
    found = np.flatnonzero(template.answer_positions == index)
    right = board.truth_as_written[state, found[0]] if len(found) else template.truth[state, index]
    return None if right == NOT_JUDGED else template.visible(right)


def board_data(view: View) -> dict[str, Any]:
    """Return the board of all states, baseline next to edited; one row per state, one column per answer."""
    baseline, edited, condition = view.baseline, view.edited, view.condition
    single = view.model.texts.single
    return {
        **board_frame(baseline, condition),
        "baseline": board_group(view.model, baseline),
        "edited": board_group(view.model, edited) if edited.interventions else None,
        "moved": margin_change(baseline, edited).mean(-1).round(_DIGITS).tolist() if single else None,
        "sort": condition.sort,
        "margins": condition.margins,
    }


def board_frame(board: Board, condition: Condition) -> dict[str, Any]:
    """Return what the boards of all models have in common: states, truth, and the chosen state."""
    template, world = board.template, board.dataset.world
    return {
        "names": list(world.answers),
        "vocabulary": [template.visible(token) for token in range(len(template.vocabulary))],
        "states": [state_text(state) for state in world.states],
        "held_out": board.held_out.tolist(),
        "truth": board.truth.tolist(),
        "predictor": predictors.tally(board.dataset),
        "never_seen": list(board.never_seen),
        "chosen": state_text(condition.state),
        "condition": tag(condition),
    }


def board_group(model: Model, board: Board) -> dict[str, Any]:
    """Return what one model wrote in all states; for a large world, the tag under which the rows arrive in parts."""
    tag = library.tag_of(model, board.interventions)
    if tag is not None:
        return {"tag": tag}
    return {
        "truth_do": None if board.truth_do is None else board.truth_do.tolist(),
        "truth_as_written": board.truth_as_written.tolist(),
        "judged": board.judged[:, board.template.answer_positions].tolist(),
        "tally_do": board.tally_do,
        "written": board.written.tolist(),
        "margin": board.margin.round(_DIGITS).tolist(),
        "probability": board.probability.round(_DIGITS).tolist(),
        "tally": board.tally,
    }
