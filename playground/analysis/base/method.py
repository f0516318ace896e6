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
"""From a model, interventions, what was begun of a result, and where others are kept: the result as it grows."""

NOT_MEASURED = "not measured"
"""Why there is nothing of a method, if nothing else is the matter."""


@dataclass(frozen=True)
class Step:
    """How far a measurement is.

    Args:
        result: what is known so far.
        done: how much has been measured.
        of: how much there is.
    """

    result: Any
    done: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to ask a model how it computes.

    Args:
        name: one word.
        title: what the field calls it.
        question: what it answers.
        how: how it is measured, in a sentence or two.
        caution: what must not be concluded from it.
        source: where it was published.
        is_long: whether it takes more than a few seconds.
        duration: how long it takes in a world of 32 states, such as "some minutes"; only of a long one.
        version: of what it measures; results of others are not used.
        kind: of its results.
        measure: yields results as they grow, from one that was begun.
        present: the blocks that show a result, as far as it is known, in the order in which they are shown.
        options: what a reader can choose about these blocks.
        figures: all numbers of a result, as a JSON document.
        progress: of a result that grows how much of it is measured, and how much there is; all of it if it is there at once.
        tokens_read: about how many tokens a model that can be measured reads meanwhile; None where that is not known before.
        unavailable_reason: why there is nothing of that kind to be measured of a model, in words; None if there is.
        rests_on: the versions of other methods whose measurements are part of its own.
        beside: what its results follow from beside model and interventions, as a digest; nothing unless said.
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
        """Return the name with all that a result follows from beside model, interventions and `version`."""
        return " ".join(filter(None, (self.name, *map(str, self.rests_on), self.beside(model))))

    def load(self, model: Model, interventions: InterventionsLike, store: Store | None) -> Step | None:
        """Return what is known without measuring anything; None if nothing is.

        Args:
            model: stays as it is.
            interventions: values, or their text form.
            store: of that model and these interventions.
        """
        found = store.load(self.key(model), self.version, self.kind) if store else None
        return None if found is None else Step(found, *self.progress(found))

    def run(self, model: Model, interventions: InterventionsLike, store: Store | None) -> Iterator[Step]:
        """Yield the result as it grows; what is kept of it is gone on with, and what is new is kept.

        Args:
            model: stays as it is.
            interventions: values, or their text form.
            store: of that model and these interventions; None keeps nothing.

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
    """Return how a method measures whose one result is there at once.

    Args:
        measure: returns the result of a model under interventions.
    """
    return lambda model, interventions, begun, store: iter((measure(model, interventions),))


progress_of: Callable[[Any], tuple[int, int]] = attrgetter("progress")
"""How much of a result is measured, and how much there is, of one that says so itself."""
