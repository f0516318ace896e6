"""The flip atlas: for every part of a weight, how many states' texts break when its sign is flipped.

One pass for each variant of the weight gives exact results. Greedy decoding under an edit follows the unedited
model's text until the highest score belongs to another token; that token is written, and the text is no longer right.
So a state's text breaks if and only if, on the unedited model's own text, the highest score at any token of the
completion belongs to another token. What would be written after that does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.ablation.weights import By, axes_of
from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import Flip, check
from playground.models import ARCHITECTURES, Network, Site, Slice

CUDA_BATCH = 64
"""Variants per pass on a GPU; on a CPU, the architecture sets the number."""


@dataclass(frozen=True)
class Atlas:
    """What breaks when parts of a weight are flipped one by one; partial while it is being measured.

    Arrays have one entry per slice, or the weight's own axes if single numbers are flipped.

    Args:
        model: the name of the model's run.
        weight: its name, without an index.
        shape: the weight's shape.
        by: what is flipped at a time.
        states: number of states whose completion is entirely right in the unedited model: those that can break.
        broken: how many of these are no longer entirely right; 0 where `done` is false.
        margin: logit of the right token minus the highest logit of a wrong one, the minimum over all tokens of these
            states' completions, on the unedited texts. Negative where something breaks; infinite where `done` is
            false or there are no such states.
        done: which parts have been measured.
        baseline: the same margin for the unedited model.
    """

    model: str
    weight: Site
    shape: tuple[int, ...]
    by: By
    states: int
    broken: Int[np.ndarray, "*part"]
    margin: Float[np.ndarray, "*part"]
    done: Bool[np.ndarray, "*part"]
    baseline: float

    @property
    def progress(self) -> tuple[int, int]:
        """How many parts have been measured, and how many there are."""
        return int(self.done.sum()), self.done.size

    def part(self, *index: int) -> Site:
        """Return what is flipped for an entry: a row, a column, a block or a single weight.

        Args:
            index: index of the entry in `broken`.
        """
        return replace(self.weight, index=part_of(self.weight, self.shape, self.by, index))

    def fragile(self, top: int) -> list[tuple[int, ...]]:
        """Return at most `top` measured entries, those that break most first.

        Ties are sorted by margin, the smallest first.
        """
        entries = np.argwhere(self.done)
        order = np.lexsort((self.margin[self.done], -self.broken[self.done]))
        return [tuple(entries[index].tolist()) for index in order[:top]]


def part_of(weight: Site, shape: Sequence[int], by: By, index: Sequence[int]) -> tuple[Slice, ...]:
    """Return the index of a part of a weight, one entry per axis."""
    units = tuple(Slice(unit, unit + 1) for unit in index)
    if by == "weights":
        return units
    axis = axes_of(weight, shape)[by]
    return tuple(units[0] if each == axis else Slice() for each in range(len(shape)))


def check_atlas(network: Network, weight: Site, by: By | None = None) -> By:
    """Return what is flipped at a time: by default the rows of a matrix, or the single numbers of a vector.

    Raises:
        RequestError: if the model has no such weight, if only a part of a weight is named, or if the weight cannot be
            divided that way.
    """
    check([Flip(weight)], network)
    if weight.index:
        raise RequestError.of(
            where=str(weight),
            message="an atlas covers a whole weight",
            expected="a weight without an index",
            got=str(weight),
            hint=f"Write {weight.whole}.",
        )
    ways: list[By] = [*axes_of(weight, network.weights[weight].shape), "weights"]
    if by is not None and by not in ways:
        raise RequestError.of(
            where=str(weight),
            message="this weight cannot be flipped that way",
            expected=" or ".join(ways),
            got=by,
            hint=f"Write --by {ways[0]}, or leave it out.",
        )
    return by or ("rows" if "rows" in ways else "weights")


def flip_atlas(model: Model, weight: Site, by: By | None = None) -> Iterator[Atlas]:
    """Yield what breaks when parts of a weight are flipped one by one, updated after every few parts.

    The largest parts (by the sum of their squares) come first, since they break most. The caller may stop at any
    time; the model stays unchanged throughout. Entries agree with boards of `flip:WEIGHT[...]`.

    Args:
        model: stays as it is.
        weight: a name in `Network.weights`.
        by: what is flipped at a time; see `check_atlas`.

    Yields:
        First an atlas with what is known without running the model (parts that are 0), last the complete one.

    Raises:
        RequestError: as `check_atlas` does, before anything is run.
    """
    by = check_atlas(model.network, weight, by)
    return _measure_all(model, weight, by)


def _measure_all(model: Model, weight: Site, by: By) -> Iterator[Atlas]:
    values = model.network.weights[weight]
    shape = tuple(values.shape)
    correct = torch.from_numpy(model.baseline.correct).to(model.network.device)
    texts = model.baseline_run.tokens[correct]
    sizes = _sizes(weight, values, by)
    broken, margin = np.zeros(sizes.shape, dtype=np.int64), np.full(sizes.shape, np.inf)
    _, baseline = _measure(model.network, texts, weight, values[None])
    # Flipping zeros changes nothing, and if no state is right, none can break.
    done = (sizes == 0) | (len(texts) == 0)
    margin[done] = baseline[0]

    def so_far() -> Atlas:
        return Atlas(
            model=model.name,
            weight=weight,
            shape=shape,
            by=by,
            states=len(texts),
            broken=broken.copy(),
            margin=margin.copy(),
            done=done.copy(),
            baseline=float(baseline[0]),
        )

    yield so_far()
    order = np.argsort(-sizes, axis=None, kind="stable")
    waiting = [np.unravel_index(flat, sizes.shape) for flat in order if not done.flat[flat]]
    count = _batch(model.network)
    for start in range(0, len(waiting), count):
        entries = waiting[start : start + count]
        parts = [part_of(weight, shape, by, [int(each) for each in entry]) for entry in entries]
        measured = _measure(model.network, texts, weight, _flipped(values, parts))
        for entry, breaks, least in zip(entries, *measured, strict=True):
            broken[entry], margin[entry], done[entry] = breaks, least, True
        yield so_far()


def _batch(network: Network) -> int:
    if network.device.type == "cuda":
        return CUDA_BATCH
    return ARCHITECTURES[network.architecture].sweep_batch


def _sizes(weight: Site, values: Float[Tensor, "*axes"], by: By) -> Float[np.ndarray, "*part"]:
    """Return the sum of squares of every part."""
    squares = values.double().cpu().numpy() ** 2
    if by == "weights":
        return squares
    axis = axes_of(weight, values.shape)[by]
    return squares.sum(tuple(each for each in range(squares.ndim) if each != axis))


def _flipped(
    values: Float[Tensor, "*axes"], parts: Sequence[tuple[Slice, ...]]
) -> Float[Tensor, "variant ..."]:
    """Return variants of a weight, each with one of the parts flipped."""
    variants = values.expand(len(parts), *values.shape).clone()
    for variant, part in zip(variants, parts, strict=True):
        variant[tuple(each.as_slice for each in part)].neg_()
    return variants


@torch.inference_mode()
def _measure(
    network: Network, texts: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
) -> tuple[Int[np.ndarray, " variant"], Float[np.ndarray, " variant"]]:
    """Return for each variant of a weight how many texts break, and the smallest margin of a written token."""
    if not len(texts):
        return np.zeros(len(values), dtype=np.int64), np.full(len(values), np.inf)
    given = network.template.prompt_length
    # The prediction after the last token is not needed.
    logits = network.sweep(texts[:, :-1], weight, values)[:, :, given - 1 :]
    written = texts[:, given:].expand(len(values), -1, -1)
    breaks = (logits.argmax(-1) != written).any(-1).sum(-1)
    right = logits.gather(-1, written[..., None])
    wrong = logits.scatter(-1, written[..., None], -torch.inf).amax(-1)
    least = (right[..., 0] - wrong).amin((-2, -1))
    return breaks.cpu().numpy(), least.double().cpu().numpy()
