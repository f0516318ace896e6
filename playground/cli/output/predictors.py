"""What simple predictors and formulas get right in held-out states, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from playground.cli.output.tables import make_table, print_table
from playground.datasets import ConsistentFormulas, Guess, Guesses, explain_undetermined
from playground.errors import count_of
from playground.worlds import state_text

MOST_STATES = 32
"""How many held-out states are listed one by one."""


def show_guesses(console: Console, guesses: Guesses, formulas: ConsistentFormulas) -> None:
    """Print what can be predicted in held-out states without a network.

    Args:
        console: to print to.
        guesses: of the simple predictors.
        formulas: those that fit the seen states.
    """
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
    world, best = guesses.spec.world, guesses.best_by_answer
    headings = [*world.answers, *(["all outputs"] if world.counts else []), "whole"]
    table = make_table("right in held-out states, fitted on the seen ones", ["predictor"], headings)

    def row(label: str, shares: dict[str, float | None], guesses: Sequence[Guess]) -> None:
        outputs = [f"{max(each.outputs or 0 for each in guesses):.0%}"] if world.counts else []
        right, total = max(each.tally for each in guesses)
        table.add_row(label, *(f"{share:.0%}" for share in shares.values()), *outputs, f"{right} of {total}")

    for each in guesses.guesses:
        row(each.name, each.by_answer, [each])
    row("the best of each", {name: each.by_answer[name] for name, each in best.items()}, guesses.guesses)
    print_table(console, table)


def _show_states(console: Console, guesses: Guesses, formulas: ConsistentFormulas) -> None:
    """Print how many answers of each held-out state are right; only the first states, if there are many."""
    spec, whole = guesses.spec, formulas.whole
    headings = [*(each.name for each in guesses.guesses), "drawn formulas"]
    table = make_table("right answers in each held-out state", ["state"], headings)
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
    """Print, for each output, how many functions fit and what share of them is right in the held-out states."""
    title = f"formulas of up to {count_of(formulas.size, 'name')} that are right in all seen states"
    table = make_table(title, ["output"], ["fitting", "right in held-out states"])
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
