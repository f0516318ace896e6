"""`generate` and `train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger
from rich.console import Console

from playground.errors import Fault, RequestError, count_of, quote
from playground.files import (
    default_rules,
    folder_to_write,
    folders_to_read,
    names_in_use,
)
from playground.startup import many_imports
from playground.worlds import load_world

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from playground.datasets import Dataset
    from playground.training import Evaluation, Progress


def generate(
    *,
    omit: str | None,
    omit_random: int | None,
    seed: int,
    world_file: Path | None,
    name: str,
    replace_shipped: bool,
) -> Path:
    """Draw a dataset and return its folder.

    Raises:
        RequestError: for a world, hold-out or name that is not right; nothing is written then.
    """
    from playground.datasets import DatasetSpec, parse_hold_out, random_hold_out
    from playground.datasets import generate as draw

    folder = folder_to_write("data", name, replace_shipped=replace_shipped)
    world = load_world(world_file or default_rules())
    if omit is not None and omit_random is not None:
        raise RequestError(
            Fault(
                rule="states to hold out are named or drawn",
                expected="one of --omit and --omit-random",
                got="both",
                hint="Leave one of them out.",
            )
        )
    held_out = ()
    if omit is not None:
        held_out = parse_hold_out(omit, world)
    elif omit_random is not None:
        held_out = random_hold_out(world, omit_random, seed)
    spec = DatasetSpec(world=world, held_out=held_out)
    draw(spec, folder)
    logger.info(
        "{}: {:,} samples to train on, {:,} to validate and {:,} to test, of {}; {} held out",
        folder,
        spec.sizes.train,
        spec.sizes.valid,
        spec.sizes.test,
        count_of(len(world.states) - len(held_out), "state"),
        len(held_out),
    )
    return folder


def train(
    *, architecture: str, name: str, epochs: float, seed: int, device: str, replace_shipped: bool
) -> None:
    """Train a model on the dataset of that name, with a progress bar.

    Raises:
        RequestError: for anything that is not right with the request or the dataset.
    """
    folder = folder_to_write("models", name, replace_shipped=replace_shipped)
    with many_imports():
        from playground.models import ARCHITECTURES, choose_device, run_name
        from playground.training import Recipe, train_gpt2

    if architecture not in ARCHITECTURES:
        raise RequestError(
            Fault(
                rule="a model is of a known architecture",
                expected=" or ".join(ARCHITECTURES),
                got=quote(architecture),
                hint="Write: the-experiment train gpt2.",
            )
        )
    recipe = Recipe(epochs=epochs, seed=seed)
    chosen = choose_device(device)
    dataset = _dataset(name, replace_shipped=replace_shipped)
    command = f"the-experiment train {architecture} --name {name} --epochs {epochs:g} --seed {seed}"
    command += f" --device {device}" + (" --replace-shipped" if replace_shipped else "")
    target = folder / run_name(architecture, seed)
    last = None
    with _progress_bar() as bar:
        task = bar.add_task("training", total=None, scores="")
        for last in train_gpt2(dataset, target, recipe, chosen, command):
            _show(bar, task, last)
    if last and last.evaluation:
        _report(last.evaluation, target)


def _dataset(name: str, *, replace_shipped: bool) -> Dataset:
    """Return the dataset `name`; where there is none, the default world with the shipped hold-out."""
    from playground.datasets import SHIPPED_HOLD_OUT, load_dataset

    for folder in folders_to_read("data", name):
        if (folder / "dataset.json").is_file():
            if folder.name != name:
                logger.info("no data/{}: training on {}", name, folder)
            return load_dataset(folder)
        if folder.exists():
            return load_dataset(folder)
    others = [other for other in names_in_use("data") if other != name]
    logger.warning(
        "no data/{}{}: making the shipped dataset there first, the default world with six states held out",
        name,
        f" (there are: {', '.join(others)})" if others else "",
    )
    folder = generate(
        omit=SHIPPED_HOLD_OUT,
        omit_random=None,
        seed=0,
        world_file=None,
        name=name,
        replace_shipped=replace_shipped,
    )
    return load_dataset(folder)


def _progress_bar() -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[scores]}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )


def _show(bar: Bar, task: object, progress: Progress) -> None:
    scores = f"loss {progress.step.loss:.3f}"
    if progress.evaluation:
        accuracy = progress.evaluation.board.accuracy
        scores += f"  seen {accuracy.seen:.0%}"
        if accuracy.held_out is not None:
            scores += f"  held out {accuracy.held_out:.0%}"
    bar.update(task, completed=progress.step.number, total=progress.step.total, scores=scores)  # pyright: ignore[reportArgumentType]
    if progress.fresh and progress.evaluation and progress.evaluation.validation:
        validation = progress.evaluation.validation
        logger.info(
            "epoch {:.2f}: loss {:.4f}; validation (seen states only) loss {:.4f}, {:.1%} right",
            progress.evaluation.epoch,
            progress.evaluation.loss,
            validation.loss,
            validation.accuracy,
        )


def _report(evaluation: Evaluation, folder: Path) -> None:
    right = {name: f"{right} of {total}" for name, (right, total) in evaluation.board.tally.items() if total}
    parts = " and ".join(f"{count} {name.replace('_', '-')} states" for name, count in right.items())
    logger.success("{}: writes {} correctly, after {:.0f} s", folder, parts, evaluation.seconds)
