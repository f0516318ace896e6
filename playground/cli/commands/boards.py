"""`test` and `board`: what models write, under interventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console

from playground.cli.options import Conditions, Device, Json, ModelName, Name, On
from playground.cli.output.documents import judgement_document, not_applied, print_json, say_not_applied
from playground.cli.requests import ALL, both_given, fit_all, open_models, wanted

if TYPE_CHECKING:
    from playground.inference import Board
    from playground.interventions import Intervention
    from playground.models import Cost


@dataclass(frozen=True)
class Answered:
    """A model's board, what it cost, and which interventions do not apply to it.

    Args:
        board: on all states.
        cost: of the training.
        unlearnt: a sentence saying that the unedited model has not learnt the seen states; None if it has.
        not_applied: interventions that do not apply to this model.
    """

    board: Board
    cost: Cost
    unlearnt: str | None
    not_applied: tuple[Intervention, ...]


def test(
    state: Annotated[str, typer.Argument(help="One 0 or 1 per input, such as 0,1,1,1,0.")],
    on: On = None,
    condition: Conditions = None,
    model: ModelName = "all",
    name: Name = "default",
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Ask the rules and the models for one state's answer."""
    asked = wanted(condition, on)
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


def board(
    on: On = None,
    condition: Conditions = None,
    model: ModelName = "gpt2",
    name: Name = "default",
    device: Device = "auto",
    as_json: Json = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print a table of comma-separated values and nothing else.")
    ] = False,
) -> None:
    """Show what a model writes in every state, edited or not."""
    if as_json and as_csv:
        raise both_given("--json and --csv exclude each other", "--json", "--csv")
    asked = wanted(condition, on)
    answers = _ask(name, model, asked, device)
    if as_csv:
        import pandas as pd

        frames = {each.board.model: each.board.to_frame() for each in answers}
        frame = pd.concat(frames, names=["model"]) if model == ALL else frames[answers[0].board.model]
        print(frame.to_csv(), end="")
        _say_notes(answers)
        return
    if as_json:
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
    """Return the answers of the chosen models under the interventions."""
    models = open_models(name, model, device)
    from playground.inference import not_learnt

    return [
        Answered(loaded.board(one.applied), loaded.checkpoint.cost, not_learnt(loaded.baseline), one.left_out)
        for loaded, one in zip(models, fit_all(asked, models), strict=True)
    ]
