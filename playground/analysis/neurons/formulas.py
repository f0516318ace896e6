"""Formulas for the parts of a model: what each part computes where an answer stands and where it is written.

Most parts have one number at a token: a neuron, a channel, a unit of a recurrent state. What a head writes into the
residual stream (z times its W_O) and the content of a memory slot are vectors. They are reduced to their first
principal component over the states at this token: the direction in which they vary most, without the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.neurons.tables import CONSTANT_TEXT, explain_tables
from playground.inference import Model, make_plan, token_names
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import Intervention
from playground.models import ActivationMap, Site, WeightEdit


@dataclass(frozen=True)
class Formulas(Measurement):
    """What the parts of a model compute, in terms of the inputs; the best explained first, constant parts last.

    Parts explained equally well, to a hundredth, are sorted by formula size, the smaller first.

    Args:
        inputs: the world's inputs.
        candidates: how many functions were tried; a function and its negation count as one.
        chance: share of the variance that would be explained for independent normal numbers.
        parts: each part as text, such as `L1.mlp[213]`; once per position.
        positions: each part's token, as interventions name it: `newB` where it stands, `>newB` where it is written.
        formulas: a formula that is 1 where the part's values are high, or `constant` if they are all equal.
        literals: number of variable names in the formula; 0 for a constant part.
        operators: number of operators in the formula.
        explained: share of the variance of the part's values that the formula explains, from 0 to 1; 0 for a constant
            part.
        exact: whether the part has two values and the formula predicts them in every state.
        captured: share of the part's own variance that its values capture: 1 for a single number, less for a direction.
        values: the part's value in every state, in the model's own unit.
        spectrum: share of their variance by subsets of the inputs, see `subsets`.
    """

    inputs: tuple[str, ...]
    candidates: int
    chance: float
    parts: tuple[str, ...]
    positions: tuple[str, ...]
    formulas: tuple[str, ...]
    literals: Int[np.ndarray, " part"]
    operators: Int[np.ndarray, " part"]
    explained: Float[np.ndarray, " part"]
    exact: Bool[np.ndarray, " part"]
    captured: Float[np.ndarray, " part"]
    values: Float[np.ndarray, "part state"]
    spectrum: Float[np.ndarray, "part subset"]

    @property
    def subsets(self) -> tuple[str, ...]:
        """The names of the columns of `spectrum`, such as `A*C`; the first, for no input, is empty."""
        members = product((False, True), repeat=len(self.inputs))
        return tuple("*".join(np.array(self.inputs)[list(member)]) for member in members)

    def terms(self, index: int, most: int = 3) -> tuple[str, ...]:
        """Return the largest shares in the spectrum of a part, such as `A*C 0.71`.

        Args:
            index: index of the part.
            most: the most shares to return; those that round to 0.00 are left out.
        """
        shares, subsets = self.spectrum[index], self.subsets
        order = np.argsort(-shares, kind="stable")[:most]
        return tuple(
            text for each in order if not (text := f"{subsets[each]} {shares[each]:.2f}").endswith(" 0.00")
        )

    def line(self, index: int) -> str:
        """Return in one line what a part computes: `L1.mlp[213] at newB: NOT D, 0.99 of variance`."""
        place = f"{self.parts[index]} at {self.positions[index]}: {self.formulas[index]}"
        if self.formulas[index] == CONSTANT_TEXT:
            return place
        exact = ", exact" if self.exact[index] else ""
        return f"{place}{exact}, {self.explained[index]:.2f} of variance"

    def only(self, position: str) -> Formulas:
        """Return the parts at one position."""
        return _chosen(self, [index for index, each in enumerate(self.positions) if each == position])


@dataclass(frozen=True)
class _Block:
    """Parts of one kind at all positions.

    Args:
        names: names of the parts.
        values: their values.
        captured: share of a part's variance that its values capture.
        scale: the largest absolute value recorded for any of the parts.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "part position state"]
    captured: Float[np.ndarray, "part position"]
    scale: float


