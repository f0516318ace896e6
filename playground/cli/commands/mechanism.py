"""`mechanism`: how a model comes to its answers, as claims with certificates and with all that stands behind them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console

from playground.cli.options import Conditions, Device, Json, Name, On
from playground.cli.output.documents import not_applied, print_json, say_not_applied
from playground.cli.requests import ALL, fit_all, open_models, wanted
from playground.errors import RequestError, nearest, quote
from playground.places import check_writable, storage_error

if TYPE_CHECKING:
    from playground.analysis import Mechanism, Method, Step
    from playground.inference import Model
    from playground.interventions import Intervention
    from playground.worlds import CausalVariable

SOME_MINUTES = 180
"""Seconds that a method may take without its being said before."""


def mechanism(
    model: Annotated[str, typer.Option("--model", help="One architecture, or all.")] = "gpt2",
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="METHOD", help="One that takes long, too (repeat); a wrong name lists all."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Measure by all methods: minutes the first time, then it is kept.")
    ] = False,
    path: Annotated[
        list[str] | None,
        typer.Option(
            "--path",
            metavar="SENDER>RECEIVER",
            help="What a part sends another directly, such as 'L0H1>L1.mlp' or 'L0H1>L1H2.k@newB' (repeat).",
        ),
    ] = None,
    subspace: Annotated[
        list[str] | None,
        typer.Option(
            "--subspace",
            metavar="VARIABLE:ANSWER:SITE@TOKEN",
            help="Whether a few learnt directions stand for a variable, such as 'NOT D:newD:L0.resid@>newD' (repeat).",
        ),
    ] = None,
    on: On = None,
    condition: Conditions = None,
    name: Name = "default",
    examples: Annotated[int, typer.Option(min=0, help="How many counterexamples of a claim are shown.")] = 3,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write all of it as a page that opens offline.")
    ] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Find out how a model computes: is an answer read from what it wrote, or recomputed from the inputs?

    --method, --path and --subspace say what is measured beside the verdict; without them it is what takes seconds, and
    with --json everything. What was measured is kept in cache/.
    """
    # Before torch is imported: threads that spin while they wait keep whoever shares the cores from working.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    asked = wanted(condition, on)
    models = open_models(name, model, device)
    from playground.analysis import METHODS, method_called

    named = [method_called(each) for each in method or []]
    paths = [_split_path(each) for each in path or []]
    subspaces = [_split_subspace(each) for each in subspace or []]
    if report is not None:
        _check_report(report)
    chosen = [*named, *paths, *subspaces]
    fits = fit_all(asked, models)
    found = [
        _Measured(
            loaded,
            one.applied,
            _wanted(
                tuple(METHODS.values()), named, every or (as_json and not chosen), nothing_else=bool(chosen)
            ),
            paths,
            subspaces,
            kept=report is not None or every or not (as_json and chosen),
        )
        for loaded, one in zip(models, fits, strict=True)
    ]
    if report is not None:
        _write_report(report, found)
    if as_json:
        documents = [
            each.document() | not_applied(one.left_out) for each, one in zip(found, fits, strict=True)
        ]
        print_json({"models": documents} if model == ALL else documents[0])
        return
    from playground.analysis import path_blocks, subspace_blocks
    from playground.cli.output.blocks import print_blocks
    from playground.cli.output.mechanism_output import show_findings, show_mechanism

    for each, one in zip(found, fits, strict=True):
        show_mechanism(Console(), each.model, each.mechanism, examples)
        show_findings(Console(), each.view, each.steps, each.left)
        for one_path in each.paths:
            print_blocks(Console(), path_blocks(one_path, each.view))
        print_blocks(Console(), subspace_blocks(each.subspaces))
        say_not_applied(each.model.name, one.left_out)


class _Measured:
    """A model's verdict and what stands behind it.

    Args:
        model: stays as it is.
        interventions: that stay in force; all fit it.
        methods: by which it is measured, beside those that the verdict rests on.
        paths: sender, receiver and positions of those that are asked for.
        subspaces: variable, answer, part and token of those that are asked for.
        kept: whether what is kept of other methods is taken.
    """

    def __init__(
        self,
        model: Model,
        interventions: tuple[Intervention, ...],
        methods: Sequence[Method],
        paths: Sequence[tuple[str, str, str]],
        subspaces: Sequence[tuple[str, str, str, str]],
        *,
        kept: bool,
    ) -> None:
        from playground.analysis import (
            METHODS,
            NOT_MEASURED,
            VERDICT_METHODS,
            View,
            make_verdict,
            measure_path,
            measure_subspace,
            store_of,
        )

        self.paths = [measure_path(model, *each, interventions) for each in paths]
        self.subspaces = [
            measure_subspace(model, _variable(name, model), answer, site, token, interventions)
            for name, answer, site, token in subspaces
        ]

        store = store_of(model, interventions)
        self.model, self.view = model, View(model, interventions)
        # First, so that nothing of what it rests on is half measured below.
        routes, tokens = (_measure(method, model, interventions, store) for method in VERDICT_METHODS)
        self.mechanism: Mechanism = make_verdict(model.world, routes.result, tokens.result)
        self.steps: list[tuple[Method, Step]] = []
        self.left: list[tuple[Method, str]] = []
        for method in METHODS.values():
            lack = method.unavailable_reason(model.network)
            if lack:
                self.left.append((method, lack))
                continue
            try:
                step = (
                    _measure(method, model, interventions, store)
                    if method in methods
                    else method.load(model, interventions, store)
                    if kept or method in VERDICT_METHODS
                    else None
                )
            except RequestError as error:
                # Of this method alone: it cannot be asked under these interventions.
                self.left.append((method, "; ".join(map(str, error.faults))))
                continue
            if step is None:
                self.left.append((method, NOT_MEASURED))
            else:
                self.steps.append((method, step))

    def document(self) -> dict[str, Any]:
        """Return all figures as a JSON document."""
        from playground.analysis import block_document, mechanism_document, to_document

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


