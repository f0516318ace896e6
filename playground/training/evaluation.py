"""Evaluation during training: on every state, and on the validation samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from playground.datasets import Dataset, DatasetSpec
from playground.inference import Board, Run, decode, make_board
from playground.models import Ensemble, Pass


@dataclass(frozen=True)
class Validation:
    """Results on the validation samples. These are of seen states only, so they do not measure generalisation.

    Args:
        loss: mean over their tokens, in nats.
        accuracy: share of them whose completion the model writes correctly, 0 to 1.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a model after some steps.

    Args:
        step: steps taken.
        epoch: passes over the training samples.
        seconds: of training so far, evaluations included.
        loss: mean training loss since the last evaluation, in nats; None before the first step.
        board: the model on every state.
        validation: at the end of every epoch and of the training, else None.
    """

    step: int
    epoch: float
    seconds: float
    loss: float | None
    board: Board
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
            document["validation_on_seen_states"] = asdict(self.validation)
        return document


def measure_boards(ensemble: Ensemble, specs: list[DatasetSpec], name: str) -> list[Board]:
    """Return each model's board.

    Args:
        ensemble: models in training.
        specs: what each model learns; all of one world.
        name: of the models.
    """
    template = specs[0].template
    truth = torch.from_numpy(template.truth).to(ensemble.parameters.device)
    run = decode(
        lambda texts: Pass(ensemble.logits(texts), {}),
        truth.expand(len(ensemble), -1, -1),
        template.prompt_length,
    )
    runs = [Run(tokens, logits, {}) for tokens, logits in zip(run.tokens, run.logits, strict=True)]
    return [make_board(each, spec, name) for each, spec in zip(runs, specs, strict=True)]


def measure_validation(ensemble: Ensemble, datasets: list[Dataset], boards: list[Board]) -> list[Validation]:
    """Return each model's loss and accuracy on its validation samples, exactly: each state is run once.

    Args:
        ensemble: models in training.
        datasets: what each model learns; all of one world.
        boards: the current board of each.
    """
    truth = datasets[0].spec.template.truth
    texts = torch.from_numpy(truth).to(ensemble.parameters.device)
    losses = _losses(ensemble.logits(texts.expand(len(ensemble), -1, -1)), texts).double().cpu().numpy()
    found = []
    for loss, dataset, board in zip(losses, datasets, boards, strict=True):
        weights = _shares(dataset.valid, truth)
        right = (board.tokens == truth).all(-1)
        found.append(Validation(float(loss @ weights), float(right @ weights)))
    return found


def _shares(
    samples: Int[np.ndarray, "sample token"], texts: Int[np.ndarray, "row token"]
) -> Float[np.ndarray, " row"]:
    """Return, for each text, the share of samples that equal it."""
    different, times = np.unique(samples, axis=0, return_counts=True)
    counts = {tuple(row): count for row, count in zip(different.tolist(), times.tolist(), strict=True)}
    return np.array([counts.get(tuple(row), 0) for row in texts.tolist()]) / len(samples)


def _losses(
    scores: Float[Tensor, "model row token vocabulary"], tokens: Int[Tensor, "row token"]
) -> Float[Tensor, "model row"]:
    """Return each text's mean cross-entropy over every token but the first, in nats."""
    wanted = tokens[:, 1:].expand(len(scores), -1, -1)
    return cross_entropy(scores[:, :, :-1].movedim(-1, 1), wanted, reduction="none").mean(-1)
