"""The training loop. It knows neither what model it trains nor who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy

from playground.training.recipe import Recipe


@dataclass(frozen=True)
class Step:
    """One step that was taken.

    Args:
        number: of the step, from 1.
        total: steps in all; where the planned ones did not suffice, those that there are at most.
        loss: mean over the batch's tokens, in nats, before the step.
        learning_rate: of the step.
    """

    number: int
    total: int
    loss: float
    learning_rate: float


def next_token_loss(
    logits: Float[Tensor, "sample token vocabulary"], tokens: Int[Tensor, "sample token"]
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy, in nats, of every token but the first given those before it."""
    return cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def train(
    module: Module,
    logits: Callable[[Int[Tensor, "sample token"]], Float[Tensor, "sample token vocabulary"]],
    samples: Int[Tensor, "sample token"],
    recipe: Recipe,
) -> Iterator[Step]:
    """Train `module` in place and yield after every step.

    With a cap, the training goes on past its epochs; it is the caller who knows when it has learnt enough.
    Between two steps the module may be put into evaluation mode and run. The random numbers of PyTorch
    and its number of threads are the loop's own until it ends; then they are as they were.

    Args:
        module: owns the parameters; on the device of `samples`.
        logits: runs the module.
        samples: token ids, on the module's device.
        recipe: how to train.

    Raises:
        ArithmeticError: if the loss is no longer a finite number.
    """
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    planned, most = recipe.steps(len(samples)), recipe.most_steps(len(samples))
    with _reproducible(recipe, samples.device):
        batches = _batches(samples, recipe)
        for number in range(1, most + 1):
            learning_rate = recipe.learning_rate_at((number - 1) / planned)
            optimizer.param_groups[0]["lr"] = learning_rate
            module.train()
            batch = next(batches)
            loss = next_token_loss(logits(batch), batch)
            if not loss.isfinite():
                raise ArithmeticError(
                    f"the loss is {loss.item()} at step {number}: the training has diverged, try a lower learning rate"
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), recipe.gradient_norm)
            optimizer.step()
            yield Step(number, planned if number <= planned else most, loss.item(), learning_rate)


def _batches(samples: Int[Tensor, "sample token"], recipe: Recipe) -> Iterator[Tensor]:
    """Yield batches without end: every epoch all samples, in an order of its own."""
    generator = torch.Generator().manual_seed(recipe.seed)
    while True:
        order = torch.randperm(len(samples), generator=generator).to(samples.device)
        yield from samples[order].split(recipe.batch_size)


@contextmanager
def _reproducible(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Fix what a result may depend on beside data and recipe, and put it back afterwards."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    # Dropout can only draw from PyTorch's global generators.
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        torch.set_num_threads(recipe.threads)
        # On CUDA the gradient of an embedding is otherwise summed in any order.
        torch.use_deterministic_algorithms(deterministic or device.type == "cuda")
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)