def measure_formulas(model: Model, interventions: InterventionsLike = ()) -> Formulas:
    """Return the simplest formula over the inputs for every part of a model, at every answer.

    The parts are all heads, MLP neurons, hidden and cell states, channels and memory slots. The positions are those
    where answers stand and where they are written.

    Args:
        model: a loaded model; it stays as it is.
        interventions: values, or their text form, applied throughout.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    asked, template = as_values(interventions), model.template
    answers = template.answer_positions.tolist()
    tokens = sorted({token for answer in answers for token in (answer - 1, answer)})
    blocks = _measure_blocks(model, asked, tokens)
    values = np.concatenate([block.values for block in blocks], dtype=np.float32)
    values = values.reshape(-1, len(model.world.states))
    names = [name for block in blocks for name in block.names]
    scale = np.repeat([block.scale for block in blocks], [len(block.names) * len(tokens) for block in blocks])
    explained = explain_tables(values, model.world, scale)
    position = token_names(template)
    found = Formulas(
        model=model.name,
        interventions=tuple(map(str, asked)),
        inputs=model.world.inputs,
        parts=tuple(name for name in names for _ in tokens),
        positions=tuple(position[token] for _ in names for token in tokens),
        captured=np.concatenate([block.captured for block in blocks]).reshape(-1),
        values=values,
        **vars(explained),
    )
    constant = found.literals == 0
    order = np.lexsort((-found.explained, found.literals, -found.explained.round(2), constant))
    return _chosen(found, order.tolist())


def _chosen(formulas: Formulas, order: Sequence[int]) -> Formulas:
    """Return the chosen parts, in this order."""
    names = {name: getattr(formulas, name) for name in ("parts", "positions", "formulas")}
    arrays = {each.name: getattr(formulas, each.name) for each in fields(formulas)}
    arrays = {name: value[list(order)] for name, value in arrays.items() if isinstance(value, np.ndarray)}
    return replace(
        formulas, **{name: tuple(each[i] for i in order) for name, each in names.items()}, **arrays
    )


def _measure_blocks(model: Model, asked: Sequence[Intervention], tokens: Sequence[int]) -> list[_Block]:
    network = model.network
    drawn = [each for each in network.maps if each.privileged]
    heads: dict[str, list[Site]] = {}
    for site in network.sites:
        if site.head is not None:
            heads.setdefault(network.hook_locations(site)[0].hook, []).append(site)
    recorded = model.record([*(each.hook for each in drawn), *heads], asked).recorded
    edits = make_plan(asked, network, model.values).weights

    def values(hook: str) -> Float[np.ndarray, "unit position state ..."]:
        return np.moveaxis(recorded[hook][:, list(tokens)].cpu().numpy(), (2, 1, 0), (0, 1, 2))

    @cache
    def output(head: Site, active: tuple[WeightEdit, ...]) -> Float[np.ndarray, "component direction"]:
        weight = network.edited_weight(replace(head, part="W_O"), active).double().cpu().numpy()
        # With W_O^T = QR, R alone determines the lengths and angles of what a head writes.
        return np.asarray(np.linalg.qr(weight.T, mode="r")).T

    def written(head: Site, z: Float[np.ndarray, "position state component"]) -> list[np.ndarray]:
        active = [tuple(edit for edit in edits if token in edit.positions) for token in tokens]
        return [each @ output(head, at) for each, at in zip(z, active, strict=True)]

    blocks = []
    for hook, sites in heads.items():
        vectors = [written(head, z) for head, z in zip(sites, values(hook), strict=True)]
        blocks.append(_along_directions(tuple(map(str, sites)), np.array(vectors)))
    return [*blocks, *(_units(each, values(each.hook)) for each in drawn)]


def _units(drawn: ActivationMap, values: Float[np.ndarray, "unit position state ..."]) -> _Block:
    names = tuple(str(drawn.site.at(unit)) for unit in range(drawn.units))
    if drawn.components > 1:
        return _along_directions(names, values)
    return _Block(names, values, np.ones(values.shape[:2]), float(np.abs(values).max()))


def _along_directions(
    names: tuple[str, ...], vectors: Float[np.ndarray, "unit position state component"]
) -> _Block:
    """Reduce parts whose values are vectors to their first principal components.

    The sign of a direction is chosen so that the part's value of largest magnitude is positive.
    """
    centred = vectors - vectors.mean(axis=2, keepdims=True, dtype=np.float64)
    variances, directions = np.linalg.eigh(centred.swapaxes(2, 3) @ centred)
    values = (centred @ directions[..., -1:])[..., 0]
    largest = np.take_along_axis(values, np.abs(values).argmax(axis=2, keepdims=True), axis=2)
    values = values * np.where(largest < 0, -1, 1)
    total = variances.sum(axis=2)
    captured = np.divide(variances[..., -1], total, out=np.zeros_like(total), where=total > 0)
    return _Block(names, values, captured, float(np.linalg.norm(vectors, axis=3).max()))
