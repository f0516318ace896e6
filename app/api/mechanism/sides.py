"""The models that page Mechanism shows: the open one and, perhaps, one to compare it with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

from fastapi import Depends, Query

from api.asked.address import read_query
from api.asked.condition import Condition
from api.asked.query import ConditionQuery, open_model
from api.models import library, runs
from api.models.runs import Run
from playground.analysis import Method, View, default_answer
from playground.errors import Fault, RequestError
from playground.inference import ANOTHER_TASK, Model, same_task
from playground.interventions import Intervention
from playground.models import at_step, find_run, runs_of, snapshots_of, split_step

Which = Literal["model", "beside"]
"""The open model, or the one beside it."""


@dataclass(frozen=True)
class Side:
    """One of the models that the page shows.

    Args:
        run: its name and run.
        model: the model.
        condition: of the page.
    """

    run: Run
    model: Model
    condition: Condition

    @property
    def title(self) -> str:
        """The model's name on this page: its run, with the step."""
        return self.run[1]

    @cached_property
    def applied(self) -> tuple[Intervention, ...]:
        """The interventions that apply to it."""
        return self.model.fit(self.condition.interventions).applied

    @property
    def left_out(self) -> tuple[Intervention, ...]:
        """Those that do not."""
        return self.model.fit(self.condition.interventions).left_out

    @property
    def answer(self) -> str:
        """The chosen answer; by default, one that can be derived in two ways."""
        world, chosen = self.model.world, self.condition.answer
        return chosen if chosen in world.answers else default_answer(world)

    def view(self, method: Method) -> View:
        """Return what the blocks of a method are about, with those of the chosen options that it offers here."""
        view = View(
            self.model, self.applied, self.answer, self.model.world.states.index(self.condition.state)
        )
        chosen = dict(self.condition.options)
        offered = {option.name: dict(option.choices) for option in method.options(view)}
        return replace(
            view,
            options={name: chosen[name] for name in offered if chosen.get(name) in offered[name]},
        )


@dataclass(frozen=True)
class Sides:
    """What a request is about.

    Args:
        first: the open model.
        beside: returns the one beside it; None if none is asked for.
    """

    first: Side
    beside: Callable[[], Side] | None

    def find(self) -> tuple[list[Side], tuple[Fault, ...]]:
        """Return the models that can be shown, and why the second one cannot."""
        if self.beside is None:
            return [self.first], ()
        try:
            return [self.first, self.beside()], ()
        except RequestError as error:
            return [self.first], error.faults

    def chosen(self, which: Which) -> Side:
        """Return one of the models.

        Raises:
            RequestError: if it cannot be opened, or none is asked for.
        """
        if which == "model":
            return self.first
        if self.beside is None:
            raise RequestError.of(
                where="beside",
                message="there is no second model",
                expected="the run of another model",
                got="none, or the same one",
                hint="Name one in the parameter beside.",
            )
        return self.beside()


def sides_of(query: Annotated[ConditionQuery, Query()]) -> Sides:
    """Return what a request is about. Interventions that do not fit the open model may fit the second one.

    Raises:
        RequestError: listing everything in the query that means nothing.
    """
    run, model = (query.name, query.model), open_model(query.name, query.model)
    condition, faults = read_query(query.as_query(), model, ())
    if faults:
        raise RequestError(*faults)
    other = condition.beside
    beside = (
        (lambda: Side((run[0], other), _open_rival(model, (run[0], other)), condition)) if other else None
    )
    return Sides(Side(run, model, condition), beside if other != run[1] else None)


SidesDependency = Annotated[Sides, Depends(sides_of)]


def _open_rival(model: Model, run: Run) -> Model:
    """Return the second model.

    Raises:
        RequestError: if it cannot be opened, or learnt another task.
    """
    base, step = split_step(run[1])
    found = library.open_run(find_run(run[0], base), step)
    if not same_task(found, model):
        raise RequestError.of(
            message=f"{run[1]} is left out",
            expected="a model that learnt the same world, with the same states held out",
            got=f"another one: {ANOTHER_TASK}",
            hint="Choose another model to compare with.",
        )
    return found


def rivals(run: Run) -> list[str]:
    """Return what a model can be compared with: runs of the same name that open, then their snapshots."""
    name, own = run
    end = time.monotonic() + runs.ENOUGH
    found = [each for each in runs_of(name) if not runs.faults_of((name, each), end)]
    base = split_step(own)[0]
    on_the_way = [
        at_step(each, step)
        for each in sorted(found, key=lambda each: each != base)
        for step in snapshots_of(find_run(name, each))
    ]
    return [each for each in [*found, *on_the_way] if each != own]
