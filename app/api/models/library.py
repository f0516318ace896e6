"""The library as the pages call it: each model is loaded once for all open tabs."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from threading import Condition
from typing import Any

from cachetools import LRUCache, cached

from api.models import runs
from playground.analysis import Effect, ablations, measure_effect, rank
from playground.begun import RUN_FILE
from playground.errors import RequestError
from playground.inference import (
    ANOTHER_TASK,
    Board,
    Compared,
    Completion,
    Model,
    PartialBoard,
    compare_conditions,
    complete,
    open_model,
    same_task,
)
from playground.interventions import ActivationIntervention, Intervention, NamedCondition, Span, format_all
from playground.models import (
    Network,
    Site,
    find_run,
    load_checkpoint,
    runs_of,
    snapshot_path,
    snapshots_of,
    split_step,
)
from playground.models.storage.integrity import CONFIG
from playground.worlds import State


def _by(count: int) -> Callable[..., tuple[Hashable, ...]]:
    """Return a key of a cache that consists of the first arguments of a call; the others follow from them."""

    def key(*arguments: Any) -> tuple[Hashable, ...]:
        return arguments[:count]

    return key


def open_run(folder: Path, step: int | None = None) -> Model:
    """Return the model in `folder`; it is reloaded only if one of its files has changed.

    Args:
        folder: of the run.
        step: training step of the wanted snapshot; None for the trained model.

    Raises:
        RequestError: if its files are damaged or incomplete, or are being replaced at this moment.
    """
    try:
        weights = folder / "model.safetensors" if step is None else snapshot_path(folder, step)
        files = (folder / RUN_FILE, folder / CONFIG, weights)
        changed = tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists())
        return _open(str(folder.resolve()), changed, step)
    except OSError as error:
        raise RequestError(*runs.in_faults(error, folder)) from error


def open_rivals(model: Model, run: tuple[str, str]) -> tuple[list[Model], list[str]]:
    """Return all models of the same name that can be compared with the open one, and why others cannot.

    Args:
        model: the open model; the result includes it.
        run: its name and run.
    """
    name, (own, step) = run[0], split_step(run[1])
    rivals, left_out = [], []
    for other in runs_of(name):
        folder = find_run(name, other)
        kept = [each for each in snapshots_of(folder) if step is not None and each <= step]
        if step is not None and not kept:
            left_out.append(f"{other} is shown fully trained: it has no snapshot up to step {step:,}.")
        try:
            rival = model if other == own else open_run(folder, max(kept, default=None))
        except RequestError as error:
            left_out += [f"{folder} is left out: {fault}" for fault in error.faults]
            continue
        if same_task(rival, model):
            rivals.append(rival)
        else:
            left_out.append(f"{folder} is left out: {ANOTHER_TASK}.")
    return rivals, left_out


def board(model: Model, interventions: Sequence[Intervention]) -> Board:
    """Return the complete board of a model under interventions; the last few boards are cached for all tabs."""
    return growing(model, interventions).board


def growing(model: Model, interventions: Sequence[Intervention]) -> PartialBoard:
    """Return the board of a model under interventions, as far as it has been computed; all tabs share it."""
    return _growing(model.checkpoint.digest, format_all(interventions), model, tuple(interventions))


@cached(LRUCache(128), key=_by(2), condition=Condition())
def _growing(digest: str, text: str, _model: Model, _interventions: tuple[Intervention, ...]) -> PartialBoard:
    return _model.partial_board(_interventions, _beside(digest, _model))


@cached(LRUCache(16), key=_by(1), condition=Condition())
def _beside(digest: str, _model: Model) -> tuple[Network, ...]:
    """Return copies of the model, one per further core, which compute the blocks of a large world in parallel."""
    if _model.texts.single:
        return ()
    count = min(os.cpu_count() or 1, _MOST_CORES) - 1
    checkpoints = [
        load_checkpoint(_model.checkpoint.folder, _model.network.device, _model.checkpoint.step)
        for _ in range(count)
    ]
    # The run may have been retrained meanwhile.
    return tuple(each.network for each in checkpoints if each.digest == digest)


def begin(model: Model, interventions: Sequence[Intervention], state: State) -> PartialBoard:
    """Return a board on which at least that state is known; for a world of one block, all states."""
    found = growing(model, interventions)
    found.find(found.block_of(model.world.states.index(state)))
    return found


def completion(model: Model, text: str, interventions: Sequence[Intervention]) -> Completion:
    """Return how a model continues a text; the last few completions are cached for all tabs."""
    return _completions(model.checkpoint.digest, text, format_all(interventions), model, tuple(interventions))


@cached(LRUCache(512), key=_by(3), condition=Condition())
def _completions(
    digest: str, text: str, done: str, _model: Model, _interventions: tuple[Intervention, ...]
) -> Completion:
    return complete(_model, text, _interventions)


@cached(LRUCache(128), condition=Condition())
def _open(folder: str, changed: tuple[tuple[int, int], ...], step: int | None) -> Model:
    return open_model(Path(folder), step=step)


@cached(LRUCache(64), condition=Condition())
def _effects(digest: str, kind: str, positions: str) -> list[Effect]:
    """Return the list that `measure_effects` fills; all tabs share it."""
    return []


def known_ranking(model: Model, kind: type[ActivationIntervention], positions: Span) -> list[Effect] | None:
    """Return the elements of a model, ranked, if the effects of all of them have been measured."""
    known = _effects(model.checkpoint.digest, kind.kind, str(positions))
    return rank(known, model.baseline) if known else None


def measure_effects(model: Model, kind: type[ActivationIntervention], positions: Span) -> Iterator[Site]:
    """Measure the elements of a model one by one; the results are kept once all are done.

    Yields:
        The element being measured, after each block of states: a click may interrupt there.
    """
    effects = []
    for ablation in ablations(model, kind, positions):
        edited = growing(model, (ablation,))
        for _ in edited.compute_blocks():
            yield ablation.site
        effects.append(measure_effect(model.baseline, edited.board, ablation))
    _effects(model.checkpoint.digest, kind.kind, str(positions))[:] = effects


@cached(LRUCache(256), condition=Condition())
def _counts(digest: str, text: str) -> list[int]:
    """Return the list that `measure_counts` fills; all tabs share it."""
    return []


def known_counts(model: Model, active: tuple[Intervention, ...]) -> list[int] | None:
    """Return for each intervention how many wrong states removing it alone fixes, if that has been counted."""
    return _counts(model.checkpoint.digest, format_all(active)) or None


def measure_counts(model: Model, active: tuple[Intervention, ...]) -> Iterator[int]:
    """Count for each intervention the wrong states that removing it alone fixes.

    Yields:
        How many interventions are done, after each block of states: a click may interrupt there.
    """
    wrong = ~board(model, model.fit(active).applied).correct
    counts = []
    for index in range(len(active)):
        others = growing(model, model.fit((*active[:index], *active[index + 1 :])).applied)
        for _ in others.compute_blocks():
            yield index
        counts.append(int((wrong & others.board.correct).sum()))
        yield index + 1
    _counts(model.checkpoint.digest, format_all(active))[:] = counts


_MOST_CORES = 4
"""Cores that compute the blocks of one board: more bring little when several people use the app."""

_MOST_COMPARED = 1_000


@cached(LRUCache(16), condition=Condition())
def _compared(digest: str) -> dict[tuple[str, ...], Compared]:
    """Return the results that `compared` fills; all tabs share them."""
    return {}


def is_compared(model: Model, condition: NamedCondition) -> bool:
    """Return whether a named condition has been measured on a model."""
    return condition.interventions in _compared(model.checkpoint.digest)


def compared(model: Model, condition: NamedCondition) -> Compared:
    """Return a model's board under a named condition; it is cached."""
    known = _compared(model.checkpoint.digest)
    if condition.interventions not in known:
        if len(known) >= _MOST_COMPARED:
            known.clear()
        known[condition.interventions] = compare_conditions(model, [condition])[1]
    return known[condition.interventions]
