"""How sure a model is of each answer that it writes, in states that training had and in states that it had not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from playground.analysis import Column, Heatmap, Method, Row, Table, View, at_once
from playground.inference import Model
from playground.inference.model import InterventionsLike

GROUPS = ("seen states", "held-out states")


@dataclass(frozen=True)
class Confidence:
    """What is kept of a measurement: texts, numbers and arrays alone.

    Args:
        answers: of the world.
        held_out: which states training never had.
        probability: of the token written for each answer, state x answer.
        right: whether it is the right one.
    """

    answers: tuple[str, ...]
    held_out: np.ndarray
    probability: np.ndarray
    right: np.ndarray


def measure(model: Model, interventions: InterventionsLike) -> Confidence:
    """Measure it on all states at once."""
    board = model.board(interventions)
    return Confidence(model.world.answers, board.held_out, board.probability, board.written == board.truth)


def present(found: Confidence, view: View) -> Iterator[Heatmap]:
    """Show one number for each answer and group of states; behind it, the states."""
    groups = (~found.held_out, found.held_out)

    def cases(row: int, column: int) -> Table:
        states = np.flatnonzero(groups[column])
        order = states[np.argsort(found.probability[states, row], kind="stable")]
        return Table(
            title=f"{found.answers[row]} in {GROUPS[column]}",
            caption="The least certain state comes first.",
            columns=(Column("state", kind="state"), Column("probability"), Column("right")),
            rows=tuple(
                Row(
                    (view.states[state], float(found.probability[state, row]), "yes" if ok else "no"),
                    bool(ok),
                )
                for state, ok in zip(order.tolist(), found.right[order, row], strict=True)
            ),
        )

    yield Heatmap(
        title="mean probability of the written answer",
        caption="1 means that the model is certain of what it writes, right or wrong.",
        row_axis="answer",
        column_axis="states",
        rows=found.answers,
        columns=GROUPS,
        values=np.stack(
            [
                found.probability[states].mean(0) if states.any() else np.full(len(found.answers), np.nan)
                for states in groups
            ],
            axis=1,
        ),
        largest=1.0,
        cases=cases,
    )


CONFIDENCE = Method(
    name="confidence",
    title="Confidence",
    question="How sure is the model of what it writes, in states that it saw and in states that it did not?",
    how="The probability of the written token, from the softmax of its logits, averaged over states.",
    caution="A model can be sure of a wrong answer.",
    kind=Confidence,
    measure=at_once(measure),
    present=present,
)
