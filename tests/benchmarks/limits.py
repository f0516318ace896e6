"""How fast this machine multiplies matrices, how fast our step could be at best, and where the rest of its time goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from playground.datasets import Dataset
from playground.models import ARCHITECTURES, Ensemble
from playground.training import Loop, default_recipe, reproducible

_SQUARE = 2048
_ATTEMPTS, _PATIENCE = 10, 0.3
_STEP, _LEARN = "step", "learn"
_OUTSIDE = "optimizer, clipping and choice of samples"

Layout = tuple[tuple[int, ...], tuple[int, ...]]
"""Shape and strides."""

_KINDS = {
    "matrix products": ("bmm", "baddbmm", "mm", "addmm"),
    "normalisation and softmax": ("layer_norm", "softmax"),
    "random numbers": ("random_",),
    "copies": ("copy_", "_to_copy", "clone", "cat", "stack"),
    "sums": ("sum", "mean", "gather"),
    "views and memory": (
        "view",
        "as_strided",
        "empty",
        "reshape",
        "expand",
        "permute",
        "transpose",
        "select",
        "split",
    ),
}
"""Kinds of operations by parts of their names; the first match counts. All others work number by number."""


@dataclass(frozen=True)
class Product:
    """One kind of matrix product of a step.

    Args:
        shape: batch, rows, inner, columns.
        count: occurrences per step.
        seconds: of one product alone, at its fastest.
    """

    shape: tuple[int, int, int, int]
    count: int
    seconds: float

    @property
    def flops(self) -> int:
        """Floating-point operations of one product."""
        batch, rows, inner, columns = self.shape
        return 2 * batch * rows * inner * columns


@dataclass(frozen=True)
class Limit:
    """The work of a step and the speed of the machine, both at their fastest, undisturbed by other processes.

    Args:
        flops: of the matrix products of a step.
        step: seconds of a step.
        square: floating-point operations per second, in a large square product.
        products: the products of a step, with their own layouts.
    """

    flops: int
    step: float
    square: float
    products: list[Product]


def make_loop(name: str, dataset: Dataset, seed: int = 0) -> tuple[Ensemble, Loop]:
    """Return a model of the default size, ready to be trained by its recipe on the CPU."""
    kind, recipe, template = ARCHITECTURES[name], default_recipe(name), dataset.spec.template
    generator = torch.Generator().manual_seed(seed)
    model = kind.make(template, kind.default_size(template), seed)
    ensemble = kind.ensemble([model], recipe.dropout, generator)
    return ensemble, Loop(ensemble, torch.from_numpy(dataset.train)[None], (seed,), generator, recipe)


def measure_architectures(dataset: Dataset, rounds: int, steps: int) -> dict[str, list[float]]:
    """Return the milliseconds per step of each architecture, in rounds over all of them."""
    loops = {name: make_loop(name, dataset)[1] for name in ARCHITECTURES}
    measured: dict[str, list[float]] = {name: [] for name in ARCHITECTURES}
    for number in range(rounds + 1):
        for name in list(ARCHITECTURES)[:: 1 if number % 2 else -1]:
            with reproducible(default_recipe(name), torch.device("cpu")):
                started = time.perf_counter()
                for _ in range(steps):
                    loops[name].step()
                if number:
                    measured[name].append(1000 * (time.perf_counter() - started) / steps)
    return measured


def measure_limit(dataset: Dataset, steps: int) -> Limit:
    """Compare GPT-2's step with the matrix products that it consists of."""
    ensemble, loop = make_loop("gpt2", dataset)
    batch = torch.from_numpy(dataset.train)[None, : default_recipe("gpt2").batch_size]
    with reproducible(default_recipe("gpt2"), torch.device("cpu")):
        with FlopCounterMode(display=False) as counter:
            ensemble.learn(batch)
        with _Products() as seen:
            ensemble.learn(batch)
        side = ((_SQUARE, _SQUARE), (_SQUARE, 1))
        square = 2 * _SQUARE**3 / _seconds_of(side, side)
        products = [
            Product((*first[0], second[0][2]), count, _seconds_of(first, second))
            for (first, second), count in seen.found.items()
        ]
        step = min(_times(loop.step, steps))
    return Limit(counter.get_total_flops(), step, square, products)


class _Products(TorchDispatchMode):
    """Counts matrix products by the layouts of their factors."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[Layout, Layout]] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket in (torch.ops.aten.bmm, torch.ops.aten.baddbmm):
            first, second = args[-2:]
            self.found[(first.shape, first.stride()), (second.shape, second.stride())] += 1
        return func(*args, **(kwargs or {}))


def _seconds_of(first: Layout, second: Layout) -> float:
    """Return the seconds for a product of factors with these layouts, at its fastest."""
    a, b = (torch.empty_strided(shape, strides).normal_() for shape, strides in (first, second))
    out = a @ b
    times, started = [], time.perf_counter()
    while len(times) < _ATTEMPTS or time.perf_counter() - started < _PATIENCE:
        times += _times(lambda: torch.matmul(a, b, out=out), 1)
    return min(times)


def _times(work: Callable[[], Tensor], count: int) -> list[float]:
    times = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return times


def profile_step(dataset: Dataset, steps: int) -> dict[str, float]:
    """Return the milliseconds per step of GPT-2 under PyTorch's profiler, by kind of operation.

    This is the mean over the faster half of the steps, because other processes delayed the others.
    """
    ensemble, loop = make_loop("gpt2", dataset)
    learn = ensemble.learn

    def annotated(tokens: Tensor) -> Tensor:
        with record_function(_LEARN):
            return learn(tokens)

    ensemble.learn = annotated
    with reproducible(default_recipe("gpt2"), torch.device("cpu")):
        _times(loop.step, 3)
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            for _ in range(steps):
                with record_function(_STEP):
                    loop.step()
    taken: list[tuple[float, Counter[str]]] = []
    for event in profiler.events():
        if event.name == _STEP:
            spent = Counter()
            _add_up(event, spent, _OUTSIDE)
            spent["Python and launching"] = event.cpu_time_total - spent.total()
            taken.append((event.cpu_time_total, spent))
    faster = sorted(taken, key=lambda step: step[0])[: (len(taken) + 1) // 2]
    spent = sum((each for _, each in faster), Counter())
    return {kind: microseconds / len(faster) / 1000 for kind, microseconds in spent.most_common()}


def _add_up(event: FunctionEvent, spent: Counter[str], outside: str | None) -> None:
    """Add the own time of the operations in an event, under `outside` or, if that is None, by their names."""
    for inner in event.cpu_children:
        if inner.name.startswith("aten::"):
            spent[outside or _kind(inner.name)] += inner.self_cpu_time_total
        _add_up(inner, spent, None if inner.name == _LEARN else outside)


def _kind(name: str) -> str:
    return next(
        (kind for kind, words in _KINDS.items() if any(word in name for word in words)),
        "number by number, dropout's masks included",
    )
