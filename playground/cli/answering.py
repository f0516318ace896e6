"""`test` and `board`: what models write, under interventions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console

from playground.errors import Fault, RequestError, quote
from playground.startup import many_imports

if TYPE_CHECKING:
    from playground.inference import Board, Model

ALL = "all"


def answer(*, state: str, name: str, model: str, on: list[str], device: str, as_json: bool) -> None:
    """Print what the rules and the models say in one state.

    Raises:
        RequestError: for a state, model or intervention that is not right.
    """
    boards = _boards(name, model, on, device)
    world, template = boards[0].dataset.world, boards[0].template
    index = world.states.index(world.parse_state(state))
    if not as_json:
        from playground.cli.display import show_answer

        show_answer(Console(), boards, index)
        return
    document = {
        "prompt": state,
        "truth": template.completion(world.states[index]),
        "held_out": bool(boards[0].held_out[index]),
        "interventions": [str(intervention) for intervention in boards[0].interventions],
        "models": {
            board.model: {
                "completion": board.completion(index),
                "correct": bool(board.correct[index]),
                "tokens": [template.vocabulary[i] for i in board.tokens[index, template.prompt_length :]],
                "probabilities": board.token_probability[index, template.prompt_length :].tolist(),
            }
            for board in boards
        },
    }
    _print_json(document)


def board(*, name: str, model: str, on: list[str], device: str, as_json: bool) -> None:
    """Print what a model writes in every state.

    Raises:
        RequestError: for a model or intervention that is not right.
    """
    boards = _boards(name, model, on, device)
    if as_json:
        documents = [board.to_json() for board in boards]
        _print_json({"boards": documents} if model == ALL else documents[0])
        return
    from playground.cli.display import show_board

    for shown in boards:
        show_board(Console(), shown)


def _boards(name: str, model: str, on: list[str], device: str) -> list[Board]:
    models = _models(name, model, device)
    return [loaded.board(";".join(on)) for loaded in models]


def _models(name: str, model: str, device: str) -> list[Model]:
    with many_imports():
        from playground.inference import load_model
        from playground.models import ARCHITECTURES, is_run_name

    if model != ALL and not is_run_name(model):
        raise RequestError(
            Fault(
                rule="a model is named by its architecture, and its seed if that is not 0",
                expected=f"{' or '.join(ARCHITECTURES)}, {ARCHITECTURES[0]}@5, or {ALL}",
                got=quote(model),
                hint="Leave --model out for the default.",
            )
        )
    return [load_model(name, run, device) for run in (ARCHITECTURES if model == ALL else (model,))]


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
