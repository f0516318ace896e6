"""The steps of a training: against transformers' trainer and the papers' equations."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import log_softmax
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments

from playground.datasets import load_dataset
from playground.models import ARCHITECTURES, Size
from playground.models.gpt2.trainer import Gpt2Ensemble
from playground.training import Loop, Recipe
from tests.training.small_jobs import (
    SIZES,
    make_job,
    train,
)

FIRST = torch.tensor([0])


def without_dropout(model):
    """Return transformers' model with nothing to be dropped, as the recipe has it."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


class OrderedTrainer(Trainer):
    """Transformers' own, but for the order of the samples, the one given, and what decays, all; it keeps its losses."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.losses: list[float] = []

    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)

    def get_decay_parameter_names(self, model):
        return [name for name, _ in model.named_parameters()]

    def training_step(self, *arguments, **options):
        loss = super().training_step(*arguments, **options)
        self.losses.append(loss.item())
        return loss


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{}, {"batch_size": 8, "learning_rate": 1e-2, "gradient_norm": 0.1, "weight_decay": 0.1}],
    ids=["as usual", "all changed"],
)
def test_twenty_steps_are_those_of_transformers_trainer(world_data, tmp_path, changes):
    recipe = Recipe(**{"batch_size": 16, "threads": 1, **changes})
    recipe = replace(recipe, epochs=20 * recipe.batch_size / 96)
    job = make_job(
        world_data, tmp_path, seeds=(3,), size=Size(width=16, layers=2, heads=2), recipe=vars(recipe)
    )
    records = train(job)
    dataset = load_dataset(world_data)
    generator = torch.Generator().manual_seed(3)
    order = torch.cat([torch.randperm(96, generator=generator) for _ in range(math.ceil(recipe.epochs))])
    samples = torch.from_numpy(dataset.train)[order[: 20 * recipe.batch_size]]
    trainer = OrderedTrainer(
        without_dropout(ARCHITECTURES["gpt2"].make(dataset.spec.template, job.size, 3)),
        TrainingArguments(
            output_dir=str(tmp_path / "trainer"),
            num_train_epochs=1,
            per_device_train_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=0,
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.gradient_norm,
            use_cpu=True,
            dataloader_pin_memory=False,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        ),
        # The first token is nobody's to write, and not to be counted.
        train_dataset=[
            {"input_ids": row, "labels": row.clone().index_fill_(0, FIRST, -100)} for row in samples
        ],
    )
    trainer.train()
    losses = [record.step.loss for record in records[1:]]
    assert len(losses) == 20
    assert losses == pytest.approx(trainer.losses, abs=1e-5)
    assert losses[-1] < losses[0] - 0.05
    ours = load_file(tmp_path / "gpt2@3" / "model.safetensors")
    for name, parameter in trainer.model.named_parameters():
        # The bias of the keys has no effect: what Adam makes of its gradient is noise.
        assert (ours[name] - parameter.detach()).abs().max() < recipe.learning_rate / 50, name


@pytest.mark.parametrize("changes", [{}, {"gradient_norm": 0.1, "weight_decay": 0.1}], ids=str)
def test_steps_equal_a_loop_written_out(world_data, changes):
    """AdamW with a linearly falling rate and a clipped gradient, from the papers' equations, in double precision."""
    recipe = Recipe(epochs=2, threads=1, **changes)
    dataset = load_dataset(world_data)
    samples = torch.from_numpy(dataset.train)
    theirs = [
        without_dropout(ARCHITECTURES["gpt2"].make(dataset.spec.template, SIZES["gpt2"], seed).double())
        for seed in (0, 1)
    ]
    ensemble = Gpt2Ensemble(theirs, 0.0, torch.Generator())
    loop = Loop(ensemble, samples[None], (8, 9), torch.Generator(), recipe)
    losses = [loop.step() for _ in range(12)]
    for index, model in enumerate(theirs):
        generator = torch.Generator().manual_seed((8, 9)[index])
        batches = [
            batch for _ in range(2) for batch in samples[torch.randperm(96, generator=generator)].split(16)
        ]
        parameters = list(model.parameters())
        moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in parameters]
        for number, batch in enumerate(batches):
            scores = log_softmax(model(batch).logits[:, :-1], -1)
            loss = -scores.gather(-1, batch[:, 1:, None]).mean()
            assert loss.item() == pytest.approx(
                losses[number][index].item(), abs=1e-8
            )  # The rate is in single precision.
            model.zero_grad()
            loss.backward()
            norm = math.sqrt(sum(float((each.grad**2).sum()) for each in parameters))
            clip = min(1.0, recipe.gradient_norm / (norm + 1e-6))
            rate = 5e-4 * (1 - number / 12)
            with torch.no_grad():
                for parameter, (first, second) in zip(parameters, moments, strict=True):
                    gradient = parameter.grad * clip
                    first.mul_(0.9).add_(0.1 * gradient)
                    second.mul_(0.999).add_(0.001 * gradient**2)
                    step = number + 1
                    change = (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
                    parameter.sub_(rate * (change + recipe.weight_decay * parameter))
        learnt = dict(ensemble.model(index).double().named_parameters())
        for name, parameter in model.named_parameters():
            assert (learnt[name] - parameter).abs().max() < 1e-6  # They are given back in single precision.
