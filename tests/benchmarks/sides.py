"""One side of the comparison of trainings, in its own process, which prints how long it takes.

    python -m tests.benchmarks.sides '{"side": "ours", ...}'

- `original`: transformers' Trainer with a vocabulary of 50,257 and samples of 64 tokens, all of which count. The
  ids are drawn; no mask is passed and no text is tokenised, which the original had to do.
- `trainer`: transformers' Trainer on our tokens, from our weights. It reads both from files and imports nothing of the
  project, to make its start as short as possible.
- `ours`: `train_model`, imported as the command imports it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from transformers import Trainer

VOCABULARY, LENGTH = 50_257, 64
Side = Literal["original", "trainer", "ours"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """The task of a side.

    Args:
        side: the side.
        place: folder with the inputs: `data/`, `tokens/train.npy`, `tokens/valid.npy`, `initial/`.
        out: folder for the outputs.
        recipe: our recipe, in its JSON form.
        device: "cpu" or "cuda".
        steps: after which it stops; None for all epochs of the recipe, with an evaluation after each.
        block: steps per turn; None if it does not take turns.
    """

    side: Side
    place: str
    out: str
    recipe: dict[str, Any]
    device: str = "cpu"
    steps: int | None = None
    block: int | None = None


class Channel:
    """Sends lines of JSON to the parent process; everything else printed goes to standard error."""

    def __init__(self) -> None:
        self._lines = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)

    def tell(self, **what: float) -> None:
        self._lines.write(json.dumps(what) + "\n")

    def take_turn(self, **what: float) -> None:
        """Send a message, then wait for this side's next turn or the end of all turns."""
        self.tell(**what)
        sys.stdin.readline()


def make_trainer(
    kind: type[Trainer],
    model: Module,
    tokens: tuple[Tensor, Tensor | None],
    recipe: dict[str, Any],
    *,
    out: Path,
    device: str,
    steps: int | None = None,
    **changes: Any,
) -> Trainer:
    """Return a Trainer with the settings of the recipe, and otherwise its defaults.

    Args:
        kind: Trainer, or a subclass.
        model: is trained in place.
        tokens: samples to train and to evaluate on.
        recipe: our recipe, in its JSON form.
        out: folder that the Trainer may write to.
        device: "cpu" or "cuda".
        steps: None for all epochs of the recipe, with an evaluation after each.
        changes: further arguments.
    """
    from transformers import TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    arguments = TrainingArguments(
        output_dir=str(out),
        num_train_epochs=recipe["epochs"],
        max_steps=-1 if steps is None else steps,
        per_device_train_batch_size=recipe["batch_size"],
        per_device_eval_batch_size=recipe["batch_size"],
        learning_rate=recipe["learning_rate"],
        lr_scheduler_type="linear",
        weight_decay=recipe["weight_decay"],
        max_grad_norm=recipe["gradient_norm"],
        eval_strategy="epoch" if steps is None else "no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=device == "cpu",
        **changes,
    )
    train, valid = (None if each is None else _samples(each) for each in tokens)
    trainer = kind(model=model, args=arguments, train_dataset=train, eval_dataset=valid)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _samples(tokens: Tensor) -> list[dict[str, Tensor]]:
    """Return samples in which all predictable tokens count."""
    labels = tokens.clone()
    # Nothing predicts the first token, but for a class that is not called ...ForCausalLM, Trainer includes it in the
    # count that it divides by: losses and gradients would be too small by one token per text.
    labels[:, 0] = -100
    return [{"input_ids": row, "labels": wanted} for row, wanted in zip(tokens, labels, strict=True)]


