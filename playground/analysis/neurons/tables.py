"""Describes a table of values, one for every state, in terms of the inputs: by a formula and a spectrum.

A formula explains a share R² of a table's variance, that of the best affine fit of the values to the formula's 0 and
1; it equals their squared correlation. The formula chosen maximises R² minus `PRICE` per literal, so each extra name
must earn its place. The values cover all states, so R² is exact rather than estimated; the R² that random numbers
would get is reported for comparison.

A table with two values instead gets a formula that is right in every state, however large, if one is known.

The spectrum (O'Donnell, *Analysis of Boolean Functions*, 2014, chapter 1) is the variance of a table by
subsets of the inputs: the squared coefficients of its expansion in products of inputs that are 1 or -1. The
correlation with a function of some inputs needs only the coefficients of subsets of these inputs; all candidates are
tried that way. No function of some inputs explains more than the spectrum's share on their subsets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from playground.boolean.functions import (
    Family,
    Formula,
    candidate_families,
    count_candidates,
    exact_formula,
    walsh_matrix,
)
from playground.worlds import World

PRICE = 0.01
"""The share of variance that each extra literal must explain."""

CONSTANT = 1e-5
"""A table is constant if its values differ by at most this share of its scale; rounding error stays below that."""

TWO_VALUED = 0.1
"""A table has two values if every value lies this near to the largest or the smallest, as a share of the distance
between them."""

MOST_EXACT = 500
"""At most this many distinct two-valued tables get an exact formula, the most common ones first."""

CONSTANT_TEXT = "constant"

_RANDOM = 200
_CELLS = 2**22
"""Correlations computed together; more would not fit in the processor's cache."""


@dataclass(frozen=True)
class Explained:
    """Formulas that explain tables, and how well.

    Args:
        candidates: how many functions were tried, a function and its negation being one.
        chance: share of the variance explained for independent normal numbers, the median over many tables.
        formulas: for each table, a formula that is 1 where its values are high; `CONSTANT_TEXT` for a constant table.
        literals: number of variable names in the formula; 0 for a constant table.
        operators: number of operators in the formula; see `Formula`.
        explained: share of the variance that it explains, from 0 to 1; 0 for a constant table.
        exact: whether the table has two values and the formula predicts them in every state.
        spectrum: share of the variance by subset of the inputs. Subsets are in the order of the states: an input is
            in a subset if it is 1 in that state. 0 for the empty subset and for a constant table.
    """

    candidates: int
    chance: float
    formulas: tuple[str, ...]
    literals: Int[np.ndarray, " part"]
    operators: Int[np.ndarray, " part"]
    explained: Float[np.ndarray, " part"]
    exact: Bool[np.ndarray, " part"]
    spectrum: Float[np.ndarray, "part subset"]


def explain_tables(
    values: Float[np.ndarray, "part state"], world: World, scale: Float[np.ndarray, " part"] | None = None
) -> Explained:
    """Return the simplest formula that explains each table, and its spectrum.

    Args:
        values: one table per part.
        world: gives the names of the inputs; its states are those of the tables.
        scale: what a table's variation is compared with to decide whether it is constant; its largest absolute value
            by default.
    """
    scales = np.abs(values).max(axis=1, initial=0) if scale is None else scale
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    varied = (high - low)[:, 0] > CONSTANT * scales
    near = np.minimum(values - low, high - values) <= TWO_VALUED * (high - low)
    two_valued = np.flatnonzero(varied & near.all(axis=1))
    bits = values > (low + high) / 2
    found = dict(_exact(bits[two_valued], two_valued, world.inputs))
    explained, exact = np.zeros(len(values)), np.isin(np.arange(len(values)), list(found))
    for part in found:
        explained[part] = np.corrcoef(values[part], bits[part])[0, 1] ** 2
    coefficients = _coefficients(values)
    coefficients[~varied] = 0
    others = np.flatnonzero(varied & ~exact)
    random = np.random.default_rng(0).standard_normal((_RANDOM, len(world.states)))
    families = candidate_families(len(world.inputs))
    tried, shares = _best(
        np.concatenate([coefficients[others], _coefficients(random)]), world.inputs, families
    )
    explained[others] = shares[: len(others)]
    found |= dict(zip(others.tolist(), tried, strict=False))
    formulas = [found.get(part, Formula(CONSTANT_TEXT, 0, 0)) for part in range(len(values))]
    return Explained(
        candidates=count_candidates(families, len(world.inputs)),
        chance=float(np.median(shares[len(others) :])),
        formulas=tuple(formula.text for formula in formulas),
        literals=np.array([formula.literals for formula in formulas], dtype=np.int64),
        operators=np.array([formula.operators for formula in formulas], dtype=np.int64),
        explained=explained,
        exact=exact,
        spectrum=coefficients**2,
    )


