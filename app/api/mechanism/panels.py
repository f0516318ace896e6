"""The panels of page Mechanism, one a method: what it asks, and what has been found, as far as it is measured."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from api.answers import faults_document
from api.mechanism.block_data import block_data, cases_of, table_data
from api.mechanism.findings import Finding, failure, finding_of, measure
from api.mechanism.sides import Side, Sides
from playground.analysis import METHODS, Method, Option, View, estimate_seconds, in_words
from playground.errors import RequestError
from playground.inference import Model
from playground.worlds import state_text

_LONG = 180
"""Seconds from which the page shows the time expected for this world."""


def methods_data(sides: Sides) -> dict[str, Any]:
    """Return the models that the page shows, and every method: what it asks, what can be chosen, what it needs."""
    found, faults = sides.find()
    first = found[0]
    view = View(first.model, answer=first.answer)
    return {
        "sides": [
            {"which": which, "title": side.title}
            for which, side in zip(("model", "beside"), found)  # noqa: B905
        ],
        "answer": first.answer,
        "held_out": [state_text(state) for state in first.model.dataset.held_out],
        "methods": [_method_data(method, found, view) for method in METHODS.values()],
    } | faults_document(faults)


def _method_data(method: Method, sides: list[Side], view: View) -> dict[str, Any]:
    lacks = [method.unavailable_reason(side.model.network) for side in sides]
    return {
        "name": method.name,
        "title": method.title,
        "question": method.question,
        "how": method.how,
        "caution": method.caution,
        "source": method.source,
        "is_long": method.is_long,
        "duration": method.duration,
        "lacks": lacks,
        "options": [] if all(lacks) else [_option_data(option) for option in method.options(view)],
    }


def _option_data(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "label": option.label,
        "choices": [list(choice) for choice in option.choices],
        "help": option.help,
    }


def panel_parts(side: Side, method: Method) -> Iterator[dict[str, Any]]:
    """Yield what is known of a method's result; one that takes seconds is measured first, with its progress.

    A method that fails says so here, and nowhere else.
    """
    finding = finding_of(side.model, side.applied, method)
    lack = method.unavailable_reason(side.model.network)
    try:
        if not (lack or method.is_long or finding.complete or finding.faults):
            yield {"progress": f"{method.title}: measuring …"}
            for step in measure(side.model, side.applied, method):
                yield {"progress": f"{method.title}: {step.done:,} of {step.of:,} …"}
        yield _panel_data(side, method, finding, lack)
    except RequestError:
        raise
    except Exception as error:
        raise RequestError(failure(method, error)) from error


def _panel_data(side: Side, method: Method, finding: Finding, lack: str | None) -> dict[str, Any]:
    view = side.view(method)
    step = finding.step
    shown = method.present(step.result, view) if step and not lack else ()
    offers = method.is_long and not lack and not finding.complete
    return {
        "progress": "",
        "task": finding.name,
        "running": finding.running,
        "done": step.done if step else 0,
        "of": step.of if step else 0,
        "complete": finding.complete,
        "takes": _how_long(method, side.model) if offers and step is None else "",
        "lack": f"Nothing to measure in {side.title}: {lack}." if lack else "",
        "options": dict(view.options),
        "blocks": [block_data(block, side.run[1]) for block in shown],
    } | {"unmeasured": faults_document(finding.faults)["faults"]}


def cases_data(side: Side, method: Method, block: int, row: int, column: int | None) -> dict[str, Any]:
    """Return the cases behind a cell of a heatmap, or behind a row of a table.

    Args:
        side: the model.
        method: the method.
        block: number of the block.
        row: of the cell, from 0.
        column: of the cell, from 0; None for a row of a table.

    Raises:
        RequestError: if the method fails.
    """
    step = finding_of(side.model, side.applied, method).step
    if step is None:
        return {"cases": None}
    try:
        found = next(islice(method.present(step.result, side.view(method)), block, None), None)
        cases = found and cases_of(found, row, column)
        return {"cases": cases and table_data(cases, side.run[1])}
    except RequestError:
        raise
    except Exception as error:
        raise RequestError(failure(method, error)) from error


def _how_long(method: Method, model: Model) -> str:
    """Return how long a method takes; for many states, how long in this world."""
    seconds = _estimate(model.digest, method.name, method, model)
    if seconds is None or seconds < _LONG:
        return method.duration or "a while"
    return f"{in_words(seconds)} in this world"


@cached(LRUCache(256), key=lambda digest, name, *_: hashkey(digest, name), condition=threading.Condition())
def _estimate(digest: str, name: str, _method: Method, _model: Model) -> float | None:
    return estimate_seconds(_method, _model)
