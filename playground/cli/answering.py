"""`test` and `board`: what models write, under interventions."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from loguru import logger
from rich.console import Console

from playground.errors import Fault, RequestError, quote
from playground.startup import many_imports

if TYPE_CHECKING:
    from playground.inference import Board, Model
    from playground.interventions import Intervention
    from playground.models import Cost

ALL = "all"


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


def answer(*, state: str, name: str, model: str, on: list[str], device: str, as_json: bool) -> None:
    """Print what the rules and the models say in one state.

    Raises:
        RequestError: for a state, model or intervention that is not right.
    """
    answers, asked = _ask(name, model, on, device)
    first = answers[0].board
    world, template = first.dataset.world, first.template
    index = world.states.index(world.parse_state(state))
    if not as_json:
        from playground.cli.display import show_answer

        show_answer(Console(), [each.board for each in answers], index)
        _say_notes(answers)
        return
    document = {
        "prompt": state,
        "truth": template.completion(world.states[index]),
        "held_out": bool(first.held_out[index]),
        "interventions": [str(intervention) for intervention in asked],
        "models": {each.board.model: _answer_of(each, index) for each in answers},
    }
    _print_json(document)


def _answer_of(answered: Answered, state: int) -> dict[str, Any]:
    board, template = answered.board, answered.board.template
    document = {
        "completion": board.completion(state),
        "correct": bool(board.correct[state]),
        "tokens": [template.vocabulary[i] for i in board.tokens[state, template.prompt_length :]],
        "probabilities": board.token_probability[state, template.prompt_length :].tolist(),
    }
    return document | _not_applied(answered)


def _not_applied(answered: Answered) -> dict[str, list[str]]:
    """Return what stands in a document of a model that could not be asked everything; else nothing."""
    return {"not_applied": [str(each) for each in answered.not_applied]} if answered.not_applied else {}


def board(*, name: str, model: str, on: list[str], device: str, as_json: bool) -> None:
    """Print what a model writes in every state.

    Raises:
        RequestError: for a model or intervention that is not right.
    """
    answers, _ = _ask(name, model, on, device)
    if as_json:
        documents = [
            each.board.to_json() | {"spent": each.cost.to_json()} | _not_applied(each) for each in answers
        ]
        _print_json({"boards": documents} if model == ALL else documents[0])
        return
    from playground.cli.display import show_board, show_scores

    for each in answers:
        show_board(Console(), each.board)
    show_scores(Console(), [(each.board, each.cost) for each in answers])
    _say_notes(answers)


def _say_notes(answers: list[Answered]) -> None:
    for each in answers:
        if each.unlearnt:
            logger.warning("{}", each.unlearnt)
        for intervention in each.not_applied:
            logger.warning("{}: not applied, {} has no such part", intervention, each.board.model)


def _ask(
    name: str, model: str, on: list[str], device: str
) -> tuple[list[Answered], tuple[Intervention, ...]]:
    """Return what the wanted models answer under the interventions, and these.

    Of several models each is asked what it can be; what none of them can be asked is an error.
    """
    models = _models(name, model, device)
    from playground.inference import not_learnt
    from playground.interventions import parse_all

    asked = parse_all(";".join(on))
    fits = [loaded.fit(asked) for loaded in models]
    nowhere = [each for each in asked if all(each in one.left_out for one in fits)]
    if nowhere:
        raise RequestError(*_faults_of(nowhere, models))
    answers = [
        Answered(loaded.board(one.applied), loaded.checkpoint.cost, not_learnt(loaded.baseline), one.left_out)
        for loaded, one in zip(models, fits, strict=True)
    ]
    return answers, asked


def _faults_of(interventions: list[Intervention], models: list[Model]) -> list[Fault]:
    """Return what is wrong, each once: a position is wrong for all models alike, a site for each in its way."""
    found: dict[Fault, list[str]] = {}
    for each in interventions:
        for loaded in models:
            for fault in loaded.fit([each]).faults:
                found.setdefault(fault, []).append(loaded.name)
    return [
        replace(fault, rule=f"{fault.rule} (here {', '.join(names)})") if len(names) < len(models) else fault
        for fault, names in found.items()
    ]


def _models(name: str, model: str, device: str) -> list[Model]:
    with many_imports():
        from playground.inference import load_model, load_models
        from playground.models import ARCHITECTURES, is_run_name

    if model == ALL:
        return load_models(name, device)
    if not is_run_name(model):
        raise RequestError(
            Fault(
                rule="a model is named by its architecture, and its seed if that is not 0",
                expected=f"{', '.join(ARCHITECTURES)}, one of them with a seed such as gpt2@5, or {ALL}",
                got=quote(model),
                hint="Leave --model out for the default.",
            )
        )
    return [load_model(name, model, device)]


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