def _exact(
    bits: Bool[np.ndarray, "part state"], parts: Int[np.ndarray, " part"], inputs: Sequence[str]
) -> Mapping[int, Formula]:
    """Return, by part index, a formula that agrees in every state, where one is known."""
    distinct, which, counts = np.unique(bits, axis=0, return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:MOST_EXACT].tolist()
    known = {each: exact_formula(distinct[each], inputs) for each in common}
    pairs = zip(parts.tolist(), which.reshape(-1).tolist(), strict=True)
    return {part: formula for part, each in pairs if (formula := known.get(each))}


def _coefficients(tables: np.ndarray) -> Float32[np.ndarray, "table subset"]:
    """Return the expansion of tables in products of inputs, without the mean and normalised to sum of squares 1."""
    centred = (tables - tables.mean(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)
    found = centred @ walsh_matrix(tables.shape[1].bit_length() - 1).astype(np.float32)
    found[:, 0] = 0
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def _best(
    coefficients: Float32[np.ndarray, "part subset"], inputs: Sequence[str], families: Sequence[Family]
) -> tuple[list[Formula], Float[np.ndarray, " part"]]:
    """Return for each part the chosen formula and the share that it explains; smaller families must come first."""
    score, share = np.full(len(coefficients), -np.inf), np.zeros(len(coefficients))
    source, function = np.zeros((2, len(coefficients)), dtype=np.int64)
    sources: list[tuple[Family, tuple[str, ...]]] = []
    by_subset = np.ascontiguousarray(coefficients.T)
    for family in families:
        half, price = len(family.tables) // 2, PRICE * family.literals
        basis = np.ascontiguousarray(_coefficients(family.tables[:half]).T)
        for chosen in combinations(range(len(inputs)), family.arity):
            known = by_subset[_subsets(chosen, len(inputs))]
            possible = np.flatnonzero(np.einsum("sp,sp->p", known, known) - price > score)
            step = max(_CELLS // half, 1)
            for rows in (possible[start : start + step] for start in range(0, len(possible), step)):
                shares, numbers = _strongest(known[:, rows].T @ basis)
                better = shares - price > score[rows]
                kept = rows[better]
                score[kept], share[kept] = shares[better] - price, shares[better]
                source[kept], function[kept] = len(sources), numbers[better]
            sources.append((family, tuple(inputs[each] for each in chosen)))
    distinct, which = np.unique(np.stack([source, function]), axis=1, return_inverse=True)
    written = [sources[each][0].write(number, sources[each][1]) for each, number in distinct.T.tolist()]
    return [written[each] for each in which.reshape(-1).tolist()], share


def _subsets(chosen: tuple[int, ...], inputs: int) -> Int[np.ndarray, " subset"]:
    """Return which subsets of all inputs are subsets of the chosen ones."""
    subsets = np.arange(2 ** len(chosen))
    members = [(subsets >> place & 1) << (inputs - 1 - each) for place, each in enumerate(reversed(chosen))]
    return np.sum(members, axis=0)


def _strongest(
    correlations: Float32[np.ndarray, "part function"],
) -> tuple[Float[np.ndarray, " part"], Int[np.ndarray, " part"]]:
    """Return each part's largest squared correlation, and the function's index; counted from the end for its negation."""
    parts = np.arange(len(correlations))
    high, low = correlations.argmax(axis=1), correlations.argmin(axis=1)
    top, bottom = correlations[parts, high].astype(np.float64), correlations[parts, low].astype(np.float64)
    negated = -bottom > top
    return np.minimum(np.where(negated, bottom, top) ** 2, 1.0), np.where(negated, -1 - low, high)
