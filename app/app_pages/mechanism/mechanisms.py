"""The first part of page Mechanism: the verdict on one model or two, and its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from api import library, runs
from api.condition import Condition
from api.runs import Run
from app_pages.mechanism import measuring
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
    make_verdict,
    method_called,
    sentence,
)
from playground.errors import RequestError, count_of
from playground.inference import ANOTHER_TASK, Model, same_task
from playground.interventions import Intervention, TokenIntervention, format_all
from playground.models import at_step, find_run, runs_of, snapshots_of, split_step
from playground.report import Section, make_report, routes_diagram
from playground.worlds import World

ROUTES, TOKENS = method_called("routes"), method_called("tokens")


@dataclass(frozen=True)
class Side:
    """One of the models that the page shows.

    Args:
        model: the model.
        run: its name and run.
        applied: the interventions that apply to it.
        left_out: those that do not.
        routes: by which it derives each answer.
        mechanism: how it computes, as far as that is known.
        whole: whether the mechanism includes the exchanges of tokens.
    """

    model: Model
    run: Run
    applied: tuple[Intervention, ...]
    left_out: tuple[Intervention, ...]
    routes: Routes
    mechanism: Mechanism
    whole: bool

    @property
    def title(self) -> str:
        """The model's name on this page: its run, with the step."""
        return self.run[1]


def look(model: Model, run: Run, condition: Condition, say: Callable[[str], object]) -> Side:
    """Return the verdict on a model under a condition, from its routes and, if they are known, its exchanges of tokens.

    Args:
        model: the model.
        run: its name and run.
        condition: of the page.
        say: called with the progress of the routes if they take long; a click may interrupt there.

    Raises:
        RequestError: if the interventions cannot be carried out.
    """
    fit = model.fit(condition.interventions)
    job = measuring.job_of(model, fit.applied, ROUTES)
    for step in measuring.measure(model, fit.applied, ROUTES):
        if step.done < step.of:
            say(f"{run[1]} has read {step.done:,} of {step.of:,} texts …")
    if job.step is None or not job.complete:
        raise RequestError(*job.faults)
    tokens = measuring.job_of(model, fit.applied, TOKENS)
    known = tokens.step.result if tokens.step and tokens.complete else None
    what = (model.digest, format_all(fit.applied), "whole" if known else "routes")
    mechanism = _conclude(what, model.world, job.step.result, known)
    return Side(model, run, fit.applied, fit.left_out, job.step.result, mechanism, whole=known is not None)


@st.cache_resource(show_spinner=False, max_entries=128)
def _conclude(
    what: tuple[str, ...], _world: World, _routes: Routes, _tokens: Interchange | None
) -> Mechanism:
    """Return the mechanism that follows from the measurements; `what` is the key of the cache."""
    return make_verdict(_world, _routes, _tokens)


def complete(sides: list[Side]) -> Iterator[str]:
    """Measure what the verdicts lack; yield the progress in words."""
    for side in sides:
        for step in measuring.measure(side.model, side.applied, TOKENS):
            yield f"{said_of(side)} {step.done} of {step.of} …"


def said_of(side: Side) -> str:
    """Return in words what is measured to complete a verdict."""
    return f"Exchanging the tokens of {side.title} between all states"


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


def open_rival(model: Model, run: Run) -> Model:
    """Return the second model.

    Raises:
        RequestError: if it cannot be opened.
        ValueError: if it was trained on another task, with the reason.
    """
    base, step = split_step(run[1])
    found = library.open_run(find_run(run[0], base), step)
    if not same_task(found, model):
        raise ValueError(f"{run[1]} is left out: {ANOTHER_TASK}.")
    return found


def verdict_data(side: Side) -> dict[str, Any]:
    """Return the data of the verdict's component."""
    mechanism, diagram = side.mechanism, routes_diagram(side.model, side.routes)
    return {
        "model": side.title,
        "under": [str(each) for each in side.applied],
        "notes": _notes(side),
        "seen": [mechanism.seen_right, mechanism.seen],
        "answers": [_route_summary(each) for each in mechanism.route_summaries],
        "claims": [_claim(each) for each in mechanism.claims],
        "diagram": diagram.svg,
        "diagram_says": diagram.caption,
        "whole": side.whole,
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
    """Return everything measured on the models as one self-contained HTML page."""
    sections = []
    for side in sides:
        known: list[tuple[Method, Step]] = []
        left: list[tuple[Method, str]] = []
        for method in METHODS.values():
            step = measuring.job_of(side.model, side.applied, method).step
            if step is not None:
                known.append((method, step))
            else:
                left.append((method, method.unavailable_reason(side.model.network) or NOT_MEASURED))
        sections.append(Section(side.model, side.mechanism, known, left))
    return make_report(sections)


def report_name(sides: Sequence[Side]) -> str:
    """Return the name of the report's file."""
    return f"mechanism-{sides[0].run[0]}-{'-'.join(side.title.replace(':', '-') for side in sides)}.html"


def progress_of(step: Step | None) -> float:
    """Return the share of a measurement that is done, from 0 to 1."""
    return step.done / step.of if step and step.of else 0.0
