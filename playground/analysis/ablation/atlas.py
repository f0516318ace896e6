"""The flip atlas: of how many states the text breaks if the sign of a part of a weight is turned, for all parts.

One pass for each variant of the weight is exact. Greedy decoding under an edit goes on with the unedited
model's text as long as the highest score at each token is that text's next token; the first token at which
it is another one is written, and the text is no longer right. So a state's text breaks if and only if, on the
unedited model's own text, any highest score of the completion is another token's: what would be written
after that need not be known.
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
"""Variants in a pass on a GPU; on a processor, the architecture says how many."""


@dataclass(frozen=True)
class Atlas:
    """What breaks when parts of a weight are flipped one by one; a part of it while it is being measured.

    Arrays have one axis, along which the slices lie, or those of the weight, if every number is flipped.

    Args:
        model: the name of the model's run.
        weight: its name, without an index.
        shape: of the weight.
        by: what is flipped at a time.
        states: how many states the unedited model writes wholly right, which are those that can break.
        broken: how many of these are no longer written wholly right; 0 where `done` is false.
        margin: of the tokens of these states' completions the smallest logit of the right token minus the
            highest of a wrong one, on the unedited texts; negative where something breaks; infinite where
            `done` is false or there are no such states.
        done: what has been measured.
        baseline: the same margin of the unedited model.
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
            index: of the entry in `broken`.
        """
        return replace(self.weight, index=part_of(self.weight, self.shape, self.by, index))

    def fragile(self, top: int) -> list[tuple[int, ...]]:
        """Return the entries that have been measured, `top` of them at most, those with which most breaks first.

        Where as much breaks with several, the one with the smallest margin comes first.
        """
        entries = np.argwhere(self.done)
        order = np.lexsort((self.margin[self.done], -self.broken[self.done]))
        return [tuple(entries[index].tolist()) for index in order[:top]]


def part_of(weight: Site, shape: Sequence[int], by: By, index: Sequence[int]) -> tuple[Slice, ...]:
    """Return the index of a part of a weight, an entry for each of the weight's axes."""
    units = tuple(Slice(unit, unit + 1) for unit in index)
    if by == "weights":
        return units
    axis = axes_of(weight, shape)[by]
    return tuple(units[0] if each == axis else Slice() for each in range(len(shape)))


def check_atlas(network: Network, weight: Site, by: By | None = None) -> By:
    """Return what of a weight is flipped at a time; unless said rows, and of a vector each number.

    Raises:
        RequestError: if the model has no such weight, if a part of one is named, or if the weight is not
            made of such parts.
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
    """Yield what breaks when parts of a weight are flipped one by one, again after each few more of them.

    The largest parts (by the sum of their squares) come first: it is with these that most breaks. Who has seen
    enough stops asking; the model is as it was at any time. Entries agree with boards of `flip:WEIGHT[...]`.

    Args:
        model: stays as it is.
        weight: a name in `Network.weights`.
        by: what is flipped at a time; see `check_atlas`.

    Yields:
        First one with what is known without running the model (parts that are 0), last one with everything.

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
    # Minus zero is zero; and where nothing is right, nothing can break.
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
    """Return a weight with each of some of its parts flipped."""
    variants = values.expand(len(parts), *values.shape).clone()
    for variant, part in zip(variants, parts, strict=True):
        variant[tuple(each.as_slice for each in part)].neg_()
    return variants


@torch.inference_mode()
def _measure(
    network: Network, texts: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
) -> tuple[Int[np.ndarray, " variant"], Float[np.ndarray, " variant"]]:
    """Return how many texts break with each value of a weight, and the smallest margin of a written token."""
    if not len(texts):
        return np.zeros(len(values), dtype=np.int64), np.full(len(values), np.inf)
    given = network.template.prompt_length
    # What follows the last token is nobody's question.
    logits = network.sweep(texts[:, :-1], weight, values)[:, :, given - 1 :]
    written = texts[:, given:].expand(len(values), -1, -1)
    breaks = (logits.argmax(-1) != written).any(-1).sum(-1)
    right = logits.gather(-1, written[..., None])
    wrong = logits.scatter(-1, written[..., None], -torch.inf).amax(-1)
    least = (right[..., 0] - wrong).amin((-2, -1))
    return breaks.cpu().numpy(), least.double().cpu().numpy()
