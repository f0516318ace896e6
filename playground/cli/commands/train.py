"""`train`: one model, all side by side, or one with many seeds; told of as it goes, and to be gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from loguru import logger

from playground.begun import ALL, TrainingRequest
from playground.cli.commands.generate import find_dataset, make_shipped_dataset, say_undetermined
from playground.cli.commands.resuming import as_kept, claimed
from playground.cli.interruption import Interrupted, Interruption
from playground.cli.options import Device, Name, ReplaceShipped
from playground.cli.seeds import read_seeds, seeds_text
from playground.errors import Fault, RequestError, WorkError, quote
from playground.files import SHIPPED, default_rules, folder_to_write, is_name
from playground.startup import many_imports
from playground.worlds import load_world

if TYPE_CHECKING:
    from playground.cli.output.progress import Watcher
    from playground.inference import Board
    from playground.training import Evaluation, Failure, Job, Report, TrainingOverrides


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a training is gone about, and how it is told of.

    Args:
        device: "auto", "cpu" or "cuda".
        resume: whether what has begun goes on where it stopped.
        json_lines: whether reports are printed as lines of JSON instead of bars.
        tensorboard: whether files for TensorBoard are written.
        replace_shipped: whether what comes with the project may be replaced.
        replace: whether complete runs of one's own may be.
    """

    device: str
    resume: bool
    json_lines: bool
    tensorboard: bool
    replace_shipped: bool
    replace: bool


