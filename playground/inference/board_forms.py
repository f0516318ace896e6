"""A board as a document and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from playground.datasets import JUDGEMENTS, NOT_JUDGED
from playground.worlds import state_text

if TYPE_CHECKING:
    import pandas as pd

    from playground.inference.board import Accuracy, Board


def make_document(board: Board) -> dict[str, Any]:
    """Return a board as the JSON document of `the-experiment board --json`; tokens are strings."""
    names, vocabulary = board.dataset.world.answers, board.template.vocabulary

    def row(values: np.ndarray) -> dict[str, Any]:
        return dict(zip(names, values.tolist(), strict=True))

    def words(ids: np.ndarray) -> dict[str, str | None]:
        return {name: None if index == NOT_JUDGED else vocabulary[index] for name, index in row(ids).items()}

    judgements = np.array(JUDGEMENTS)[board.judged[:, board.template.answer_positions]]
    states = [
        {
            "state": state_text(state),
            "held_out": bool(board.held_out[index]),
            "truth": words(board.truth[index]),
            "written": words(board.written[index]),
            "probability": row(board.probability[index]),
            "margin": row(board.margin[index]),
            "correct": bool(board.correct[index]),
            "truth_as_written": words(board.truth_as_written[index]),
            "correct_as_written": bool(board.correct_as_written[index]),
            "judgement": row(judgements[index]),
        }
        for index, state in enumerate(board.dataset.world.states)
    ]
    document = {
        "model": board.model,
        "world": board.dataset.world.text,
        "interventions": [str(intervention) for intervention in board.interventions],
        "outputs": list(names),
        "states": states,
        "accuracy": _accuracy_document(board.accuracy, board.accuracy_by_answer),
        "accuracy_as_written": _accuracy_document(
            board.accuracy_as_written, board.accuracy_by_answer_as_written
        ),
        "guessing": board.guesses.to_json(),
        "never_seen": list(board.never_seen),
    }
    if board.truth_do is not None and board.correct_do is not None:
        for index, state in enumerate(states):
            state["truth_do"] = words(board.truth_do[index])
            state["correct_do"] = bool(board.correct_do[index])
        assert board.accuracy_do is not None, "there is one where there is a truth under do"
        document["accuracy_do"] = _accuracy_document(board.accuracy_do, board.accuracy_by_answer_do or {})
    return document


def _accuracy_document(whole: Accuracy, by_answer: dict[str, Accuracy]) -> dict[str, Any]:
    return {**whole.to_json(), "by_output": {name: share.to_json() for name, share in by_answer.items()}}


def make_frame(board: Board) -> pd.DataFrame:
    """Return a board as a table, one row per state, with each answer's truth, written token, probability and margin."""
    # Imported here because no other output of the program needs it.
    import pandas as pd

    names, vocabulary = board.dataset.world.answers, np.array(board.template.vocabulary)
    judged = np.array(JUDGEMENTS)[board.judged[:, board.template.answer_positions]]
    # `NOT_JUDGED` indexes the None after the last token.
    or_none = np.array([*board.template.vocabulary, None], dtype=object)
    others = {"state", "held_out", "correct", "correct_do", "correct_as_written"}
    kinds = ("truth", "truth_do", "truth_as_written", "probability", "margin", "judgement")
    others |= {f"{name}_{what}" for name in names for what in kinds}
    # The column of the written token has the answer's own name, unless another column has that name.
    written = "_written" if others & set(names) else ""
    columns: dict[str, Any] = {
        "state": [state_text(state) for state in board.dataset.world.states],
        "held_out": board.held_out,
    }
    for index, name in enumerate(names):
        columns[f"{name}_truth"] = vocabulary[board.truth[:, index]]
        if board.truth_do is not None:
            columns[f"{name}_truth_do"] = vocabulary[board.truth_do[:, index]]
        columns[f"{name}_truth_as_written"] = or_none[board.truth_as_written[:, index]]
        columns[name + written] = vocabulary[board.written[:, index]]
        columns[f"{name}_probability"] = board.probability[:, index]
        columns[f"{name}_margin"] = board.margin[:, index]
        columns[f"{name}_judgement"] = judged[:, index]
    columns["correct"] = board.correct
    if board.correct_do is not None:
        columns["correct_do"] = board.correct_do
    columns["correct_as_written"] = board.correct_as_written
    return pd.DataFrame(columns).set_index("state")
