"""`mechanism`: how a model computes its answers, as claims with certificates and all the evidence for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from loguru import logger
from rich.console import Console

from playground.cli.options import Conditions, Device, Json, ModelName, Name, On
from playground.cli.output.documents import not_applied, print_json, say_not_applied
from playground.cli.requests import ALL, fit_all, open_models, wanted
from playground.errors import RequestError, quote
from playground.places import check_writable, storage_error

if TYPE_CHECKING:
    from playground.cli.measuring import Findings

Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method", metavar="METHOD", help="One that takes long, too (repeat); a wrong name lists all."
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="SENDER>RECEIVER",
        help="What a part sends another directly, such as 'L0H1>L1.mlp' or 'L0H1>L1H2.k@newB' (repeat).",
    ),
]
Subspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--subspace",
        metavar="VARIABLE:ANSWER:SITE@TOKEN",
        help="Whether a few learnt directions stand for a variable, such as 'NOT D:newD:L0.resid@>newD' (repeat).",
    ),
]


def mechanism(
    model: ModelName = "gpt2",
    method: Methods = None,
    every: Annotated[
        bool, typer.Option("--all", help="Measure by all methods: minutes the first time, then it is kept.")
    ] = False,
    path: Paths = None,
    subspace: Subspaces = None,
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
    # Set before torch is imported: threads that spin while they wait slow down everything else on the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    asked = wanted(condition, on)
    models = open_models(name, model, device)
    from playground.analysis import METHODS, method_called
    from playground.cli.measuring import find_mechanism

    named = [method_called(each) for each in method or []]
    paths = [_split_path(each) for each in path or []]
    subspaces = [_split_subspace(each) for each in subspace or []]
    if report is not None:
        _check_report(report)
    chosen = bool(named or paths or subspaces)
    every = every or (as_json and not chosen)
    methods = [each for each in METHODS.values() if every or each in named or not (each.is_long or chosen)]
    kept = every or report is not None or not as_json
    fits = fit_all(asked, models)
    found = [
        find_mechanism(loaded, fit.applied, methods, paths, subspaces, kept=kept)
        for loaded, fit in zip(models, fits, strict=True)
    ]
    if report is not None:
        _write_report(report, found)
    if as_json:
        documents = [
            each.to_json() | not_applied(fit.left_out) for each, fit in zip(found, fits, strict=True)
        ]
        print_json({"models": documents} if model == ALL else documents[0])
        return
    from playground.cli.output.mechanism_output import show_findings

    for each, fit in zip(found, fits, strict=True):
        show_findings(Console(), each, examples)
        say_not_applied(each.model.name, fit.left_out)


def _split_path(text: str) -> tuple[str, str, str]:
    """Return sender, receiver and positions."""
    ends, at, positions = text.partition("@")
    sender, _, receiver = ends.partition(">")
    if not (sender and receiver):
        raise RequestError.of(
            where="--path",
            message="invalid path",
            expected="SENDER>RECEIVER, perhaps with @POSITIONS",
            got=quote(text),
            hint="Write it like 'L0H1>L1.mlp' or 'L0H1>L1H2.k@NAME', in quotes.",
        )
    return sender, receiver, at + positions


def _split_subspace(text: str) -> tuple[str, str, str, str]:
    """Return variable, answer, part and token."""
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


def _check_report(file: Path) -> None:
    """Check that a report can be written to a file, before anything is measured."""
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


def _write_report(file: Path, found: Sequence[Findings]) -> None:
    from playground.files import write_text
    from playground.report import Section, make_report

    sections = [Section(each.model, each.mechanism, each.steps, each.left) for each in found]
    write_text(file, make_report(sections))
    logger.info("{}: the report on {}", file, ", ".join(each.model.name for each in found))