def train(
    model: Annotated[
        str, typer.Argument(help="Architecture: gpt2, rnn, cnn, mann, one of another package, or all.")
    ] = "gpt2",
    name: Name = "default",
    epochs: Annotated[
        float | None,
        typer.Option(
            help="Passes over the data; fractions too. Unless said: 3, and for baselines more if they need it."
        ),
    ] = None,
    until_learned: Annotated[
        bool, typer.Option("--until-learned", help="Stop once every seen state is written correctly.")
    ] = False,
    evaluations: Annotated[
        int | None,
        typer.Option(metavar="N", help="At how many evaluations running it has to be; unless said: 2."),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the first step.")] = None,
    width: Annotated[int | None, typer.Option(help="Of the embedding and of each layer.")] = None,
    layers: Annotated[int | None, typer.Option(help="Number of layers.")] = None,
    heads: Annotated[
        int | None, typer.Option(help="Attention heads of each layer, for an architecture with heads (gpt2).")
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option(metavar="N", help="Of initial weights, order of samples and dropout; unless said: 0."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="FIRST:END", help="A model for each: 0:256 from 0 to 255, or 0,3,5."),
    ] = None,
    omit_random: Annotated[
        int | None,
        typer.Option(
            "--omit-random", metavar="K", help="Hold out K states of each model's own, drawn with its seed."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where it stopped; what is complete stays.")
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Print what happens as lines of JSON and nothing else.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write files for TensorBoard to logs/tensorboard/.")
    ] = False,
    may_replace: Annotated[
        bool,
        typer.Option("--replace", help="Allow a complete run to be replaced; it is kept as RUN.previous."),
    ] = False,
    device: Device = "auto",
    replace_shipped: ReplaceShipped = False,
) -> None:
    """Train a model on a dataset, or all models side by side; without a dataset, the shipped one is made first."""
    numbers = read_seeds(seed, seeds)
    manner = Manner(
        device=device,
        resume=resume,
        json_lines=json_lines,
        tensorboard=tensorboard,
        replace_shipped=replace_shipped,
        replace=may_replace or replace_shipped,
    )
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
    # What cannot name a folder is no architecture, as is said once it is known which there are.
    with claimed(folder, asked, kept=not resume and is_name(model)) as claim:
        jobs = _plan(asked, name, folder, manner)
        with _replacing(jobs, manner):
            if not jobs[0].dataset.exists():
                make_shipped_dataset(name, replace_shipped=manner.replace_shipped)
            claim.give(jobs)
            _do(jobs, manner)


def _plan(asked: TrainingRequest, name: str, folder: Path, manner: Manner) -> list[Job]:
    """Return what is to be done; without a dataset, on the shipped one.

    Raises:
        RequestError: if something of it is wrong.
    """
    with many_imports():
        from playground.datasets import Template, load_dataset, random_hold_out
        from playground.models import ARCHITECTURES, choose_device
        from playground.training import Job, TrainingOverrides, longest_first, plan_training

    overrides = TrainingOverrides(**asked.options)
    _check(asked.architecture, list(ARCHITECTURES), overrides)
    on_cuda = choose_device(manner.device).type == "cuda"
    source = find_dataset(name)
    # What is not right with the request is told before a dataset is drawn for it.
    spec = load_dataset(source).spec if source else None
    world = spec.world if spec else load_world(default_rules())
    if spec and overrides.omit_random is None:
        say_undetermined(spec)
    if overrides.omit_random is not None:
        random_hold_out(world, overrides.omit_random, 0)
    names = longest_first(ARCHITECTURES) if asked.architecture == ALL else [asked.architecture]

    def make(asked: TrainingRequest, names: Sequence[str]) -> list[Job]:
        overrides = TrainingOverrides(**asked.options)
        return [
            Job(
                **vars(each),
                dataset=source or Path("data") / name,
                folder=folder,
                device=manner.device,
                command=_command(asked, overrides, name, manner),
                omit_random=overrides.omit_random,
                resume=manner.resume,
                ship=name == SHIPPED,
            )
            for each in plan_training(names, asked.seeds, overrides, Template(world), side_by_side=on_cuda)
        ]

    jobs = make(asked, names)
    if manner.resume:
        if not source and any(job.unfinished.exists for job in jobs):
            # Not to have others drawn where those that it was begun with are to be put back.
            load_dataset(Path("data") / name)
        if overrides.said:
            _check_complete(jobs)
        jobs = as_kept(jobs, folder, overrides, lambda asked, architecture: make(asked, [architecture]))
    return jobs


def _command(asked: TrainingRequest, overrides: TrainingOverrides, name: str, manner: Manner) -> str:
    """Return a command that asks for the same."""
    command = f"the-experiment train {asked.architecture} --name {name}{overrides.options()}"
    first, *others = asked.seeds
    command += f" --seeds {seeds_text(asked.seeds)}" if others else f" --seed {first}"
    return f"{command} --device {manner.device}" + (" --replace-shipped" if manner.replace_shipped else "")


@contextmanager
def _replacing(jobs: list[Job], manner: Manner) -> Iterator[None]:
    """Say which complete runs trainings take the place of, and afterwards where these are.

    Raises:
        RequestError: if they may not be replaced.
    """
    from playground.training import check_replaced, replaced_by

    taken = replaced_by(jobs)
    if not (manner.replace or manner.resume):
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
    """Do nothing if what is complete was trained as is asked for now.

    Raises:
        RequestError: with all that was trained otherwise.
    """
    from playground.models import read_run

    faults = []
    for job in jobs:
        for run in () if job.unfinished.exists else (job.folder / each for each in job.names):
            if not (run / "run.json").is_file():
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


def _do(jobs: list[Job], manner: Manner) -> None:
    """Do trainings, several at once in processes of their own, and tell of them."""
    from playground.models import choose_device
    from playground.training import Report, report_on, run_jobs

    given_up = {job: job.unfinished.step for job in jobs if job.unfinished.exists and not job.resume}
    interruption = Interruption()
    try:
        if len(jobs) > 1 and choose_device(manner.device).type != "cuda":
            _watch(jobs, run_jobs(jobs), manner, given_up)
        else:
            with interruption.awaited():
                reports = (
                    report
                    for job in jobs
                    for report in chain([Report(job)], report_on(job, interruption.is_asked))
                )
                _watch(jobs, reports, manner, given_up)
            interruption.meet()
    except Interrupted:
        for job in jobs:
            if job.unfinished.exists:
                logger.info("{}: what it has learnt is kept; --resume goes on", job.folder / job.name)
        raise


def _watch(jobs: Sequence[Job], reports: Iterator[Report], manner: Manner, given_up: dict[Job, int]) -> None:
    """Tell of trainings until they are done.

    Args:
        jobs: all of them.
        reports: what they say.
        manner: how they are told of.
        given_up: after how many steps those stand in whose place they are begun.

    Raises:
        RequestError: if all that failed were wrong requests.
        WorkError: if one failed for another reason.
    """
    from playground.cli.output.progress import Bars, JsonLines, TensorBoard

    watchers: list[Watcher] = [JsonLines() if manner.json_lines else Bars(jobs)]
    if manner.tensorboard:
        watchers.append(TensorBoard(jobs))
    latest: dict[tuple[Job, int], Evaluation] = {}
    failed: dict[Job, Failure] = {}
    try:
        for report in reports:
            for watcher in watchers:
                watcher.take(report)
            if report.progress:
                if report.job in given_up:
                    # Only now it is: what is wrong with the request would have been told before.
                    run, step = report.job.folder / report.job.name, given_up.pop(report.job)
                    logger.warning("{}: what was begun there before, up to step {:,}, is given up", run, step)
                latest |= {(report.job, seed): each for seed, each in report.progress.evaluations.items()}
            if report.failure:
                failed[report.job] = report.failure
            elif report.stopped:
                break
            elif report.done:
                _conclude(report.job, latest)
    finally:
        for watcher in watchers:
            watcher.close()
    _check_failures(failed)


def _check_failures(failed: dict[Job, Failure]) -> None:
    """Say what failed; return only if nothing did."""
    if not failed:
        return
    faults = dict.fromkeys(fault for failure in failed.values() for fault in failure.faults)
    if all(failure.faults for failure in failed.values()):
        raise RequestError(*faults)
    causes = [str(fault) for fault in faults]
    for job, failure in failed.items():
        if not failure.faults:
            causes.append(f"{job.folder / job.name} could not be trained: {failure.error}")
            logger.debug("{}", failure.details)
    raise WorkError(*causes)


def _conclude(job: Job, latest: dict[tuple[Job, int], Evaluation]) -> None:
    """Say what each model of a job can do."""
    from playground.inference import not_learnt

    for seed, name in zip(job.seeds, job.names, strict=True):
        evaluation = latest.get((job, seed))
        if evaluation is None:
            logger.success("{}: is complete, nothing is left to do", job.folder / name)
            continue
        tally = evaluation.board.tally.items()
        right = {group: f"{right} of {total}" for group, (right, total) in tally if total}
        parts = " and ".join(f"{count} {group.replace('_', '-')} states" for group, count in right.items())
        parts += _guessing(evaluation.board)
        logger.success(
            "{}: writes {} correctly, after {:.0f} s", job.folder / name, parts, evaluation.seconds
        )
        if evaluation.board.accuracy.seen < 1:
            logger.warning("{}", not_learnt(evaluation.board))
            logger.warning(
                "{}: its training ended at the {:g} epochs that it has at most, after {:,} steps",
                job.architecture,
                job.recipe.cap or job.recipe.epochs,
                evaluation.step,
            )


def _guessing(board: Board) -> str:
    """Return how many held-out states guessing would have got right, in parentheses; nothing where none is held out."""
    best = board.guesses.best
    if best is None:
        return ""
    right, total = best.tally
    return f" (guessing: {right} of {total}{f', {best.name}' if right else ''})"
