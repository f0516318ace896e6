"""The training loop, independent of what is trained and of how progress is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.models import Ensemble
from playground.training.recipe import Recipe

State = dict[str, Tensor]


class Loop:
    """An ensemble being trained by a recipe; its state alone determines the next steps.

    Args:
        ensemble: the models, trained in place.
        samples: token ids, shared or separate for each model, on the ensemble's device.
        seeds: of each model's order of samples.
        generator: the ensemble draws dropout masks from it; it belongs to the state.
        recipe: how to train.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        samples: Int[Tensor, "data sample token"],
        seeds: Sequence[int],
        generator: torch.Generator,
        recipe: Recipe,
    ) -> None:
        self.number = 0
        self._ensemble = ensemble
        self._generator = generator
        self._recipe = recipe
        self._samples = samples
        self._orders = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._planned = recipe.steps(samples.shape[1])
        self._per_epoch = recipe.steps_per_epoch(samples.shape[1])
        self._order: Tensor | None = None
        learnt = torch.nn.Parameter(ensemble.parameters)
        learnt.grad = ensemble.gradients
        cuda = learnt.is_cuda
        self._rate = torch.zeros((), device=learnt.device)
        self._optimizer = torch.optim.AdamW(
            [learnt], lr=self._rate, weight_decay=recipe.weight_decay, fused=True, capturable=cuda
        )
        self._update = _Recorded(self._learn) if cuda else self._learn

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self._recipe.learning_rate_at(self.number / self._planned)

    def step(self) -> Float[Tensor, " model"]:
        """Take a step and return each model's loss before it, in nats."""
        self._rate.fill_(self.learning_rate)
        # A copy, since the next recorded step overwrites the tensor.
        losses = self._update(self._next_batch()).cpu().clone()
        self.number += 1
        return losses

    def state(self) -> State:
        """Return copies of everything that determines the next steps, besides the arguments of the loop."""
        moments = self._optimizer.state.get(self._optimizer.param_groups[0]["params"][0], {})
        state = {"number": torch.tensor(self.number), self._generator_name: self._generator.get_state()}
        state |= {f"optimizer.{name}": value for name, value in moments.items()}
        return {
            name: value.clone() for name, value in (state | {"parameters": self._ensemble.parameters}).items()
        }

    def restore(self, state: State) -> None:
        """Continue from what `state` returned, on any device.

        On the same device, training continues as if it had never stopped. On another, dropout masks are drawn
        anew: a generator's state cannot be moved to a different device.
        """
        number = int(state["number"])
        self._ensemble.parameters.copy_(state["parameters"])
        if self._generator_name in state:
            self._generator.set_state(state[self._generator_name].cpu())
        else:
            self._generator.manual_seed(self._orders[0].initial_seed() + (number << 32))
        parameter = self._optimizer.param_groups[0]["params"][0]
        names = [name for name in state if name.startswith("optimizer.")]
        self._optimizer.state[parameter] = {
            name.removeprefix("optimizer."): state[name].to(self._optimizer_device(name)) for name in names
        }
        for _ in range(self.number // self._per_epoch, number // self._per_epoch):
            self._shuffle()
        if number % self._per_epoch:
            self._shuffle()
        self.number = number

    @property
    def _generator_name(self) -> str:
        return f"generator.{self._generator.device.type}"

    def _optimizer_device(self, name: str) -> torch.device:
        counts_on_cpu = name == "optimizer.step" and not self._rate.is_cuda
        return torch.device("cpu") if counts_on_cpu else self._rate.device

    def _next_batch(self) -> Int[Tensor, "model sample token"]:
        place = self.number % self._per_epoch
        if place == 0:
            self._shuffle()
        assert self._order is not None, "the first step of an epoch draws it"
        size = self._recipe.batch_size
        rows = self._order[:, place * size : (place + 1) * size]
        data = torch.arange(len(self._samples), device=rows.device)[:, None]
        return self._samples[data, rows]

    def _shuffle(self) -> None:
        """Draw the order in which each model sees the samples of an epoch."""
        count = self._samples.shape[1]
        orders = [torch.randperm(count, generator=generator) for generator in self._orders]
        self._order = torch.stack(orders).to(self._samples.device)

    def _learn(self, batch: Int[Tensor, "model sample token"]) -> Float[Tensor, " model"]:
        losses = self._ensemble.learn(batch)
        slopes = self._ensemble.gradients
        # As in torch.nn.utils.clip_grad_norm_.
        norms = slopes.norm(dim=1, keepdim=True)
        slopes.mul_((self._recipe.gradient_norm / (norms + 1e-6)).clamp(max=1))
        self._optimizer.step()
        return losses


class _Recorded:
    """A step on CUDA, recorded once and replayed, since launching its operations takes longer than computing them.

    Args:
        learn: the step; it computes on its batch's device and always runs the same operations.
    """

    WARMING_UP = 3
    """Steps before recording, which allocate memory and create the optimizer's state."""

    def __init__(self, learn: Callable[[Tensor], Tensor]) -> None:
        self._learn = learn
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch = torch.empty(0)
        self._losses = torch.empty(0)

    def __call__(self, batch: Int[Tensor, "model sample token"]) -> Float[Tensor, " model"]:
        """Take a step with a batch; a batch of another size, as at the end of an epoch, is not replayed."""
        self._taken += 1
        if self._graph is None and self._taken > self.WARMING_UP:
            self._record(batch)
        if self._graph is None or batch.shape != self._batch.shape:
            return self._learn(batch)
        self._batch.copy_(batch)
        self._graph.replay()
        return self._losses

    def _record(self, batch: Tensor) -> None:
        """Record a step without taking it."""
        self._batch = batch.clone()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._losses = self._learn(self._batch)
        self._graph = graph


@contextmanager
def reproducible(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Fix the settings of PyTorch on which results may depend, and restore them afterwards."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    precision = torch.get_float32_matmul_precision()
    torch.set_num_threads(recipe.threads)
    if device.type == "cuda":
        # Otherwise the gradient of an embedding is summed in arbitrary order.
        torch.use_deterministic_algorithms(True)
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.set_float32_matmul_precision(precision)
