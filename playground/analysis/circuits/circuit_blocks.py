"""Circuits of heads as a method: the smallest sets, the worth of each head, and what the best sets of each size keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from playground.analysis.base.derived import derive
from playground.analysis.base.layered import no_layers
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import (
    Column,
    Curve,
    Heatmap,
    Line,
    Row,
    Selection,
    Sentence,
    Table,
)
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, layer_of, signed
from playground.analysis.circuits.circuits import MOST_HEADS, ORDERS, Circuits, measure_circuits
from playground.analysis.circuits.shapley import Shapley, measure_shapley
from playground.analysis.circuits.smallest import JUDGED, Smallest, find_smallest
from playground.errors import count_of
from playground.inference import Model


def _present(found: Circuits, view: View) -> Iterator[Table | Sentence | Heatmap | Curve]:
    """Yield the smallest sets once the whole model is measured, and the worths once all subsets are."""
    if found.done[found.whole]:
        yield _smallest(derive(find_smallest, found))
        yield Sentence(text=JUDGED, is_caution=True)
    done, of = found.progress
    if done == of:
        yield _worth(found, view, derive(measure_shapley, found))
    for target, folded in view.answers(view.world.answers):
        yield _curve(found, found.targets.index(target), folded=folded)
    yield _curve(found, len(found.targets) - 1, folded=view.answer is not None)


def _smallest(found: tuple[Smallest, ...]) -> Table:
    return Table(
        title="smallest circuits",
        caption="The fewest heads that keep an answer right in all states in which the whole model has it right, with "
        "all other heads set to their mean.",
        columns=(
            Column("answer"),
            Column("heads needed"),
            Column("such sets", "How many sets of as many heads keep the answer right."),
            Column("the first of them"),
            Column("kept right in", "States in which the whole model has the answer right."),
            Column("decoded", "States in which it is right when the model reads what it wrote itself."),
            Column("proven", "Whether all sets of heads were tried."),
        ),
        rows=tuple(
            Row(
                (
                    each.target,
                    f"{each.size} of {len(each.heads)}",
                    each.count,
                    ", ".join(each.sets[0]) or "none",
                    f"{each.states} states",
                    each.decoded_in_words,
                    "yes" if each.proven else "there may be smaller ones",
                )
            )
            for each in found
        ),
    )


def _worth(found: Circuits, view: View, worth: Shapley) -> Heatmap:
    held_out, answers = worth.held_out, view.world.answers
    estimated = "" if worth.exact else f" Estimated from {count_of(worth.orders, 'order')} drawn at random."

    def selects(head: int, target: int) -> Selection:
        # The last target, `everything`, is not an answer.
        answer = answers[target] if target < len(answers) else None
        return Selection(worth.heads[head], answer and view.writing(answer), answer)

    return Heatmap(
        title="worth of each head",
        caption="Shapley value: a head's mean gain, over all orders in which heads can be added, in the share of seen states in which "
        f"the answer is right.{estimated}" + ("" if held_out is None else " After ◆: in held-out states."),
        row_axis="head",
        column_axis="answer",
        rows=worth.heads,
        columns=worth.targets,
        values=worth.seen.values,
        unit="difference",
        notes=None
        if held_out is None
        else [[f"◆ {signed(value)}" for value in row] for row in held_out.values.tolist()],
        groups=tuple(map(layer_of, worth.heads)),
        selects=selects,
        cases=lambda head, target: _cases(found, view, head, target),
    )


def _cases(found: Circuits, view: View, head: int, target: int) -> Table | None:
    """Return the states in which a target is right with all heads, without one head, and with that head alone."""
    alone = np.arange(len(found.heads)) == head
    without, only = _subset(found, ~alone), _subset(found, alone)
    if without is None or only is None:
        return None
    right = found.right_in(target)
    whole, less, single = right[found.whole], right[without], right[only]
    broken, mended = int((whole & ~less).sum()), int((~whole & less).sum())
    said = {True: "right", False: "wrong"}
    name = f"{found.targets[target]} without {found.heads[head]}"
    return Table(
        title=name,
        caption=f"Without {found.heads[head]} alone, {found.targets[target]} turns wrong in {broken} of {len(whole)} states, and "
        f"right in {mended}; these come first.",
        columns=(
            Column("state", kind="state"),
            Column("all heads"),
            Column(f"without {found.heads[head]}"),
            Column(f"{found.heads[head]} alone"),
        ),
        rows=tuple(
            Row(
                (view.states[state], *(said[bool(each[state])] for each in (whole, less, single))),
                bool(whole[state] == less[state]),
            )
            for state in np.argsort(whole == less, kind="stable").tolist()
        ),
        judged="unchanged",
    )


def _subset(found: Circuits, kept: Bool[np.ndarray, " head"]) -> int | None:
    """Return the index of the subset with these heads; None if it was not drawn."""
    numbers = np.flatnonzero((found.subsets == kept).all(1))
    return int(numbers[0]) if len(numbers) else None


def _curve(found: Circuits, target: int, *, folded: bool) -> Curve:
    best_seen, best_held_out, mean_seen = derive(_kept_by_size, found, target)
    lines = [Line("the best sets, seen states", best_seen)]
    if found.held_out.any():
        lines.append(Line("the best sets, held-out states", best_held_out))
    name = found.targets[target]
    return Curve(
        title=f"{name} by number of heads",
        caption=f"Share of the states in which {name} is right when this many heads are kept. The best sets are chosen on "
        "seen states.",
        axis="heads kept",
        places=tuple(range(len(found.heads) + 1)),
        lines=(*lines, Line("all sets on average, seen states", mean_seen)),
        folded=folded,
    )


def _kept_by_size(found: Circuits, target: int) -> Float[np.ndarray, "three size"]:
    """Return the share of states right by number of heads: the best sets' (seen, held out) and the mean (seen).

    The best sets are chosen on seen states only, so held-out states play no part. NaN where no set has been measured.
    """
    right, sizes, held_out = found.right_in(target), found.subsets.sum(1), found.held_out
    seen = right[:, ~held_out].mean(1)
    kept = np.full((3, len(found.heads) + 1), np.nan)
    for size in range(kept.shape[1]):
        among = found.done & (sizes == size)
        if among.any():
            best = among & (seen == seen[among].max())
            kept[0, size], kept[2, size] = seen[among].max(), seen[among].mean()
            if held_out.any():
                kept[1, size] = right[best][:, held_out].mean()
    return kept


def _figures(found: Circuits, model: Model) -> dict[str, Any]:
    done, of = found.progress
    document: dict[str, Any] = {
        "heads": list(found.heads),
        "exhaustive": found.exhaustive,
        "subsets": {"measured": done, "of": of},
        "judged": JUDGED,
    }
    if found.done[found.whole]:
        document["smallest"] = [
            to_document(each) | {"silenced": to_document(each.silenced)}
            for each in derive(find_smallest, found)
        ]
    if done == of:
        document["shapley"] = to_document(derive(measure_shapley, found))
    return document


def _tokens_read(model: Model) -> float:
    heads, layers = len(model.network.elements), len(model.network.pattern_hooks)
    subsets = 2**heads if heads <= MOST_HEADS else ORDERS * (heads - 1)
    # Subsets with the same heads in lower layers share those layers: most compute only the last one.
    completion = model.template.length - model.template.prompt_length
    return subsets * len(model.world.states) * completion / layers


CIRCUITS = Method(
    name="circuits",
    title="Circuits of heads",
    question="Which sets of heads suffice, of all there are, and what is each head worth?",
    how="For every subset of the heads, all other heads are set to their mean over the states, and the states in which an answer "
    "stays right are counted, with the true text before each token. The smallest sets are decoded as well.",
    caution="The model never computes the mean over all states, and the MLPs stay as they are. What a set of heads "
    "keeps shows what these heads suffice for, not that the model uses them that way.",
    source="Wang et al. 2022 (arXiv 2211.00593), mean ablation; Shapley 1953, A value for n-person games",
    is_long=True,
    duration="some minutes",
    version=2,
    kind=Circuits,
    measure=lambda model, asked, begun, store: measure_circuits(model, asked, begun),
    present=_present,
    figures=_figures,
    progress=progress_of,
    tokens_read=_tokens_read,
    unavailable_reason=no_layers,
)
