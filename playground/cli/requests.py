"""Shared by the commands that run models: which models, under which interventions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from playground.errors import Fault, RequestError, quote
from playground.limits import check_number_with_conditions
from playground.startup import many_imports

if TYPE_CHECKING:
    from playground.inference import Model
    from playground.interventions import Fit, Intervention

ALL = "all"


def wanted(conditions: list[str] | None, on: list[str] | None) -> tuple[Intervention, ...]:
    """Return the requested interventions: those of named conditions, then those of `--on`.

    Raises:
        RequestError: for an unknown condition, a text that is no intervention, or too many interventions.
    """
    if not conditions and not on:
        return ()
    check_number_with_conditions(conditions or [], on or [])
    with many_imports():
        from playground.interventions import find_conditions, parse_all

    named = [text for each in find_conditions(conditions or []) for text in each.interventions]
    return parse_all(";".join([*named, *(on or [])]))


def fit_all(asked: tuple[Intervention, ...], models: list[Model], given: int | None = None) -> list[Fit]:
    """Return for each model which interventions apply to it.

    Args:
        asked: the requested interventions.
        models: the models.
        given: how many tokens of a text are given; by default those of the prompt.

    Raises:
        RequestError: for interventions that apply to none of them.
    """
    fits = [loaded.fit(asked, given) for loaded in models]
    nowhere = [each for each in asked if all(each in one.left_out for one in fits)]
    if nowhere:
        raise RequestError(*_faults_of(nowhere, fits, models))
    return fits


def _faults_of(interventions: list[Intervention], fits: list[Fit], models: list[Model]) -> list[Fault]:
    """Return each fault once: a wrong position is the same for all models, a wrong site differs between them."""
    texts = {str(each) for each in interventions}
    found: dict[Fault, list[str]] = {}
    for loaded, one in zip(models, fits, strict=True):
        for fault in one.faults:
            if fault.where in texts:
                found.setdefault(fault, []).append(loaded.name)
    return [
        replace(fault, message=f"{fault.message} (here {', '.join(names)})")
        if len(names) < len(models)
        else fault
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
        raise RequestError.of(
            message="invalid model name",
            expected=f"{', '.join(ARCHITECTURES)}, one of them such as gpt2@5 or gpt2:400, or {ALL}",
            got=quote(model),
            hint="Leave --model out for the default.",
        )
    return [load_model(name, model, device)]


def both_given(message: str, one: str, other: str) -> RequestError:
    """Return the error for two options that exclude each other."""
    return RequestError.of(
        message=message,
        expected=f"one of {one} and {other}",
        got="both",
        hint="Leave one of them out.",
    )


def one_model(model: str) -> None:
    """Check that a single model is named.

    Raises:
        RequestError: for `all`.
    """
    if model == ALL:
        raise RequestError.of(
            message="choose one model",
            expected="one architecture",
            got=f"--model {model}",
            hint="Parts of different models have different names: run the command once for each model.",
        )
