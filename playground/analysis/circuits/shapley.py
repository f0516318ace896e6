"""How much each head does for each answer: its Shapley value over all subsets of the heads.

With v(S) the share of states in which an answer is right if only the heads in S are kept, the Shapley value of head i
is its mean gain over all orders in which the n heads can be added one by one (Shapley 1953, A value for n-person games):

    φ_i = Σ_{S without i}  |S|! (n - |S| - 1)! / n!  (v(S with i) - v(S))

The values of all heads sum to v(all) - v(none); a head that never changes anything has 0; heads that do the
same have the same. Where subsets were sampled, it is the mean over the orders that were drawn, which is unbiased
(Castro et al. 2009, Polynomial calculation of the Shapley value based on sampling), and sums to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.analysis.circuits.circuits import Circuits
from playground.errors import RequestError, count_of


@dataclass(frozen=True)
class Shares:
    """The Shapley values over some of the states.

    Args:
        values: of every head for every target, in shares of states; negative where the head does harm.
        error: their standard error, where orders were sampled; None where the values are exact.
        whole: share of states in which the target is right with all heads.
        none: with no head.
    """

    values: Float[np.ndarray, "head target"]
    error: Float[np.ndarray, "head target"] | None
    whole: Float[np.ndarray, " target"]
    none: Float[np.ndarray, " target"]


@dataclass(frozen=True)
class Shapley:
    """What each head does for each answer.

    Args:
        model: the name of the model's run.
        interventions: under which it was measured, each as text.
        heads: their names.
        targets: the answers of the world, then everything.
        exact: whether they follow from all subsets; if not, they are estimates.
        orders: how many orders of the heads were sampled; 0 if none were.
        seen: over the states that training had.
        held_out: over the others; None if there are none.
    """

    model: str
    interventions: tuple[str, ...]
    heads: tuple[str, ...]
    targets: tuple[str, ...]
    exact: bool
    orders: int
    seen: Shares
    held_out: Shares | None


def measure_shapley(circuits: Circuits) -> Shapley:
    """Return what each head does for each answer.

    Args:
        circuits: measured to the end.

    Raises:
        RequestError: if they are not.
    """
    done, count = circuits.progress
    if done < count:
        raise RequestError.of(
            message="Shapley values need every subset of the heads",
            expected=f"circuits with all of {count_of(count, 'subset')}",
            got=f"circuits with {done:,} of them",
            hint="Go on with these: measure_circuits(model, interventions, begun).",
        )
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
