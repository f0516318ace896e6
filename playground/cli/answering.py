"""`test` and `board`: what models write, under interventions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from loguru import logger
from rich.console import Console

from playground.cli.streams import is_unicode
from playground.errors import Fault, RequestError, quote
from playground.files import dump_json
from playground.limits import check_number_with_conditions
from playground.startup import many_imports

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int, UInt8

    from playground.datasets import Template
    from playground.inference import Board, Model
    from playground.interventions import Fit, Intervention
    from playground.models import Cost

ALL = "all"
Form = Literal["words", "json", "csv"]


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


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """Return the form in which an answer is wanted.

    Raises:
        RequestError: for two at once.
    """
    if as_json and as_csv:
        raise RequestError(
            Fault(
                rule="an answer has one form",
                expected="one of --json and --csv",
                got="both",
                hint="Leave one of them out.",
            )
        )
    return "json" if as_json else "csv" if as_csv else "words"


def wanted(conditions: list[str] | None, on: list[str] | None) -> tuple[Intervention, ...]:
    """Return the interventions that are asked for: those of named conditions, then those of `--on`.

    Raises:
        RequestError: for a condition that is not there, a text that is no intervention, or too many.
    """
    if not conditions and not on:
        return ()
    check_number_with_conditions(conditions or [], on or [])
    with many_imports():
        from playground.interventions import find_conditions, parse_all

    named = [text for each in find_conditions(conditions or []) for text in each.interventions]
    return parse_all(";".join([*named, *(on or [])]))


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
        from playground.cli.display import show_answer

        show_answer(Console(), [each.board for each in answers], index)
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


def judgement_document(
    template: Template, as_written: Int[np.ndarray, " token"], judged: UInt8[np.ndarray, " token"]
) -> dict[str, list[str | None]]:
    """Return how tokens stand to the rules, as it stands in a document.

    Args:
        template: of the text.
        as_written: token ids of what would be right as written, see `truth_as_written`.
        judged: places in `JUDGEMENTS`.
    """
    from playground.datasets import JUDGEMENTS, NOT_JUDGED

    return {
        "truth_as_written": [None if i == NOT_JUDGED else template.vocabulary[i] for i in as_written],
        "judgements": [str(JUDGEMENTS[place]) for place in judged],
    }


def not_applied(left_out: tuple[Intervention, ...]) -> dict[str, list[str]]:
    """Return what stands in a document of a model that could not be asked everything; else nothing."""
    return {"not_applied": [str(each) for each in left_out]} if left_out else {}


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
    from playground.cli.display import show_board, show_legend, show_scores

    for each in answers:
        show_board(Console(), each.board)
    show_legend(Console())
    show_scores(Console(), [(each.board, each.cost) for each in answers])
    _say_notes(answers)


def _say_notes(answers: list[Answered]) -> None:
    for each in answers:
        if each.unlearnt:
            logger.warning("{}", each.unlearnt)
        say_not_applied(each.board.model, each.not_applied)


def say_not_applied(model: str, interventions: tuple[Intervention, ...]) -> None:
    """Say on standard error which interventions mean nothing to a model."""
    for intervention in interventions:
        logger.warning("{}: not applied, {} has no such part", intervention, model)


def _ask(name: str, model: str, asked: tuple[Intervention, ...], device: str) -> list[Answered]:
    """Return what the wanted models answer under the interventions."""
    models = open_models(name, model, device)
    from playground.inference import not_learnt

    return [
        Answered(loaded.board(one.applied), loaded.checkpoint.cost, not_learnt(loaded.baseline), one.left_out)
        for loaded, one in zip(models, fit_all(asked, models), strict=True)
    ]


def fit_all(asked: tuple[Intervention, ...], models: list[Model], given: int | None = None) -> list[Fit]:
    """Return for each model what it can be asked.

    Args:
        asked: what is asked for.
        models: of which each is asked what it can be.
        given: how many tokens of a text are given; those of the prompt unless said.

    Raises:
        RequestError: for what none of them can be asked.
    """
    fits = [loaded.fit(asked, given) for loaded in models]
    nowhere = [each for each in asked if all(each in one.left_out for one in fits)]
    if nowhere:
        raise RequestError(*_faults_of(nowhere, fits, models))
    return fits


def _faults_of(interventions: list[Intervention], fits: list[Fit], models: list[Model]) -> list[Fault]:
    """Return what is wrong, each once: a position is wrong for all models alike, a site for each in its way."""
    texts = {str(each) for each in interventions}
    found: dict[Fault, list[str]] = {}
    for loaded, one in zip(models, fits, strict=True):
        for fault in one.faults:
            if fault.where in texts:
                found.setdefault(fault, []).append(loaded.name)
    return [
        replace(fault, rule=f"{fault.rule} (here {', '.join(names)})") if len(names) < len(models) else fault
        for fault, names in found.items()
    ]


def open_models(name: str, model: str, device: str) -> list[Model]:
    """Return the model of that name and run, or all of the name.

    Raises:
        RequestError: if there is none, or if its files are damaged.
    """
    with many_imports():
        from playground.inference import load_model, load_models
        from playground.models import ARCHITECTURES, is_run_name

    if model == ALL:
        return load_models(name, device)
    if not is_run_name(model):
        raise RequestError(
            Fault(
                rule="a model is named by its architecture, its seed if that is not 0, and a step of its training",
                expected=f"{', '.join(ARCHITECTURES)}, one of them such as gpt2@5 or gpt2:400, or {ALL}",
                got=quote(model),
                hint="Leave --model out for the default.",
            )
        )
    return [load_model(name, model, device)]


def one_model(model: str) -> None:
    """Do nothing if one model is named.

    Raises:
        RequestError: for all.
    """
    if model == ALL:
        raise RequestError(
            Fault(
                rule="this is asked of one model",
                expected="one architecture",
                got=f"--model {model}",
                hint="Parts of different models have different names: ask one after the other.",
            )
        )


def print_json(document: object) -> None:
    """Print one JSON document to standard output; what is no number is null in it.

    Characters that standard output does not take are written as their numbers.
    """
    print(dump_json(document, indent=2, ascii_only=not is_unicode(sys.stdout)))
