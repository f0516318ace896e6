"""`train`: trains one model, all side by side, or one with many seeds; resumes stopped trainings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from loguru import logger

from playground.begun import ALL, TrainingRequest, is_complete
from playground.cli.commands.generate import find_dataset, make_shipped_dataset, say_undetermined
from playground.cli.commands.models.resuming import as_kept, claimed
from playground.cli.commands.models.train_all import train_all
from playground.cli.options import Device, Name, ReplaceShipped
from playground.cli.seeds import read_seeds
from playground.errors import Fault, RequestError, quote
from playground.files import default_rules, folder_to_write, is_name
from playground.startup import many_imports
from playground.worlds import load_world

if TYPE_CHECKING:
    from playground.training import Job, TrainingOverrides

Architecture = Annotated[
    str, typer.Argument(help="Architecture: gpt2, rnn, cnn, mann, one of another package, or all.")
]
Epochs = Annotated[
    float | None,
    typer.Option(
        help="Passes over the data; fractions too. Unless said: 3, and for baselines more if they need it."
    ),
]
UntilLearned = Annotated[
    bool, typer.Option("--until-learned", help="Stop once every seen state is written correctly.")
]
Evaluations = Annotated[
    int | None,
    typer.Option(metavar="N", help="At how many evaluations running it has to be; unless said: 2."),
]
Heads = Annotated[
    int | None, typer.Option(help="Attention heads of each layer, for an architecture with heads (gpt2).")
]
Seed = Annotated[
    str | None,
    typer.Option(metavar="N", help="Of initial weights, order of samples and dropout; unless said: 0."),
]
Seeds = Annotated[
    str | None, typer.Option(metavar="FIRST:END", help="A model for each: 0:256 from 0 to 255, or 0,3,5.")
]
OwnOmitRandom = Annotated[
    int | None,
    typer.Option(
        "--omit-random", metavar="K", help="Hold out K states of each model's own, drawn with its seed."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where it stopped; what is complete stays.")]
JsonLines = Annotated[
    bool, typer.Option("--json-lines", help="Print what happens as lines of JSON and nothing else.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write files for TensorBoard to logs/tensorboard/.")
]
MayReplace = Annotated[
    bool,
    typer.Option("--replace", help="Allow a complete run to be replaced; it is kept as RUN.previous."),
]


def train(
    model: Architecture = "gpt2",
    name: Name = "default",
    epochs: Epochs = None,
    until_learned: UntilLearned = False,
    evaluations: Evaluations = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the first step.")] = None,
    width: Annotated[int | None, typer.Option(help="Of the embedding and of each layer.")] = None,
    layers: Annotated[int | None, typer.Option(help="Number of layers.")] = None,
    heads: Heads = None,
    seed: Seed = None,
    seeds: Seeds = None,
    omit_random: OwnOmitRandom = None,
    resume: Resume = False,
    json_lines: JsonLines = False,
    tensorboard: TensorBoard = False,
    may_replace: MayReplace = False,
    device: Device = "auto",
    replace_shipped: ReplaceShipped = False,
) -> None:
    """Train a model on a dataset, or all models side by side; without a dataset, the shipped one is made first."""
    numbers = read_seeds(seed, seeds)
    folder = folder_to_write("models", name, replace_shipped=replace_shipped)
    overrides = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "width": width,
        "layers": layers,
        "heads": heads,
        "until_learned": until_learned or None,
        "evaluations": evaluations,
        "omit_random": omit_random,
    }
    said = {option: value for option, value in overrides.items() if value is not None}
    asked = TrainingRequest(model, numbers, said)
    # A name that cannot be a folder is no architecture, which `_plan` reports.
    with claimed(folder, asked, kept=not resume and is_name(model)) as give:
        jobs = _plan(asked, name, folder, device=device, resume=resume, replace_shipped=replace_shipped)
        with _replacing(jobs, allowed=may_replace or replace_shipped or resume):
            if not jobs[0].dataset.exists():
                make_shipped_dataset(name, replace_shipped=replace_shipped)
            give(jobs)
            train_all(jobs, device=device, json_lines=json_lines, tensorboard=tensorboard)


def _plan(
    asked: TrainingRequest, name: str, folder: Path, *, device: str, resume: bool, replace_shipped: bool
) -> list[Job]:
    """Return the jobs to do; without a dataset, on the shipped one."""
    with many_imports():
        from playground.datasets import Template, load_dataset, random_hold_out
        from playground.models import ARCHITECTURES, choose_device
        from playground.training import TrainingOverrides, longest_first, plan_training, train_command

    overrides = TrainingOverrides(**asked.options)
    _check(asked.architecture, list(ARCHITECTURES), overrides)
    on_cuda = choose_device(device).type == "cuda"
    source = find_dataset(name)
    # Faults of the request are found before a dataset is drawn for it.
    spec = load_dataset(source).spec if source else None
    world = spec.world if spec else load_world(default_rules())
    if overrides.omit_random is not None:
        random_hold_out(world, overrides.omit_random, 0)
    elif spec:
        say_undetermined(spec)
    names = longest_first(ARCHITECTURES) if asked.architecture == ALL else [asked.architecture]

    def make(asked: TrainingRequest, names: Sequence[str]) -> list[Job]:
        overrides = TrainingOverrides(**asked.options)
        command = train_command(asked.architecture, name, overrides, asked.seeds)
        command += f" --device {device}" + (" --replace-shipped" if replace_shipped else "")
        return plan_training(
            names,
            asked.seeds,
            overrides,
            Template(world),
            dataset=source or Path("data") / name,
            folder=folder,
            device=device,
            command=command,
            resume=resume,
            side_by_side=on_cuda,
        )

    jobs = make(asked, names)
    if resume:
        if not source and any(job.unfinished.exists for job in jobs):
            # Fails here instead of drawing samples that differ from those the training began with.
            load_dataset(Path("data") / name)
        if overrides.said:
            _check_complete(jobs)
        jobs = as_kept(jobs, folder, overrides, lambda asked, architecture: make(asked, [architecture]))
    return jobs


@contextmanager
def _replacing(jobs: list[Job], *, allowed: bool) -> Iterator[None]:
    """Log which complete runs will be replaced, or refuse that; afterwards log where the old runs are."""
    from playground.training import check_replaced, replaced_by

    taken = replaced_by(jobs)
    if not allowed:
        check_replaced(taken)
    for each in taken:
        logger.warning("{}", each)
    try:
        yield
    finally:
        for each in taken:
            if each.is_done:
                logger.info("{}: the run that was there before", each.kept)


def _check_complete(jobs: list[Job]) -> None:
    """Check that complete runs were trained with the options given now."""
    from playground.models import read_run

    faults = []
    for job in jobs:
        for run in () if job.unfinished.exists else (job.folder / each for each in job.names):
            if not is_complete(run):
                continue
            known = read_run(run)
            before = {**(known.recipe or {}), **(known.size or {})}
            asked = {**job.recipe.to_json(), **job.size.to_json()}
            other = {name: value for name, value in asked.items() if before.get(name) != value}
            faults += [
                Fault(
                    where=str(run),
                    message="a complete run keeps its options",
                    expected=f"{name} {before.get(name)}",
                    got=str(value),
                    hint="Leave --resume out to train it anew, or choose another --name.",
                )
                for name, value in other.items()
            ]
    if faults:
        raise RequestError(*faults)


def _check(architecture: str, known: list[str], overrides: TrainingOverrides) -> None:
    faults = []
    if architecture not in (*known, ALL):
        faults.append(
            Fault(
                message="unknown architecture",
                expected=f"{', '.join(known)} or {ALL}",
                got=quote(architecture),
                hint="Write: the-experiment train gpt2.",
            )
        )
    of_one = [
        name for name in ("epochs", "learning_rate", "width", "layers", "heads") if name in overrides.said
    ]
    if architecture == ALL and of_one:
        faults.append(
            Fault(
                message="epochs, learning rate and size need one architecture",
                expected="one of " + ", ".join(known) + " with them",
                got=f"{ALL} with{overrides.options()}",
                hint="Train each with its own command.",
            )
        )
    if overrides.evaluations is not None and not overrides.until_learned:
        faults.append(
            Fault(
                message="--evaluations needs --until-learned",
                expected="--until-learned with it",
                got="none",
                hint="Add --until-learned, or leave --evaluations out.",
            )
        )
    if faults:
        raise RequestError(*faults)
