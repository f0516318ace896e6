"""`atlas`: the number of states whose text breaks if rows, columns or single numbers of a weight are flipped."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from playground.cli.options import Device, Json, Name, OneModel
from playground.cli.output.documents import print_json
from playground.cli.requests import one_model, open_models
from playground.errors import RequestError, quote

if TYPE_CHECKING:
    from playground.analysis import Atlas, By
    from playground.models import Site

UNITS = {"rows": "row", "columns": "column", "blocks": "head or tap", "weights": "number"}


def atlas(
    weight: Annotated[
        str, typer.Argument(help="Such as L0.mlp.W_in, L1H2.W_Q, L0.weight_ih, L0.conv.weight.")
    ],
    by: Annotated[
        str | None,
        typer.Option(
            help="What is flipped at a time: rows (unless said), columns, weights (every number), or, of a weight "
            "with three axes, blocks (heads, taps)."
        ),
    ] = None,
    model: OneModel = "gpt2",
    name: Name = "default",
    top: Annotated[
        int, typer.Option(min=1, help="How many are listed, those with which most breaks first.")
    ] = 20,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """See which parts of a weight are fragile: how many states break if one is flipped, for all of them."""
    # Set before torch is imported: threads that spin while they wait slow down everything else on the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    one_model(model)
    wanted = _way(by)
    [loaded] = open_models(name, model, device)
    from playground.analysis import flip_atlas
    from playground.cli.measuring import last_of

    steps = flip_atlas(loaded, _site(weight), wanted)
    measured = last_of(steps, loaded.name, lambda atlas: atlas.progress)
    if as_json:
        print_json(_document(measured))
    else:
        _show(Console(), measured, top)


def _way(by: str | None) -> By | None:
    match by:
        case None | "rows" | "columns" | "blocks" | "weights":
            return by
    raise RequestError.of(
        message="this weight cannot be flipped that way",
        expected=" or ".join(UNITS),
        got=quote(by),
        hint="Leave --by out for rows.",
    )


def _site(weight: str) -> Site:
    from playground.interventions import Flip, parse

    flip = parse(f"flip:{weight}")
    if isinstance(flip, Flip) and flip == Flip(flip.site):
        return flip.site
    raise RequestError.of(
        message="an atlas covers a whole weight",
        expected="its name, as in L0.mlp.W_in",
        got=quote(weight),
        hint="Leave out all else.",
    )


def _document(measured: Atlas) -> dict[str, Any]:
    margin = measured.margin.astype(object)
    margin[~(measured.margin < math.inf)] = None
    return {
        "model": measured.model,
        "weight": str(measured.weight),
        "by": measured.by,
        "states": measured.states,
        "broken": measured.broken.tolist(),
        "margin": margin.tolist(),
    }


def _show(console: Console, measured: Atlas, top: int) -> None:
    from playground.cli.output.tables import make_table, print_table

    shape = " × ".join(map(str, measured.shape))
    console.print(f"{measured.model}, {measured.weight} ({shape}), each {UNITS[measured.by]} flipped alone")
    console.print(
        f"{measured.states} states are right and can break; smallest margin {measured.baseline:.2f} logits"
    )
    counts = measured.broken
    console.print(
        f"something breaks with {int((counts > 0).sum())} of {counts.size}, everything with "
        f"{int((counts == measured.states).sum()) if measured.states else 0}"
    )
    table = make_table(None, ["flipped"], ["states that break", "smallest margin left"])
    for index in measured.fragile(top):
        table.add_row(str(measured.part(*index)), f"{counts[index]}", f"{measured.margin[index]:.2f}")
    print_table(console, table)
