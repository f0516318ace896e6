"""One training run: dataset -> model -> `models/NAME/RUN`, with a board at every evaluation."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Module
from torch.utils.flop_counter import FlopCounterMode

from playground.datasets import Dataset
from playground.files import successor, write_json
from playground.inference import Board, decode, make_board
from playground.models import Architecture, Pass, Size, save_model
from playground.training.loop import Step, next_token_loss, train
from playground.training.recipe import Recipe

Logits = Callable[[Int[Tensor, "sample token"]], Float[Tensor, "sample token vocabulary"]]


@dataclass(frozen=True)
class Validation:
    """The validation samples, which are of seen states only: no measure of generalisation.

    Args:
        loss: mean over their tokens, in nats.
        accuracy: share of them whose completion the model writes correctly, 0 to 1.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """What a model can do after some steps.

    Args:
        step: steps taken.
        epoch: passes over the training samples.
        seconds: since the training began, evaluations included.
        loss: mean training loss since the last evaluation, in nats.
        board: the model on every state.
        learnt: whether it wrote every seen state correctly here, and as often before as the recipe asks.
        validation: at the end of every epoch and of the training, else None.
    """

    step: int
    epoch: float
    seconds: float
    loss: float
    board: Board
    learnt: bool
    validation: Validation | None

    def to_json(self) -> dict:
        """Return the evaluation as it stands in `run.json`."""
        by_answer = {name: share.to_json() for name, share in self.board.accuracy_by_answer.items()}
        document = {
            "step": self.step,
            "epoch": round(self.epoch, 4),
            "seconds": round(self.seconds, 2),
            "loss": self.loss,
            "accuracy": {**self.board.accuracy.to_json(), "by_output": by_answer},
        }
        if self.validation:
            document["validation_on_seen_states"] = {
                "loss": self.validation.loss,
                "accuracy": self.validation.accuracy,
            }
        return document


@dataclass(frozen=True)
class Progress:
    """A step, with the latest evaluation.

    Args:
        step: what was done.
        evaluation: the latest, or None before the first.
        fresh: whether the evaluation was made after this very step.
    """

    step: Step
    evaluation: Evaluation | None
    fresh: bool


def train_model(
    architecture: Architecture,
    size: Size,
    dataset: Dataset,
    folder: Path,
    recipe: Recipe,
    device: torch.device,
    command: str,
) -> Iterator[Progress]:
    """Train a model and put it into `folder` when it is done; an older run there is kept beside it.

    Args:
        architecture: of the model.
        size: of the model.
        dataset: what to learn.
        folder: `models/NAME/RUN`.
        recipe: how to train.
        device: where to train.
        command: how the training was asked for, for `run.json`.

    Yields:
        A record after every step. The run is in place when the last has been taken.

    Raises:
        RequestError: if no model of that size can be built; nothing is written then.
    """
    template = dataset.spec.template
    architecture.check(size, template)
    if device.type == "cuda":
        # Read when CUDA starts; without it cuBLAS has no fixed order of additions.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    model = architecture.make(template, size, recipe.seed).to(device)
    samples = torch.from_numpy(dataset.train).to(device)
    learner = Learner(architecture, model, dataset, device)
    facts = _facts(learner, size, recipe, command)
    operations = count_operations(model, learner.logits, samples[: recipe.batch_size])
    # Begun before the work: that a folder cannot be written is not to be found out at the end.
    with successor(folder) as building:
        evaluations: list[Evaluation] = []
        for progress in _train_and_evaluate(learner, samples, recipe):
            if progress.fresh and progress.evaluation:
                evaluations.append(progress.evaluation)
            yield progress
        last = evaluations[-1]
        save_model(model, architecture, template, size, building)
        results = {
            "samples": recipe.samples(last.step, len(samples)),
            "steps": last.step,
            "seconds": round(last.seconds, 2),
            "operations": operations * last.step,
            "learnt": last.learnt,
            "accuracy": {"seen": last.board.accuracy.seen, "held_out": last.board.accuracy.held_out},
            "evaluations": [evaluation.to_json() for evaluation in evaluations],
        }
        write_json(building / "run.json", facts | results)


