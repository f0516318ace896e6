"""A verdict and its evidence, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playground.analysis import NOT_MEASURED, WAYS, Mechanism, path_blocks, subspace_blocks
from playground.cli.measuring import Findings
from playground.cli.output.blocks import print_blocks
from playground.cli.output.tables import print_table


def show_findings(console: Console, found: Findings, examples: int) -> None:
    """Print the verdict with its shares and claims, what every method shows, and what was not measured.

    Args:
        console: to print to.
        found: of one model.
        examples: how many counterexamples of a claim are shown.
    """
    _show_verdict(console, found.mechanism, examples)
    for method, step in found.steps:
        part = "" if step.done == step.of else f" ({step.done} of {step.of} measured)"
        console.print(Text(f"{method.title}{part}: {method.question}", style="bold"), soft_wrap=True)
        print_blocks(console, method.present(step.result, found.view))
    waiting = [method.name for method, reason in found.left if method.is_long and reason == NOT_MEASURED]
    if waiting:
        hint = f"Not measured: {', '.join(waiting)}. Add --method {waiting[0]}, or --all."
        console.print(Text(hint, style="dim"), soft_wrap=True)
    for path in found.paths:
        print_blocks(console, path_blocks(path, found.view))
    print_blocks(console, subspace_blocks(found.subspaces))


def _show_verdict(console: Console, found: Mechanism, examples: int) -> None:
    title = Text(f"{found.model}, {'; '.join(found.interventions) or 'unedited'}", style="bold")
    title.append(f"   {found.seen_right} of {found.seen} seen states right", style="dim")
    console.print(title)
    for line in found.verdict:
        console.print(Text(f"  {line}"), soft_wrap=True)
    for line in found.caveats:
        console.print(Text(f"  But: {line}", style="yellow"), soft_wrap=True)
    if found.route_summaries:
        table = Table(box=None, padding=(0, 2, 0, 2))
        for heading in ("answer", *WAYS, "held out", "follows a flip of", "best described by"):
            table.add_column(heading, justify="right" if heading in WAYS else "left")
        for each in found.route_summaries:
            along = zip(each.outputs, each.follows_flip.tolist(), strict=True)
            table.add_row(
                each.answer,
                *(f"{percent} %" for percent in each.counts.percent),
                " / ".join(map(str, each.held_out.percent)) + " %" if each.held_out.texts else "",
                ", ".join(f"{name} {share:.2f}" for name, share in along),
                f"{each.derivation} ({each.agreement:.2f})",
            )
        print_table(console, table, prose=["follows a flip of", "best described by"])
    for claim in found.claims:
        console.print(Text(f"  {claim}"), soft_wrap=True)
        for example in claim.counterexamples[:examples]:
            console.print(Text(f"      not in {example}", style="dim"), soft_wrap=True)
        more = len(claim.counterexamples) - examples
        if examples and more > 0:
            console.print(Text(f"      and {more} more", style="dim"))
