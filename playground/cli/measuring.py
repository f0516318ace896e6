"""The measurements for `mechanism`, and their progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from loguru import logger
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from playground.analysis import (
    METHODS,
    NOT_MEASURED,
    VERDICT_METHODS,
    Mechanism,
    Method,
    Path,
    Step,
    Store,
    Subspace,
    View,
    block_document,
    estimate_seconds,
    in_words,
    make_verdict,
    measure_path,
    measure_subspace,
    mechanism_document,
    store_of,
    to_document,
)
from playground.errors import RequestError, nearest, quote
from playground.inference import Model
from playground.interventions import Intervention
from playground.worlds import CausalVariable, causal_variables

SOME_MINUTES = 180
"""A method that takes more seconds than this is announced before it starts."""

S = TypeVar("S")


@dataclass(frozen=True)
class Findings:
    """A model's verdict and its evidence.

    Args:
        view: of the model and the interventions.
        mechanism: the verdict.
        steps: what was measured.
        left: what was not measured, and why.
        paths: the requested paths.
        subspaces: the requested subspaces.
    """

    view: View
    mechanism: Mechanism
    steps: Sequence[tuple[Method, Step]]
    left: Sequence[tuple[Method, str]]
    paths: Sequence[Path]
    subspaces: Sequence[Subspace]

    @property
    def model(self) -> Model:
        """The model, which stays as it is."""
        return self.view.model

    def to_json(self) -> dict[str, Any]:
        """Return all figures as a JSON document."""
        return mechanism_document(self.mechanism, self.model) | {
            "methods": {method.name: method.figures(step.result, self.model) for method, step in self.steps},
            "blocks": {
                method.name: [block_document(block) for block in method.present(step.result, self.view)]
                for method, step in self.steps
            },
            "left_out": {method.name: reason for method, reason in self.left},
            "paths": [
                {
                    "sender": each.sender,
                    "receiver": each.receiver,
                    "positions": list(each.positions),
                    "effect": dict(zip(each.answers, each.effect, strict=True)),
                }
                for each in self.paths
            ],
            "subspaces": to_document(self.subspaces),
        }


def find_mechanism(
    model: Model,
    interventions: tuple[Intervention, ...],
    methods: Sequence[Method],
    paths: Sequence[tuple[str, str, str]],
    subspaces: Sequence[tuple[str, str, str, str]],
    *,
    kept: bool,
) -> Findings:
    """Measure the evidence for the verdict on a model, and what else was requested.

    Args:
        model: stays as it is.
        interventions: in force throughout; all apply to the model.
        methods: further methods, besides those that the verdict rests on.
        paths: sender, receiver and positions of the requested paths.
        subspaces: variable, answer, part and token of the requested subspaces.
        kept: whether to load the saved results of other methods.

    Raises:
        RequestError: for a path or a subspace that the model does not have.
    """
    found_paths = [measure_path(model, *each, interventions) for each in paths]
    found_subspaces = [
        measure_subspace(model, _variable(name, model), answer, site, token, interventions)
        for name, answer, site, token in subspaces
    ]
    store = store_of(model, interventions)
    # First, so that the results below are complete for the methods that the verdict rests on.
    routes, tokens = (_measure(method, model, interventions, store) for method in VERDICT_METHODS)
    steps: list[tuple[Method, Step]] = []
    left: list[tuple[Method, str]] = []
    for method in METHODS.values():
        step, reason = None, method.unavailable_reason(model.network) or ""
        if not reason:
            try:
                if method in methods:
                    step = _measure(method, model, interventions, store)
                elif kept or method in VERDICT_METHODS:
                    step = method.load(model, interventions, store)
            except RequestError as error:
                # Concerns only this method: it cannot be measured under these interventions.
                reason = "; ".join(map(str, error.faults))
        if step is None:
            left.append((method, reason or NOT_MEASURED))
        else:
            steps.append((method, step))
    verdict = make_verdict(model.world, routes.result, tokens.result)
    return Findings(View(model, interventions), verdict, steps, left, found_paths, found_subspaces)


def last_of(
    steps: Iterator[S],
    label: str,
    progress: Callable[[S], tuple[int, int]],
    *,
    is_long: bool = True,
) -> S:
    """Return the last of a measurement's steps; a bar on standard error shows progress.

    Args:
        steps: at least one.
        label: of the bar.
        progress: returns, for a step, how much is measured and how much there is.
        is_long: whether it may take long; otherwise the bar is shown only on a terminal, and removed at the end.
    """
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not (is_long or console.is_terminal)
    with Progress(*columns, console=console, transient=not is_long, disable=hidden) as bar:
        task = bar.add_task(label, total=None)
        latest = None
        for latest in steps:
            done, total = progress(latest)
            bar.update(task, completed=done, total=total)
    assert latest is not None, "a measurement has a step"
    return latest


def _measure(method: Method, model: Model, interventions: tuple[Intervention, ...], store: Store) -> Step:
    known = method.load(model, interventions, store)
    if known is not None and known.done == known.of:
        return known
    _say_how_long(method, model)
    return last_of(
        method.run(model, interventions, store),
        f"{model.name}: {method.title.lower()}",
        lambda step: (step.done, step.of),
        is_long=method.is_long,
    )


def _say_how_long(method: Method, model: Model) -> None:
    """Announce how long a method will take, if that is some minutes."""
    seconds = estimate_seconds(method, model)
    if seconds is not None and seconds > SOME_MINUTES:
        logger.info(
            "{}: {} takes {} on {:,} states; what is measured until Ctrl-C is kept",
            model.name,
            method.title.lower(),
            in_words(seconds),
            len(model.world.states),
        )


def _variable(name: str, model: Model) -> CausalVariable:
    """Return a variable of the causal models, by its name."""
    variables = causal_variables(model.world)
    for variable in variables:
        if variable.name == name:
            return variable
    raise RequestError.of(
        where="--subspace",
        message="unknown variable",
        expected=nearest(name, [each.name for each in variables]),
        got=quote(name),
        hint="A recomputed output is named by its formula.",
    )
