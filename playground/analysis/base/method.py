"""A method: one question about how a model computes, how it is measured in steps, and how its result is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from playground.analysis.base.presentation import Block, Option
from playground.analysis.base.store import Store, to_document
from playground.analysis.base.view import View
from playground.errors import RequestError
from playground.inference import Model
from playground.inference.model import InterventionsLike
from playground.models import Network

Measure = Callable[[Model, InterventionsLike, Any, Store | None], Iterator[Any]]
"""Maps a model, interventions, a partial result to resume, and a store of other results to the growing result."""

NOT_MEASURED = "not measured"
"""The default reason why a method has no result."""


@dataclass(frozen=True)
class Step:
    """The progress of a measurement.

    Args:
        result: the result so far.
        done: how many units of work are done.
        of: how many there are.
    """

    result: Any
    done: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to ask a model how it computes.

    Args:
        name: one word.
        title: the field's name for it.
        question: what it answers.
        how: how it is measured, in a sentence or two.
        caution: what must not be concluded from it.
        source: where it was published.
        is_long: whether it takes more than a few seconds.
        duration: how long it takes in a world of 32 states, such as "some minutes"; only for long methods.
        version: of the measurement; stored results of other versions are not used.
        kind: the class of its results.
        measure: yields the growing result, resuming from a partial one.
        present: the blocks that show a result, complete or partial, in display order.
        options: what a reader can choose for these blocks.
        figures: all numbers of a result, as a JSON document.
        progress: units of work done and in total, for a result that grows; by default it is complete at once.
        tokens_read: about how many tokens the model reads during the measurement; None if that is not known beforehand.
        unavailable_reason: why the method does not apply to a model, in words; None if it does.
        rests_on: the versions of other methods whose results it uses.
        beside: a digest of what its results depend on besides model and interventions; empty by default.
    """

    name: str
    title: str
    question: str
    how: str
    caution: str
    source: str = ""
    is_long: bool = False
    duration: str = ""
    version: int = 1
    kind: type
    measure: Measure
    present: Callable[[Any, View], Iterable[Block]]
    options: Callable[[View], tuple[Option, ...]] = lambda view: ()
    figures: Callable[[Any, Model], Any] = lambda result, model: to_document(result)
    progress: Callable[[Any], tuple[int, int]] = lambda result: (1, 1)
    tokens_read: Callable[[Model], float | None] = lambda model: None
    unavailable_reason: Callable[[Network], str | None] = lambda network: None
    rests_on: tuple[int, ...] = ()
    beside: Callable[[Model], str] = lambda model: ""

    def key(self, model: Model) -> str:
        """Return the name with all that a result depends on besides model, interventions and `version`."""
        return " ".join(filter(None, (self.name, *map(str, self.rests_on), self.beside(model))))

    def load(self, model: Model, interventions: InterventionsLike, store: Store | None) -> Step | None:
        """Return the stored result, complete or partial, without measuring; None if there is none.

        Args:
            model: stays as it is.
            interventions: values, or their text form.
            store: the store for this model and these interventions.
        """
        found = store.load(self.key(model), self.version, self.kind) if store else None
        return None if found is None else Step(found, *self.progress(found))

    def run(self, model: Model, interventions: InterventionsLike, store: Store | None) -> Iterator[Step]:
        """Yield the result as it grows, resuming from the stored part and saving progress.

        Args:
            model: stays as it is.
            interventions: values, or their text form.
            store: the store for this model and these interventions; None saves nothing.

        Raises:
            RequestError: if the model lacks what is measured, and as `Model.run_all` does.
        """
        lack = self.unavailable_reason(model.network)
        if lack:
            raise RequestError.of(
                message=f"{self.title} cannot be measured here",
                expected="a model that has it",
                got=f"{model.name}: {lack}",
                hint="Choose another --method or another --model.",
            )

        def measure(begun: Any) -> Iterator[Any]:
            return self.measure(model, interventions, begun, store)

        if store is None:
            results = measure(None)
        else:
            results = store.resume(self.key(model), self.version, self.kind, measure, self.progress)
        for result in results:
            yield Step(result, *self.progress(result))


def at_once(measure: Callable[[Model, InterventionsLike], Any]) -> Measure:
    """Return the `measure` function of a method that yields a single, complete result.

    Args:
        measure: returns a model's result under interventions.
    """
    return lambda model, interventions, begun, store: iter((measure(model, interventions),))


progress_of: Callable[[Any], tuple[int, int]] = attrgetter("progress")
"""Reads the progress from a result that has a `progress` property."""