def _split_path(text: str) -> tuple[str, str, str]:
    """Return sender, receiver and positions.

    Raises:
        RequestError: if the text is not of that form.
    """
    ends, at, positions = text.partition("@")
    sender, arrow, receiver = ends.partition(">")
    if not (sender and arrow and receiver):
        raise RequestError.of(
            where="--path",
            message="invalid path",
            expected="SENDER>RECEIVER, perhaps with @POSITIONS",
            got=quote(text),
            hint="Write it like 'L0H1>L1.mlp' or 'L0H1>L1H2.k@NAME', in quotes.",
        )
    return sender, receiver, at + positions


def _split_subspace(text: str) -> tuple[str, str, str, str]:
    """Return variable, answer, part and token.

    Raises:
        RequestError: if the text is not of that form.
    """
    variable, answer, place, *_ = *text.split(":"), "", ""
    site, _, token = place.partition("@")
    if not (variable and answer and site and token):
        raise RequestError.of(
            where="--subspace",
            message="invalid subspace",
            expected="VARIABLE:ANSWER:SITE@TOKEN",
            got=quote(text),
            hint="A site and its token are such as L0.resid@>ANSWER; put all of it in quotes.",
        )
    return variable, answer, site, token


def _variable(name: str, model: Model) -> CausalVariable:
    """Return a variable of the causal models by its name.

    Raises:
        RequestError: if there is none of that name.
    """
    from playground.worlds import causal_variables

    variables = causal_variables(model.world)
    for variable in variables:
        if variable.name == name:
            return variable
    raise RequestError.of(
        where="--subspace",
        message="unknown variable",
        expected=nearest(name, [each.name for each in variables]),
        got=quote(name),
        hint="What an output is computed by has the name of its formula.",
    )


def _wanted(
    methods: Sequence[Method], named: Sequence[Method], every: bool, *, nothing_else: bool
) -> list[Method]:
    """Return the methods by which is measured.

    Args:
        methods: all there are.
        named: those that are asked for by name.
        every: whether all are asked for.
        nothing_else: whether what is named is all that is asked for; if not, those that take seconds are, too.
    """
    if every:
        return list(methods)
    return [method for method in methods if method in named or not (method.is_long or nothing_else)]


def _measure(method: Method, model: Model, interventions: tuple[Intervention, ...], store: Any) -> Step:
    """Return the last of a method's steps; a bar on standard error says how far it is, of what takes seconds on a terminal alone."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    known = method.load(model, interventions, store)
    if known is not None and known.done == known.of:
        return known
    steps = method.run(model, interventions, store)
    _say_how_long(method, model)
    console = Console(file=sys.stderr)
    # What takes seconds leaves nothing behind.
    bar = Progress(
        *columns,
        console=console,
        transient=not method.is_long,
        disable=not (method.is_long or console.is_terminal),
    )
    with bar:
        task = bar.add_task(f"{model.name}: {method.title.lower()}", total=None)
        latest = next(steps)
        bar.update(task, completed=latest.done, total=latest.of)
        for latest in steps:
            bar.update(task, completed=latest.done, total=latest.of)
    return latest


def _say_how_long(method: Method, model: Model) -> None:
    """Say before it begins how long a method will take, if that is some minutes."""
    from playground.analysis import estimate_seconds, in_words

    seconds = estimate_seconds(method, model)
    if seconds is not None and seconds > SOME_MINUTES:
        logger.info(
            "{}: {} takes {} on {:,} states; what is measured until Ctrl-C is kept",
            model.name,
            method.title.lower(),
            in_words(seconds),
            len(model.world.states),
        )


def _check_report(file: Path) -> None:
    """Do nothing if a report can be written to a file: not to be found out once all is measured.

    Raises:
        RequestError: if it cannot.
    """
    if file.suffix.lower() not in (".html", ".htm") or not file.parent.is_dir():
        raise RequestError.of(
            where="--report",
            message="the report needs an .html file in an existing folder",
            expected="FILE.html",
            got=quote(str(file)),
            hint="Write --report report.html.",
        )
    try:
        check_writable(file)
    except OSError as error:
        raise storage_error(error, file) from error


def _write_report(file: Path, found: Sequence[_Measured]) -> None:
    from playground.files import write_text
    from playground.report import Section, make_report

    sections = [Section(each.model, each.mechanism, tuple(each.steps), tuple(each.left)) for each in found]
    write_text(file, make_report(sections))
    logger.info("{}: the report on {}", file, ", ".join(each.model.name for each in found))
