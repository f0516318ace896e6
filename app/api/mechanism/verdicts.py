"""The verdict on a model: how it derives its answers, first from its routes, then with its exchanges of tokens."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from api.mechanism.findings import failure, finding_of, measure
from api.mechanism.sides import Side
from playground.analysis import (
    METHODS,
    NOT_MEASURED,
    Claim,
    Interchange,
    Mechanism,
    Method,
    Routes,
    RouteSummary,
    Step,
    View,
    make_verdict,
    method_called,
    routes_graph,
    sentence,
)
from playground.errors import RequestError, count_of
from playground.interventions import TokenIntervention, format_all, parse_all
from playground.report import Section, graph_pictures, make_report
from playground.worlds import World

ROUTES, TOKENS = method_called("routes"), method_called("tokens")


def verdict_parts(side: Side) -> Generator[dict[str, Any], None, None]:
    """Yield the progress, the verdict that follows from the routes, more progress, and the whole verdict.

    Raises:
        RequestError: if the interventions cannot be carried out.
    """
    yield from _read_routes(side)
    tokens = finding_of(side.model, side.applied, TOKENS)
    if not tokens.complete:
        yield {"verdict": _verdict_data(side), "progress": f"{_said_of(side)} …"}
        for step in measure(side.model, side.applied, TOKENS):
            yield {"progress": f"{_said_of(side)} {step.done} of {step.of} …"}
    yield {"verdict": _verdict_data(side), "progress": ""}


def _read_routes(side: Side) -> Iterator[dict[str, Any]]:
    """Measure the routes unless they are known.

    Raises:
        RequestError: if the interventions cannot be carried out.
    """
    for step in measure(side.model, side.applied, ROUTES):
        if step.done < step.of:
            yield {"progress": f"{side.title} has read {step.done:,} of {step.of:,} texts …"}
    found = finding_of(side.model, side.applied, ROUTES)
    if not found.complete:
        raise RequestError(*found.faults)


def _said_of(side: Side) -> str:
    return f"Exchanging the tokens of {side.title} between all states"


def mechanism_of(side: Side) -> tuple[Routes, Mechanism, bool]:
    """Return the routes, the mechanism, and whether it includes the exchanges of tokens.

    Raises:
        LookupError: if the routes are not known.
    """
    routes = finding_of(side.model, side.applied, ROUTES).step
    if routes is None:
        raise LookupError("the routes are measured first")
    tokens = finding_of(side.model, side.applied, TOKENS)
    known = tokens.step.result if tokens.step and tokens.complete else None
    what = (side.model.digest, format_all(side.applied), "whole" if known else "routes")
    return routes.result, _conclude(what, side.model.world, routes.result, known), known is not None


@cached(LRUCache(128), key=lambda what, *_: hashkey(what), condition=threading.Condition())
def _conclude(
    what: tuple[str, ...], _world: World, _routes: Routes, _tokens: Interchange | None
) -> Mechanism:
    """Return the mechanism that follows from the measurements; `what` is the key of the cache."""
    return make_verdict(_world, _routes, _tokens)


def _verdict_data(side: Side) -> dict[str, Any]:
    """Return what the page shows of a verdict."""
    routes, mechanism, whole = mechanism_of(side)
    graph = routes_graph(routes, side.model.world)
    return {
        "model": side.title,
        "under": [str(each) for each in side.applied],
        "notes": _notes(side),
        "seen": [mechanism.seen_right, mechanism.seen],
        "answers": [_route_summary(each) for each in mechanism.route_summaries],
        "claims": [_claim(each) for each in mechanism.claims],
        "diagram": graph_pictures(graph),
        "diagram_says": graph.caption,
        "whole": whole,
        "caveats": list(mechanism.caveats),
        "condition": f"{side.title} {format_all(side.applied)}".strip(),
    }


def _notes(side: Side) -> list[str]:
    notes = []
    if side.left_out:
        listed = ", ".join(map(str, side.left_out))
        notes.append(
            f"{listed}: not applied to {side.title}, "
            + ("which has no such part." if side.applied else "which is therefore unedited here.")
        )
    if any(isinstance(each, TokenIntervention) for each in side.applied):
        notes.append(
            "Forcing an output does not change the routes: they are measured with outputs forced in every combination anyway."
        )
    return notes


def _route_summary(each: RouteSummary) -> dict[str, Any]:
    return {
        "answer": each.answer,
        "sentence": sentence(each),
        "counts": each.counts.counts,
        "percent": each.counts.percent,
        "texts": each.counts.texts,
        "held_out": each.held_out.percent if each.held_out.texts else None,
        "along": [[name, float(value)] for name, value in zip(each.outputs, each.follows_flip, strict=True)],
        "derivation": each.derivation,
        "agreement": each.agreement,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "text": claim.text,
        "cases": claim.cases,
        "share": str(claim.share),
        "holds": claim.share.share,
        "counterexamples": list(claim.counterexamples),
        "counted": count_of(len(claim.counterexamples), "counterexample"),
    }


def report(sides: Sequence[Side]) -> str:
    """Return everything measured on the models as one self-contained HTML page.

    Raises:
        RequestError: if the interventions cannot be carried out.
    """
    sections = []
    for side in sides:
        for _ in _read_routes(side):
            pass
        known: list[tuple[Method, Step]] = []
        left: list[tuple[Method, str]] = []
        for method in METHODS.values():
            step = finding_of(side.model, side.applied, method).step
            if step is not None:
                known.append((method, step))
            else:
                left.append((method, method.unavailable_reason(side.model.network) or NOT_MEASURED))
        sections.append(Section(side.model, mechanism_of(side)[1], known, left))
    try:
        return make_report(sections)
    except Exception:  # noqa: BLE001  A method of another package may fail; the report has all others.
        return make_report(list(map(_without_failing, sections)))


def _without_failing(section: Section) -> Section:
    """Return what a report says of a model without the methods that fail to present what they found."""
    view = View(section.model, parse_all(";".join(section.mechanism.interventions)))
    sound, left = [], list(section.left)
    for method, step in section.steps:
        try:
            tuple(method.present(step.result, view))
            sound.append((method, step))
        except Exception as error:  # noqa: BLE001
            left.append((method, str(failure(method, error))))
    return replace(section, steps=sound, left=left)


def report_name(sides: Sequence[Side]) -> str:
    """Return the name of the report's file."""
    return f"mechanism-{sides[0].run[0]}-{'-'.join(side.title.replace(':', '-') for side in sides)}.html"
