"""A verdict and what stands behind it, on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from playground.cli.output.tables import print_table

if TYPE_CHECKING:
    from playground.analysis import (
        Attention,
        Attribution,
        Circuits,
        Edges,
        Emergence,
        Formulas,
        FreeRunningInterchange,
        Interchange,
        Lens,
        Mechanism,
        Method,
        Path,
        Step,
        Subspace,
    )
    from playground.inference import Model

_SHOWN = 5
_OFF_THE_STATES = (
    "exchanging the whole part changes no answer. What these directions do may come of values that no state has there: "
    "it does not show that the model reads the variable at this part."
)


def show_mechanism(console: Console, model: Model, found: Mechanism, examples: int) -> None:
    """Print the verdict, the shares that it comes from, and the claims.

    Args:
        console: to print to.
        model: of which it is.
        found: the verdict.
        examples: how many counterexamples of a claim are shown.
    """
    from playground.analysis import WAYS

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


def show_findings(
    console: Console, model: Model, steps: Sequence[tuple[Method, Step]], left: Sequence[tuple[Method, str]]
) -> None:
    """Print the main figures of every method, and which were not measured.

    Args:
        console: to print to.
        model: of which they are.
        steps: what was measured.
        left: what was not, and why.
    """
    from playground.analysis import NOT_MEASURED

    for method, step in steps:
        show = _SHOW.get(method.name)
        if show is None:
            continue
        part = "" if step.done == step.of else f" ({step.done} of {step.of} measured)"
        console.print(Text(f"{method.title}{part}: {method.question}", style="bold"), soft_wrap=True)
        for line in show(step.result, model):
            console.print(Text(f"  {line}"), soft_wrap=True)
    waiting = [method.name for method, reason in left if method.is_long and reason == NOT_MEASURED]
    if waiting:
        hint = f"Not measured: {', '.join(waiting)}. Take --method {waiting[0]}, or --all."
        console.print(Text(hint, style="dim"), soft_wrap=True)


def show_paths(console: Console, paths: Sequence[Path]) -> None:
    """Print by how much each path alone brings an answer from one state's to another's."""
    for each in paths:
        effects = ", ".join(
            f"{answer} {effect:.2f}"
            for answer, effect in zip(each.answers, each.effect, strict=True)
            if effect is not None
        )
        where = f" at {each.positions[0]}" if len(each.positions) == 1 else ""
        console.print(Text(f"Path {each.sender} to {each.receiver}{where}: {effects}"), soft_wrap=True)


def show_subspaces(console: Console, subspaces: Sequence[Subspace]) -> None:
    """Print how well a few directions stand for a variable, in states that they were not learnt from."""
    for each in subspaces:
        line = (
            f"Subspace of {each.site} at {each.token} for {each.variable}, by {each.answer}, {len(each.basis)} of "
            f"{each.basis.shape[1]} dimensions: {each.test} pairs of states not learnt from (whole part {each.whole}; "
            f"nothing exchanged {each.unpatched}; labels dealt by lot {each.control})"
        )
        console.print(Text(line), soft_wrap=True)
        if each.off_the_states:
            console.print(Text(f"  But: {_OFF_THE_STATES}", style="yellow"), soft_wrap=True)


def _attention(found: Attention, model: Model) -> Iterator[str]:
    for index, answer in enumerate(found.answers):
        mean = found.all.mean[index]
        words = []
        for flat in np.argsort(-mean, axis=None)[:_SHOWN]:
            layer, head, key = (int(each) for each in np.unravel_index(flat, mean.shape))
            low, high = (
                found.all.smallest[index, layer, head, key],
                found.all.largest[index, layer, head, key],
            )
            words.append(
                f"L{layer}H{head} at {found.tokens[key]} {mean[layer, head, key]:.2f} ({low:.2f} to {high:.2f})"
            )
        yield f"{answer}: {', '.join(words)}"
    for each in found.largest_differences:
        yield f"{each.answer}, held out minus seen: most {each.value:+.2f}, {each.head} at {each.token}"


def _lens(found: Lens, model: Model) -> Iterator[str]:
    for index, answer in enumerate(found.answers):
        shares = ", ".join(
            f"{part} {share:.2f}" for part, share in zip(found.parts, found.accuracy[index], strict=True)
        )
        yield f"{answer} is on top behind {shares}"


def _attribution(found: Attribution, model: Model) -> Iterator[str]:
    for index, answer in enumerate(found.answers):
        order = np.argsort(-np.abs(found.mean[index]))[:_SHOWN]
        parts = ", ".join(f"{found.components[each]} {found.mean[index, each]:+.2f}" for each in order)
        yield f"{answer}: {found.difference[index].mean():+.2f} logits, of which {parts}"


def _patching(found: Interchange, model: Model) -> Iterator[str]:
    from playground.analysis import chained_answers

    for answer in chained_answers(model.world):
        mean = np.nan_to_num(found.mean_recovered(answer))
        words = []
        for flat in np.argsort(-mean, axis=None)[:_SHOWN]:
            site, token = (int(each) for each in np.unravel_index(flat, mean.shape))
            words.append(f"{found.sites[site]} at {found.tokens[token]} {mean[site, token]:.2f}")
        yield f"{answer}: {', '.join(words)}"


def _interchange(found: Interchange, model: Model) -> Iterator[str]:
    from playground.analysis import align

    for each in align(model.world, found):
        if each.counted:
            site, token = each.best
            yield (
                f"{each.variable} ({each.kind}), by {each.answer}: {found.sites[site]} at {found.tokens[token]} "
                f"{each.accuracy[site, token]:.2f} of {each.counted} pairs; with nothing exchanged "
                f"{each.unpatched / each.counted:.2f}"
            )


def _free(found: FreeRunningInterchange, model: Model) -> Iterator[str]:
    rows = zip(found.variables, found.kinds, found.answers, found.sites, found.tokens, strict=True)
    for index, (variable, kind, answer, site, token) in enumerate(rows):
        if found.done[index] and found.free_counted[index]:
            yield (
                f"{variable} ({kind}), by {answer}: {site} at {token} {found.free_right[index]} of "
                f"{found.free_counted[index]} pairs; on the base's own text {found.right[index]} of {found.counted[index]}"
            )


def _formulas(found: Formulas, model: Model) -> Iterator[str]:
    yield f"{found.candidates:,} functions tried; of noise they would explain {found.chance:.2f}"
    for index in range(min(2 * _SHOWN, len(found.parts))):
        yield found.line(index)


def _circuits(found: Circuits, model: Model) -> Iterator[str]:
    from playground.analysis import JUDGED, find_smallest, measure_shapley

    yield JUDGED
    for each in find_smallest(found) if found.done[found.whole] else ():
        proven = "" if each.proven else " so far"
        example = ", ".join(each.sets[0]) if each.sets and each.sets[0] else "no head"
        yield (
            f"{each.target}: {each.size} of {len(each.heads)} heads suffice{proven} ({each.count} such sets; {example}), "
            f"in the {each.states} states in which the whole model is right"
            + ("" if each.decoded[0] is None else f"; decoded, it is right in {each.decoded_in_words} states")
        )
    done, of = found.progress
    if done == of:
        values = measure_shapley(found)
        worth = values.seen.values[:, -1]
        order = np.argsort(-worth)[:_SHOWN]
        words = ", ".join(f"{values.heads[head]} {worth[head]:.2f}" for head in order)
        yield f"Shapley values for {values.targets[-1]}, seen states: {words}"


def _edges(found: Edges, model: Model) -> Iterator[str]:
    for each in found.trials:
        yield (
            f"{each.answer}: {each.edges} of {each.of} edges recover {each.recovered:.2f} of the difference "
            f"(attribution alone says {each.estimated:.2f}); right in {each.right:.2f} of the pairs, the whole in {each.whole:.2f}"
        )


def _emergence(found: Emergence, model: Model) -> Iterator[str]:
    for index, step in enumerate(found.steps):
        if found.done[index]:
            routes = ", ".join(
                f"{answer} read {read:.2f} recomputed {again:.2f}"
                for answer, read, again in zip(
                    found.answers, found.read[index], found.recomputed[index], strict=True
                )
            )
            held_out = found.held_out[index]
            right = f"{found.seen[index]:.0%} of seen states right"
            right += "" if np.isnan(held_out) else f", {held_out:.0%} of held-out ones"
            yield f"after {step:,} steps: {routes}; {right}"


_SHOW: Mapping[str, Callable[[Any, Model], Iterator[str]]] = {
    "attention": _attention,
    "lens": _lens,
    "attribution": _attribution,
    "patching": _patching,
    "interchange": _interchange,
    "free": _free,
    "formulas": _formulas,
    "circuits": _circuits,
    "edges": _edges,
    "emergence": _emergence,
}
