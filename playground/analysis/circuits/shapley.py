"""How much each head contributes to each answer: its Shapley value over all subsets of the heads.

With v(S) the share of states in which an answer is right if only the heads in S are kept, the Shapley value of head i
is its mean gain over all orders in which the n heads can be added one by one (Shapley 1953, A value for n-person games):

    φ_i = Σ_{S without i}  |S|! (n - |S| - 1)! / n!  (v(S with i) - v(S))

The values of all heads sum to v(all) - v(none). A head that never changes anything has value 0, and heads with the
same effects have the same value. Where subsets were sampled, the value is the mean over the orders drawn, which is
unbiased (Castro et al. 2009, Polynomial calculation of the Shapley value based on sampling) and has the same sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.circuits.circuits import Circuits


@dataclass(frozen=True)
class Shares:
    """The Shapley values over some of the states.

    Args:
        values: the value of every head for every target, in shares of states; negative where the head is harmful.
        error: their standard error, where orders were sampled; None where the values are exact.
        whole: share of states in which the target is right with all heads.
        none: the same with no heads.
    """

    values: Float[np.ndarray, "head target"]
    error: Float[np.ndarray, "head target"] | None
    whole: Float[np.ndarray, " target"]
    none: Float[np.ndarray, " target"]


@dataclass(frozen=True)
class Shapley(Measurement):
    """What each head contributes to each answer.

    Args:
        heads: their names.
        targets: the answers of the world, then everything.
        exact: whether the values are computed from all subsets; if not, they are estimates.
        orders: how many orders of the heads were sampled; 0 if none were.
        seen: over the states that training had.
        held_out: over the held-out states; None if there are none.
    """

    heads: tuple[str, ...]
    targets: tuple[str, ...]
    exact: bool
    orders: int
    seen: Shares
    held_out: Shares | None


def measure_shapley(circuits: Circuits) -> Shapley:
    """Return what each head contributes to each answer.

    Args:
        circuits: a complete result.
    """
    assert circuits.done.all(), "Shapley values need every subset of the heads"
    held_out = circuits.held_out
    return Shapley(
        model=circuits.model,
        interventions=circuits.interventions,
        heads=circuits.heads,
        targets=circuits.targets,
        exact=circuits.exhaustive,
        orders=len(circuits.orders),
        seen=_shares(circuits, ~held_out),
        held_out=_shares(circuits, held_out) if held_out.any() else None,
    )


def _shares(circuits: Circuits, states: Bool[np.ndarray, " state"]) -> Shares:
    worth = np.stack(
        [circuits.right_in(target)[:, states].mean(1) for target in range(len(circuits.targets))], 1
    )
    values, error = (
        (_exact(worth, len(circuits.heads)), None)
        if circuits.exhaustive
        else _sampled(worth, circuits.subsets, circuits.orders)
    )
    return Shares(values=values, error=error, whole=worth[circuits.whole], none=worth[circuits.none])


def _exact(worth: Float[np.ndarray, "subset target"], heads: int) -> Float[np.ndarray, "head target"]:
    """Return the values from the worth of all subsets in counting order, head 0 changing fastest."""
    sizes = sum(np.arange(len(worth)) >> head & 1 for head in range(heads))
    weights = np.array([1 / (heads * comb(heads - 1, size)) for size in range(heads)])
    values = np.empty((heads, worth.shape[1]))
    for head in range(heads):
        without = np.flatnonzero(~np.arange(len(worth)) >> head & 1)
        gain = worth[without + 2**head] - worth[without]
        values[head] = weights[np.asarray(sizes)[without]] @ gain
    return values


def _sampled(
    worth: Float[np.ndarray, "subset target"],
    subsets: Bool[np.ndarray, "subset head"],
    orders: Int[np.ndarray, "order head"],
) -> tuple[Float[np.ndarray, "head target"], Float[np.ndarray, "head target"]]:
    """Return the mean gain over some orders of the heads, and its standard error; infinite with one order."""
    rows = {subset.tobytes(): row for row, subset in enumerate(subsets)}
    gains = np.empty((*orders.shape, worth.shape[1]))
    for number, order in enumerate(orders):
        kept = np.zeros(len(order), dtype=bool)
        before = rows[kept.tobytes()]
        for head in order:
            kept[head] = True
            after = rows[kept.tobytes()]
            gains[number, head] = worth[after] - worth[before]
            before = after
    if len(orders) == 1:
        return gains[0], np.full_like(gains[0], np.inf)
    return gains.mean(0), gains.std(0, ddof=1) / np.sqrt(len(orders))
