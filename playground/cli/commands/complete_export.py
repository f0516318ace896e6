"""`complete` and `export`: how models continue any text, and what they compute, written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console

from playground.cli.options import Conditions, Device, Json, ModelName, Name, On, OneModel
from playground.cli.output.documents import judgement_document, not_applied, print_json, say_not_applied
from playground.cli.requests import fit_all, one_model, open_models, wanted
from playground.startup import many_imports

if TYPE_CHECKING:
    from playground.datasets import Template
    from playground.inference import Completion

LINE_BREAK = "\\n"
"""The two characters that stand for a line break where one is hard to type."""


def complete(
    text: Annotated[
        str, typer.Argument(help=r"The beginning of a sample, right or wrong: '0,1,1,1,0\n1,1'.")
    ],
    on: On = None,
    condition: Conditions = None,
    model: ModelName = "all",
    name: Name = "default",
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """See how the models go on with any text, also with a wrong one."""
    asked = wanted(condition, on)
    models = open_models(name, model, device)
    from playground.inference import complete as go_on

    template = models[0].template
    text = text.replace(LINE_BREAK, "\n")
    given = len(template.encode(text))
    fits = fit_all(asked, models, given)
    continued = [go_on(loaded, text, fit.applied) for loaded, fit in zip(models, fits, strict=True)]
    left_out = [fit.left_out for fit in fits]
    if as_json:
        document = {
            "text": text,
            "given": given,
            "interventions": [str(each) for each in asked],
            "models": {
                each.model: _document(each, template) | not_applied(missing)
                for each, missing in zip(continued, left_out, strict=True)
            },
            "truth": continued[0].truth,
        }
        print_json(document)
        return
    from playground.cli.output.display import show_completions

    show_completions(Console(), continued, template)
    for each, missing in zip(continued, left_out, strict=True):
        say_not_applied(each.model, missing)


def _document(continued: Completion, template: Template) -> dict[str, Any]:
    behind = slice(continued.given, None)
    written = continued.tokens[behind]
    document = {
        "completion": template.decode(written),
        "tokens": [template.vocabulary[index] for index in written],
        "probabilities": continued.probability[behind].tolist(),
        "correct_as_written": continued.correct_as_written,
    }
    if continued.truth_as_written is None or continued.judged is None:
        return document | {"truth_as_written": None, "judgements": None}
    return document | judgement_document(
        template, continued.truth_as_written[behind], continued.judged[behind]
    )


def export(
    site: Annotated[str, typer.Argument(help="Such as L2.resid, L1H2, L2.mlp[:], L1.pattern, L0.h, memory.")],
    file: Annotated[Path, typer.Argument(help="FILE.npz (NumPy) or FILE.safetensors.")],
    state: Annotated[str | None, typer.Option(help="One state, such as 0,1,1,1,0; all unless said.")] = None,
    on: On = None,
    condition: Conditions = None,
    model: OneModel = "gpt2",
    name: Name = "default",
    device: Device = "auto",
) -> None:
    """Write what a part of a model computes to a file, with a name for every axis."""
    one_model(model)
    asked = wanted(condition, on)
    with many_imports():
        from playground.inference import check_file, measure_activation, write_activation

    check_file(file)
    [loaded] = open_models(name, model, device)
    activation = measure_activation(loaded, site, asked, state)
    write_activation(activation, file)
    axes = " × ".join(
        f"{axis} {count}" for axis, count in zip(activation.axes, activation.values.shape, strict=True)
    )
    logger.info("{}: {} of {}, {}", file, activation.site, activation.model, axes)
