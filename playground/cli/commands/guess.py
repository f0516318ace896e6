"""`guess`: whether a hold-out will be any evidence, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from playground.cli.options import Json, Omit, OmitHardest, OmitRandom, OmitSeed, WorldAsked
from playground.cli.output.documents import print_json
from playground.errors import RequestError, count_of, nearest, quote
from playground.files import folders_to_read, names_in_use, read_json
from playground.seeds import read_seed
from playground.worlds import state_text

if TYPE_CHECKING:
    from rich.console import Console

    from playground.cli.commands.generate import HoldOut
    from playground.datasets import ConsistentFormulas, DatasetSpec, Guess, Guesses

MOST_STATES = 32
"""How many held-out states are listed one by one."""


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
    from playground.cli.commands.generate import HoldOut

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
    from rich.console import Console

    _show(Console(), guesses, formulas)


def _wanted(asked: str | None, name: str | None, hold_out: HoldOut) -> DatasetSpec:
    """Return the requested world and hold-out.

    Raises:
        RequestError: for a world, a dataset or states that are not there, and for a world and a dataset at once.
    """
    from playground.cli.commands.generate import open_world
    from playground.datasets import SHIPPED_HOLD_OUT, DatasetSpec, parse_hold_out

    if asked is not None and name is not None:
        raise RequestError.of(
            message="choose one world",
            expected="one of --world and --name",
            got="both",
            hint="Leave one of them out.",
        )
    if name is not None:
        spec = _dataset(name)
        return spec.holding_out(hold_out.states(spec.world)) if hold_out.given else spec
    world = open_world(asked)
    if asked is None and not hold_out.given:
        return DatasetSpec(world=world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, world))
    return DatasetSpec(world=world, held_out=hold_out.states(world))


def _dataset(name: str) -> DatasetSpec:
    """Return what a dataset follows from.

    Raises:
        RequestError: if there is none of that name, or its description is damaged.
    """
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


def _show(console: Console, guesses: Guesses, formulas: ConsistentFormulas) -> None:
    from rich.text import Text

    from playground.datasets import explain_undetermined

    spec = guesses.spec
    total = len(spec.world.states)
    if not spec.held_out:
        print(f"Nothing is held out: all {total} states are seen, so that nothing is left to guess.")
        print("Add --omit 'S;S', --omit-random K or --omit-hardest K.")
        return
    print(f"{len(spec.held_out)} of {count_of(total, 'state')} held out, {total - len(spec.held_out)} seen.")
    for each, why in explain_undetermined(spec.world, spec.held_out):
        console.print(Text(f"{each} {why}", "magenta"))
    print()
    _show_predictors(console, guesses)
    print()
    _show_states(console, guesses, formulas)
    print()
    _show_formulas(console, formulas)


def _show_predictors(console: Console, guesses: Guesses) -> None:
    from rich.table import Table

    from playground.cli.output.tables import print_table

    world, best = guesses.spec.world, guesses.best_by_answer
    table = Table(title="right in held-out states, fitted on the seen ones", title_justify="left", box=None)
    table.add_column("predictor")
    for name in (*world.answers, *(["all outputs"] if world.counts else []), "whole"):
        table.add_column(name, justify="right")

    def row(label: str, shares: dict[str, float | None], guesses: Sequence[Guess]) -> None:
        outputs = [f"{max(each.outputs or 0 for each in guesses):.0%}"] if world.counts else []
        right, total = max(each.tally for each in guesses)
        table.add_row(label, *(f"{share:.0%}" for share in shares.values()), *outputs, f"{right} of {total}")

    for each in guesses.guesses:
        row(each.name, each.by_answer, [each])
    row("the best of each", {name: each.by_answer[name] for name, each in best.items()}, guesses.guesses)
    print_table(console, table)


def _show_states(console: Console, guesses: Guesses, formulas: ConsistentFormulas) -> None:
    """Print how many answers of each held-out state are right; the states' first, if there are many."""
    from rich.table import Table
    from rich.text import Text

    from playground.cli.output.tables import print_table

    spec, whole = guesses.spec, formulas.whole
    table = Table(title="right answers in each held-out state", title_justify="left", box=None)
    table.add_column("state")
    for each in guesses.guesses:
        table.add_column(each.name, justify="right")
    table.add_column("drawn formulas", justify="right")
    for index, state in enumerate(spec.held_out[:MOST_STATES]):
        cells = [_right(each.held_out_right[index].tolist()) for each in guesses.guesses]
        table.add_row(state_text(state), *cells, "–" if whole is None else f"{whole[index]:.0%} whole")
    print_table(console, table)
    if len(spec.held_out) > MOST_STATES:
        more = count_of(len(spec.held_out) - MOST_STATES, "more state")
        console.print(Text(f"And {more}: --json has them all.", "dim"))


def _right(right: list[bool]) -> str:
    return "whole" if all(right) else f"{sum(right)} of {len(right)}"


def _show_formulas(console: Console, formulas: ConsistentFormulas) -> None:
    """Print for each output how many functions fit, and what share of them is right in the held-out states."""
    from rich.table import Table
    from rich.text import Text

    from playground.cli.output.tables import print_table

    title = f"formulas of up to {count_of(formulas.size, 'name')} that are right in all seen states"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("output")
    for heading in ("fitting", "right in held-out states"):
        table.add_column(heading, justify="right")
    table.add_column("one of the smallest")
    for each in formulas.outputs:
        mean = "–" if each.mean is None else f"{each.mean:.0%}"
        table.add_row(each.output, f"{each.count:,}", mean, Text(each.smallest or "none"))
    whole = "–" if formulas.whole_mean is None else f"{formulas.whole_mean:.0%}"
    table.add_row("whole", "", whole, "(one drawn for each output; counts follow)")
    print_table(console, table, prose=["one of the smallest"])
    explanation = (
        "Formulas of the inputs and the outputs above; those that say the same in all states count once."
    )
    console.print(Text(explanation, "dim"))
