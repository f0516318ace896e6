"""The view of one model under one condition that pages show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from api.asked.condition import Condition
from api.models import library
from playground.inference import Board, Model, Run
from playground.interventions import Intervention, format_all
from playground.worlds import state_text


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