@dataclass(frozen=True)
class Learner:
    """A model in training.

    Args:
        architecture: of the model.
        model: what learns.
        dataset: what it learns.
        device: where it computes.
    """

    architecture: Architecture
    model: Module
    dataset: Dataset
    device: torch.device

    def logits(self, tokens: Int[Tensor, "sample token"]) -> Float[Tensor, "sample token vocabulary"]:
        """Return for every token the scores of the one that follows."""
        return self.architecture.logits(self.model, tokens)


def _train_and_evaluate(
    learner: Learner, samples: Int[Tensor, "sample token"], recipe: Recipe
) -> Iterator[Progress]:
    per_epoch, planned = recipe.steps_per_epoch(len(samples)), recipe.steps(len(samples))
    most = recipe.most_steps(len(samples))
    evaluation: Evaluation | None = None
    losses: list[float] = []
    learnt_running = 0
    started = time.perf_counter()
    for step in train(learner.model, learner.logits, samples, recipe):
        losses.append(step.loss)
        last, end_of_epoch = step.number == most, step.number % per_epoch == 0
        fresh = last or end_of_epoch or step.number == planned or step.number % recipe.evaluate_every == 0
        if fresh:
            board = measure_board(learner)
            learnt_running = learnt_running + 1 if board.accuracy.seen == 1 else 0
            learnt = learnt_running >= recipe.evaluations_running
            last = last or (step.number >= planned and learnt and recipe.cap is not None)
            evaluation = Evaluation(
                step=step.number,
                epoch=step.number / per_epoch,
                seconds=time.perf_counter() - started,
                loss=sum(losses) / len(losses),
                board=board,
                learnt=learnt,
                validation=measure_validation(learner) if last or end_of_epoch else None,
            )
            losses.clear()
        yield Progress(step, evaluation, fresh)
        if last:
            return


def measure_board(learner: Learner) -> Board:
    """Return the board of a model in training."""
    template = learner.dataset.spec.template
    learner.model.eval()
    with torch.inference_mode():
        truth = torch.from_numpy(template.truth).to(learner.device)
        run = decode(lambda tokens: Pass(learner.logits(tokens), {}), truth, template.prompt_length)
    return make_board(run, learner.dataset.spec, learner.architecture.name)


def measure_validation(learner: Learner) -> Validation:
    """Return loss and accuracy on the validation samples, exactly: each different one is run once."""
    template = learner.dataset.spec.template
    learner.model.eval()
    different, counts = torch.from_numpy(learner.dataset.valid).unique(dim=0, return_counts=True)
    different = different.to(learner.device)
    weights = counts.to(learner.device, torch.float64) / counts.sum()
    with torch.inference_mode():
        scores = learner.logits(different)
        losses = torch.stack(
            [next_token_loss(row[None], tokens[None]) for row, tokens in zip(scores, different, strict=True)]
        )
        run = decode(lambda tokens: Pass(learner.logits(tokens), {}), different, template.prompt_length)
    right = (run.tokens == different).all(-1)
    return Validation(float((losses * weights).sum()), float((right * weights).sum()))


def count_operations(model: Module, logits: Logits, batch: Int[Tensor, "sample token"]) -> int:
    """Return the floating-point operations of one step's matrix products, forward and backward."""
    model.eval()
    with FlopCounterMode(display=False) as counter:
        next_token_loss(logits(batch), batch).backward()
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops()


def _facts(learner: Learner, size: Size, recipe: Recipe, command: str) -> dict[str, Any]:
    """Return what `run.json` says of a training before it has begun."""
    packages = ("the-experiment", "torch", "transformers", "transformer-lens", "tokenizers", "safetensors")
    return {
        "architecture": learner.architecture.name,
        "command": command,
        "dataset": learner.dataset.spec.to_json(),
        "recipe": recipe.to_json(),
        "size": size.to_json(),
        "seed": recipe.seed,
        "device": learner.device.type,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "parameters": sum(parameter.numel() for parameter in learner.model.parameters()),
    }
