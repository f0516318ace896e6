"""`test` and `board`: what models write, under interventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loguru import logger
from rich.console import Console

from playground.cli.output.documents import judgement_document, not_applied, print_json, say_not_applied
from playground.cli.requests import ALL, Form, fit_all, open_models

if TYPE_CHECKING:
    from playground.inference import Board
    from playground.interventions import Intervention
    from playground.models import Cost


@dataclass(frozen=True)
class Answered:
    """A model's board, what it cost, and what of the request it could not be asked.

    Args:
        board: on all states.
        cost: of the training.
        unlearnt: in words, that the unedited model does not write the seen states; None if it does.
        not_applied: interventions that have no meaning for this model.
    """

    board: Board
    cost: Cost
    unlearnt: str | None
    not_applied: tuple[Intervention, ...]


def answer(
    *, state: str, name: str, model: str, asked: tuple[Intervention, ...], device: str, as_json: bool
) -> None:
    """Print what the rules and the models say in one state.

    Raises:
        RequestError: for a state, model or intervention that is not right.
    """
    answers = _ask(name, model, asked, device)
    from playground.datasets import never_seen

    first = answers[0].board
    world, template = first.dataset.world, first.template
    index = world.states.index(world.parse_state(state))
    if not as_json:
        from playground.cli.output.display import show_answer, show_cautions

        show_answer(Console(), [each.board for each in answers], index)
        show_cautions(Console(), asked)
        _say_notes(answers)
        return
    document = {
        "prompt": state,
        "truth": template.completion(world.states[index]),
        "held_out": bool(first.held_out[index]),
        "never_seen": list(never_seen(world, first.dataset.held_out, world.states[index])),
        "interventions": [str(intervention) for intervention in asked],
        "models": {each.board.model: _answer_of(each, index) for each in answers},
    }
    print_json(document)


def _answer_of(answered: Answered, state: int) -> dict[str, Any]:
    board, template = answered.board, answered.board.template
    written = slice(template.prompt_length, None)
    as_written = template.truth[state].copy()
    as_written[template.answer_positions] = board.truth_as_written[state]
    document = {
        "completion": board.completion(state),
        "correct": bool(board.correct[state]),
        "correct_as_written": bool(board.correct_as_written[state]),
        "tokens": [template.vocabulary[i] for i in board.tokens[state, written]],
        "probabilities": board.token_probability[state, written].tolist(),
        **judgement_document(template, as_written[written], board.judged[state, written]),
    }
    if board.truth_do is not None and board.correct_do is not None:
        done = template.truth[state].copy()
        done[template.answer_positions] = board.truth_do[state]
        document["truth_do"] = template.decode(done[template.prompt_length :])
        document["correct_do"] = bool(board.correct_do[state])
    return document | not_applied(answered.not_applied)


def board(*, name: str, model: str, asked: tuple[Intervention, ...], device: str, form: Form) -> None:
    """Print what a model writes in every state.

    Raises:
        RequestError: for a model or intervention that is not right.
    """
    answers = _ask(name, model, asked, device)
    if form == "csv":
        import pandas as pd

        frames = {each.board.model: each.board.to_frame() for each in answers}
        frame = pd.concat(frames, names=["model"]) if model == ALL else frames[answers[0].board.model]
        print(frame.to_csv(), end="")
        _say_notes(answers)
        return
    if form == "json":
        documents = [
            each.board.to_json() | {"spent": each.cost.to_json()} | not_applied(each.not_applied)
            for each in answers
        ]
        print_json({"boards": documents} if model == ALL else documents[0])
        return
    from playground.cli.output.display import show_board, show_cautions, show_legend, show_scores

    for each in answers:
        show_board(Console(), each.board)
    show_legend(Console())
    show_scores(Console(), [(each.board, each.cost) for each in answers])
    show_cautions(Console(), asked)
    _say_notes(answers)


def _say_notes(answers: list[Answered]) -> None:
    for each in answers:
        if each.unlearnt:
            logger.warning("{}", each.unlearnt)
        say_not_applied(each.board.model, each.not_applied)


def _ask(name: str, model: str, asked: tuple[Intervention, ...], device: str) -> list[Answered]:
    """Return what the wanted models answer under the interventions."""
    models = open_models(name, model, device)
    from playground.inference import not_learnt

    return [
        Answered(loaded.board(one.applied), loaded.checkpoint.cost, not_learnt(loaded.baseline), one.left_out)
        for loaded, one in zip(models, fit_all(asked, models), strict=True)
    ]
