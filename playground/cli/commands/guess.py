"""`guess`: whether a hold-out will be any evidence, before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from playground.cli.commands.generate import HoldOut, open_world
from playground.cli.options import Json, Omit, OmitHardest, OmitRandom, OmitSeed, WorldAsked
from playground.cli.output.documents import print_json
from playground.cli.requests import both_given
from playground.errors import RequestError, nearest, quote
from playground.files import folders_to_read, names_in_use, read_json
from playground.seeds import read_seed
from playground.worlds import state_text

if TYPE_CHECKING:
    from playground.datasets import ConsistentFormulas, DatasetSpec, Guesses


def guess(
    omit: Omit = None,
    omit_random: OmitRandom = None,
    omit_hardest: OmitHardest = None,
    seed: OmitSeed = "0",
    world: WorldAsked = None,
    name: Annotated[
        str | None, typer.Option(help="A dataset: its world, and what it holds out unless that is said.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Look at formulas of up to N names; unless said, as many as go fast."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what guessing gets right of held-out states: simple predictors, and small formulas that fit the seen ones."""
    hold_out = HoldOut(
        omit=omit, omit_random=omit_random, omit_hardest=omit_hardest, seed=read_seed(seed, "--seed")
    )
    spec = _wanted(world, name, hold_out)
    from playground.datasets import find_consistent_formulas
    from playground.datasets import guess as ask

    guesses, formulas = ask(spec), find_consistent_formulas(spec, size)
    if as_json:
        print_json(_document(guesses, formulas))
        return
    from playground.cli.output.predictors import show_guesses

    show_guesses(Console(), guesses, formulas)


def _wanted(asked: str | None, name: str | None, hold_out: HoldOut) -> DatasetSpec:
    """Return the requested world and hold-out."""
    from playground.datasets import SHIPPED_HOLD_OUT, DatasetSpec, parse_hold_out

    if asked is not None and name is not None:
        raise both_given("choose one world", "--world", "--name")
    if name is not None:
        spec = _dataset(name)
        return spec.holding_out(hold_out.states(spec.world)) if hold_out.given else spec
    world = open_world(asked)
    if asked is None and not hold_out.given:
        return DatasetSpec(world=world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, world))
    return DatasetSpec(world=world, held_out=hold_out.states(world))


def _dataset(name: str) -> DatasetSpec:
    """Return the specification of a dataset."""
    from playground.datasets import DatasetSpec

    for folder in folders_to_read("data", name):
        if folder.exists():
            path = folder / "dataset.json"
            return DatasetSpec.from_json(read_json(path), str(path))
    raise RequestError.of(
        message="there is no such dataset",
        expected=nearest(name, names_in_use("data")),
        got=quote(name),
        hint="Without --name it is the default world with the shipped hold-out; --world asks about any rules.",
    )


def _document(guesses: Guesses, formulas: ConsistentFormulas) -> dict[str, Any]:
    from playground.datasets import never_seen, undetermined

    spec = guesses.spec
    return {
        "world": spec.world.text,
        "held_out": [state_text(state) for state in spec.held_out],
        "seen": len(spec.world.states) - len(spec.held_out),
        "undetermined": [vars(each) for each in undetermined(spec.world, spec.held_out)],
        "never_seen": list(never_seen(spec.world, spec.held_out)),
        "guessing": guesses.to_json(),
        "predictors": [each.to_json() for each in guesses.guesses],
        "formulas": formulas.to_json(),
    }