def train_with_trainer(task: Task, channel: Channel) -> None:
    """Do the job of `original` or `trainer`."""
    import numpy as np
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.set_num_threads(task.recipe["threads"])
    torch.manual_seed(0)
    place, clock = Path(task.place), _Clock(synchronize=task.device == "cuda")
    train, valid = (torch.from_numpy(np.load(place / f"tokens/{split}.npy")) for split in ("train", "valid"))
    if task.side == "original":
        train, valid = (torch.randint(VOCABULARY, (len(each), LENGTH)) for each in (train, valid))
        size = {"n_embd": 128, "n_layer": 4, "n_head": 4}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **size))
    else:
        model = GPT2LMHeadModel.from_pretrained(place / "initial")

    class Timed(Trainer):
        def evaluate(self, *given, **named):
            return clock.time("evaluation", lambda: super(Timed, self).evaluate(*given, **named))

    class InTurns(TrainerCallback):
        started = 0.0

        def on_train_begin(self, args, state, control, **_):
            clock.begin()
            if task.block:
                channel.take_turn(begun=clock.begun)
                self.started = clock.now()

        def on_step_end(self, args, state, control, **_):
            if task.block and state.global_step % task.block == 0:
                channel.take_turn(step=(clock.now() - self.started) / task.block)
                self.started = clock.now()

    out = Path(task.out)
    given = {"out": out, "device": task.device, "steps": task.steps}
    trainer = make_trainer(Timed, model, (train, valid), task.recipe, **given)
    trainer.add_callback(InTurns())
    trainer.train()
    clock.spans["steps"] = clock.now() - clock.begun - clock.spans["evaluation"]
    if not task.block:
        if task.steps is not None:
            trainer.evaluate()
        clock.time("saving", lambda: trainer.save_model(str(out / "model")))
    channel.tell(begun=clock.begun, number=trainer.state.global_step, **clock.spans)


def train_ours(task: Task, channel: Channel) -> None:
    """Do the job of `ours`."""
    from playground.startup import many_imports

    with many_imports():
        from loguru import logger

        from playground.datasets import Template
        from playground.files import default_rules
        from playground.models import ARCHITECTURES
        from playground.training import Job, Recipe, train_model
        from playground.worlds import load_world

    logger.remove()
    recipe, gpt2 = Recipe.from_json(task.recipe), ARCHITECTURES["gpt2"]
    job = Job(
        architecture="gpt2",
        size=gpt2.default_size(Template(load_world(default_rules()))),
        dataset=Path(task.place) / "data",
        folder=Path(task.out),
        seeds=(0,),
        recipe=recipe,
        device=task.device,
        command="benchmark",
    )
    training, clock = train_model(job), _Clock()
    next(training)
    clock.begin()
    if task.block:
        channel.take_turn(begun=clock.begun)
    number, plain, recent = 0, [], []
    last = stepped = clock.now()
    for progress in training:
        stepped, number = clock.now(), progress.step.number
        if progress.evaluations:
            clock.spans["evaluation"] += stepped - last
        else:
            recent.append(stepped - last)
        if task.block and number % task.block == 0:
            channel.take_turn(step=sum(recent) / len(recent))
            plain, recent = plain + recent, []
        if number == task.steps:
            training.close()
        last = clock.now()
    plain += recent
    # A step that is followed by an evaluation is timed together with it.
    clock.spans["steps"] = number * sum(plain) / len(plain)
    clock.spans["evaluation"] -= clock.spans["steps"] - sum(plain)
    clock.spans["saving"] = clock.now() - stepped
    channel.tell(begun=clock.begun, number=number, **clock.spans)


class _Clock:
    """Seconds, on a clock that all processes share.

    Args:
        synchronize: whether to wait for pending work of the GPU.
    """

    def __init__(self, *, synchronize: bool = False) -> None:
        self._synchronize = synchronize
        self.begun = 0.0
        self.spans = {"evaluation": 0.0, "saving": 0.0}

    def begin(self) -> None:
        self.begun = self.now()

    def now(self) -> float:
        if self._synchronize:
            import torch

            torch.cuda.synchronize()
        return time.monotonic()

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        started = self.now()
        try:
            return work()
        finally:
            self.spans[name] += self.now() - started


if __name__ == "__main__":
    done = Task(**json.loads(sys.argv[1]))
    (train_ours if done.side == "ours" else train_with_trainer)(done, Channel())
