"""Circuits drawn: which heads suffice, what each is worth, and what circuits of edges keep."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.analysis import JUDGED, Circuits, Edges, find_smallest, measure_shapley
from playground.inference import Model
from playground.plots import plot_head_values, plot_kept
from playground.report.exhibits import Drawing, Exhibit, Table, reads_none

MOST_EDGES = 10
"""That are listed for an answer."""


def circuits_exhibits(measured: Circuits, model: Model) -> list[Exhibit]:
    """Return the smallest circuits, and for every target what circuits of each size keep and what each head is worth."""
    done, of = measured.progress
    found: list[Exhibit] = []
    if measured.done[measured.whole]:
        found.append(_smallest(measured))
    for index, target in enumerate(measured.targets):
        folded = target in model.world.answers and reads_none(model, target)
        if done == of:
            found.append(_worth(measured, index, folded=folded))
        found.append(_best(measured, index, folded=folded))
    return found


def _smallest(measured: Circuits) -> Table:
    return Table(
        "The smallest sets of heads with which a target stays right in all states in which the whole model has it right, "
        f"all other heads at their mean. {JUDGED}",
        (
            "target",
            "states",
            "heads",
            "sets of that size",
            "the first of them",
            "right when decoded",
            "smaller ones",
        ),
        tuple(
            (
                each.target,
                each.states,
                each.size,
                each.count,
                ", ".join(each.sets[0]) or "none",
                each.decoded_in_words,
                "there are none" if each.proven else "not all were tried",
            )
            for each in find_smallest(measured)
        ),
    )


def _worth(measured: Circuits, target: int, *, folded: bool) -> Drawing:
    shapley = measure_shapley(measured)
    groups = [("seen states", shapley.seen)]
    groups += [("held-out states", shapley.held_out)] if shapley.held_out else []
    return Drawing(
        f"{measured.targets[target]}: Shapley value of each head, its mean gain in the share of states that are right, over all "
        f"orders in which heads can be added{'' if shapley.exact else f' (of these {shapley.orders:,} were drawn)'}.",
        plot_head_values(
            [_by_layer(measured.heads, each.values[:, target]) for _, each in groups],
            [name for name, _ in groups],
            unit="share of states",
        ),
        folded=folded,
    )


def _by_layer(
    heads: Sequence[str], values: Float[np.ndarray, " head"]
) -> Float[np.ndarray, "layer head_of_layer"]:
    """Return the values of heads called `L1H2` by layer."""
    places = np.array([re.findall(r"\d+", head) for head in heads], dtype=int)
    found = np.full(places.max(0) + 1, np.nan)
    found[tuple(places.T)] = values
    return found


def _best(measured: Circuits, target: int, *, folded: bool) -> Drawing:
    """Return what the best sets of each size keep: best on seen states, so that held-out ones have no say in it."""
    right, sizes = measured.right_in(target), measured.subsets.sum(1)
    held_out = measured.held_out
    seen = right[:, ~held_out].mean(1)
    counts = range(len(measured.heads) + 1)
    kept = np.full((3 if held_out.any() else 2, len(counts)), np.nan)
    for size in counts:
        among = measured.done & (sizes == size)
        if among.any():
            best = among & (seen == seen[among].max())
            kept[:2, size] = seen[among].max(), seen[among].mean()
            if held_out.any():
                kept[2, size] = right[best][:, held_out].mean()
    names = [
        "the best sets, seen states",
        "all sets on average, seen states",
        "the best sets, held-out states",
    ]
    return Drawing(
        f"{measured.targets[target]}: share of the states in which it is right with so many heads kept. The best sets are those "
        "that are best in seen states.",
        plot_kept(counts, names[: len(kept)], kept, x_title="heads that are kept", y_title="right"),
        folded=folded,
    )


def edges_exhibits(measured: Edges, model: Model) -> list[Exhibit]:
    """Return for every answer the edges with the largest scores, and what circuits of the largest really keep."""
    found: list[Exhibit] = []
    for index, answer in enumerate(measured.answers):
        folded = reads_none(model, answer)
        trials = [trial for trial in measured.trials if trial.answer == answer]
        if trials:
            kept = np.array([[each.recovered, each.estimated, each.right] for each in trials]).T
            found.append(
                Drawing(
                    f"{answer}: what circuits of the edges with the largest scores keep when all others are really ablated, "
                    "beside what the scores alone would say.",
                    plot_kept(
                        [each.edges for each in trials],
                        ["recovered", "estimated by scores", "pairs right"],
                        kept,
                        x_title="edges that are kept",
                        y_title="kept",
                        logarithmic=True,
                    ),
                    folded=folded,
                )
            )
        found.append(
            Table(
                f"{answer}: the edges with the largest scores, of {measured.exists[index].sum():,}: by how many logits each is "
                f"estimated to move it towards the other state's, of {measured.gap[index]:.2f} in all; mean over "
                f"{measured.pairs[index]:,} pairs.",
                ("from", "to", "token", "logits"),
                tuple(
                    (each.writer, each.reader, each.position, each.score)
                    for each in measured.largest(index, MOST_EDGES)
                ),
                folded=folded,
            )
        )
    return found
