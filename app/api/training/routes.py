"""What page Train asks: its form, checked; trainings that are started, watched, stopped, resumed, discarded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api import events
from api.answers import faults_document
from api.models import runs
from api.training import form_data, progress, starting
from api.training.charts import board_data, chart_data
from api.training.form import FormDependency, FormQuery, find_world, read_form
from api.training.progress import Shown
from playground.datasets import hardest_hold_out, random_hold_out, states_in
from playground.datasets.holdout import check_size
from playground.errors import RequestError
from playground.worlds import load_world, state_text

router = APIRouter(prefix="/training")

_LOOK = 1.0
"""Seconds between two looks at the trainings that a page watches."""

Name = Annotated[str, Query(description="NAME/RUN of a training, as in models/NAME/RUN")]


@router.get("/form")
def get_form(rules: str | None = None) -> dict[str, Any]:
    """Return what a form can choose from, and the world of the chosen file of rules; None if it cannot be read."""
    return form_data.form_data(rules)


@router.get("/check")
def get_check(query: Annotated[FormQuery, Query()]) -> dict[str, Any]:
    """Return everything that is wrong with a form, warnings about its hold-out, and which complete runs it would replace."""
    try:
        form = read_form(query)
    except RequestError as error:
        return {"warnings": [], "replaces": [], **faults_document(error.faults)}
    replaces, faults = starting.check(form)
    return {"warnings": starting.warnings(form.spec), "replaces": replaces, **faults_document(faults)}


@router.get("/hold-out")
def get_hold_out(
    way: Literal["random", "hardest", "like"],
    rules: str | None = None,
    count: int = 0,
    seed: int = 0,
    like: str = "",
) -> dict[str, list[str]]:
    """Return states to hold out.

    Args:
        way: `random` draws them, `hardest` takes those that simple predictors miss most while every rule stays
            identifiable, `like` takes those that match patterns.
        rules: name of the world's file of rules.
        count: how many, unless they are to match patterns.
        seed: with which they are drawn.
        like: patterns such as 1,*,0;0,0,0.
    """
    world = load_world(find_world(rules))
    match way:
        case "random":
            states = random_hold_out(world, count, seed)
        case "hardest":
            states = hardest_hold_out(world, count)
        case "like":
            states = states_in(like, world)
            check_size(len(states), world)
    return {"states": [state_text(state) for state in sorted(states)]}


@router.post("/start")
def post_start(form: FormDependency, *, replace: bool = False) -> dict[str, Any]:
    """Start trainings. If complete runs would be replaced, nothing starts until `replace` says that they may be."""
    return starting.start(form, replace=replace)


@router.post("/stop")
def post_stop(run: Name) -> dict[str, str]:
    """Stop a training; its progress is kept."""
    progress.stop(run)
    return {"stopped": run}


@router.post("/resume")
def post_resume(run: Name) -> dict[str, str]:
    """Let a stopped training go on."""
    progress.resume(run)
    return {"resumed": run}


@router.post("/discard")
def post_discard(run: Name) -> dict[str, str]:
    """Throw away what a stopped training has learnt."""
    progress.discard(run)
    return {"discarded": run}


@router.get("/trainings")
def get_trainings() -> dict[str, Any]:
    """Return all trainings: those of this server, unfinished ones, finished ones."""
    return {"trainings": [progress.training_json(each) for each in progress.all_of_them()]}


@router.get("/progress")
def get_progress(run: Name) -> dict[str, Any]:
    """Return the charts of a training and, if it was evaluated since this server runs, what it wrote in every state."""
    return _watched(progress.find_training(run))


@router.get("/events", response_class=StreamingResponse)
def get_events(watch: str = "") -> StreamingResponse:
    """Return server-sent events: `trainings`, `charts` and `board`, each whenever it has changed.

    Args:
        watch: NAME/RUN of the training to watch; by default one that runs, or the latest.
    """
    last: list[str] = []

    def look() -> Iterator[tuple[str, Any]]:
        shown = progress.all_of_them()
        names = [each.name for each in shown]
        faults = [progress.no_such_training(watch, names)] if watch and watch not in names else []
        # The one that was watched first stays, so that the page shows how it ended.
        here = next((name for name in [watch, *last] if name in names), progress.first_to_watch(shown))
        last[:] = [here] if here else []
        yield (
            "trainings",
            {
                "trainings": [progress.training_json(each) for each in shown],
                "watched": here,
                **faults_document(faults),
            },
        )
        document = (
            _watched(shown[names.index(here)]) if here else {"charts": None, "board": None, "faults": []}
        )
        yield "charts", {"charts": document["charts"], "faults": document["faults"]}
        yield "board", document["board"]

    return events.watch(look, _LOOK)


def _watched(shown: Shown) -> dict[str, Any]:
    """Return the charts and the board of a training, and why there are no charts."""
    faults = runs.faults_of(shown.run) if shown.is_complete and shown.progress is None else ()
    charts = None
    if not faults:
        try:
            charts = chart_data(shown)
        except RequestError as error:
            faults = error.faults
    return {"charts": charts, "board": board_data(shown), **faults_document(faults)}
