"""The page: all sections rendered with one template, self-contained."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from playground.analysis import METHODS, NOT_MEASURED, Mechanism, Method, Step, View
from playground.analysis.routes.verdict import join_names
from playground.datasets import guess
from playground.errors import count_of
from playground.inference import Model
from playground.interventions import parse_all
from playground.plots import script, templates_to_json, to_json
from playground.report.exhibits import Exhibit, exhibit_of
from playground.report.verdict import route_summary_bars, routes_diagram
from playground.worlds import state_text

TEMPLATE = "report.html.jinja"
MOST_LISTED = 16
"""The most held-out states to name."""


@dataclass(frozen=True)
class Section:
    """All results for one model.

    Args:
        model: the model that was measured.
        mechanism: the verdict on it.
        steps: each method that was measured, with its progress.
        left: each method that was not measured, and why.
    """

    model: Model
    mechanism: Mechanism
    steps: Sequence[tuple[Method, Step]]
    left: Sequence[tuple[Method, str]] = ()


@dataclass(frozen=True)
class Chapter:
    """What is shown for one method.

    Args:
        name: the method's name.
        progress: the progress in words; "" if complete.
        exhibits: the exhibits, folded ones last.
    """

    name: str
    progress: str
    exhibits: tuple[Exhibit, ...]

    @property
    def groups(self) -> tuple[tuple[bool, tuple[Exhibit, ...]], ...]:
        """The exhibits in groups: those shown at once, then those folded."""
        return tuple(
            (folded, tuple(group)) for folded, group in groupby(self.exhibits, key=lambda each: each.folded)
        )


@dataclass(frozen=True)
class _Shown:
    """What the template shows for a model; `missing` holds the title of each method not measured, and why."""

    label: str
    mechanism: Mechanism
    diagram: Exhibit | None
    route_summary: Exhibit | None
    chapters: tuple[Chapter, ...]
    missing: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    rules: str

    def chapter(self, name: str) -> Chapter | None:
        """Return what is shown for a method; None if nothing is."""
        return next((chapter for chapter in self.chapters if chapter.name == name), None)


def make_report(
    sections: Sequence[Section], *, made: datetime | None = None, command: str | None = None
) -> str:
    """Return all results for one or several models as one self-contained HTML page.

    Args:
        sections: one for each model; several are compared.
        made: time of creation; now by default.
        command: the command that recreates the page; by default, one for each model.
    """
    assert sections, "a report is about a model"
    shown = [_show(section, _label(section, sections)) for section in sections]
    chapters = [
        (method, [(each, each.chapter(method.name)) for each in shown]) for method in METHODS.values()
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["to_json"] = to_json
    return environment.get_template(TEMPLATE).render(
        shown=shown,
        models=join_names([each.label for each in shown]),
        methods=[(method, each) for method, each in chapters if any(chapter for _, chapter in each)],
        commands=[command] if command else [_command(section) for section in sections],
        made=(made or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M %Z").strip(),
        versions=[(name, version(name)) for name in ("the-experiment", "torch", "plotly")],
        templates=templates_to_json(),
        plotly=script(),
    )


def _label(section: Section, sections: Sequence[Section]) -> str:
    """Return a label that distinguishes a model from the others on the page."""
    words = [section.model.name]
    if len({each.model.checkpoint.folder.parent for each in sections}) > 1:
        words.insert(0, f"{section.model.checkpoint.folder.parent.name}/")
    if len({each.mechanism.interventions for each in sections}) > 1:
        words.append(f" under {'; '.join(section.mechanism.interventions) or 'no intervention'}")
    return "".join(words)


def _show(section: Section, label: str) -> _Shown:
    model, mechanism = section.model, section.mechanism
    view = View(model, parse_all(";".join(mechanism.interventions)))
    results = {method.name: step.result for method, step in section.steps}
    why = {method.name: reason for method, reason in section.left}
    missing = [
        (method.title, why.get(method.name) or method.unavailable_reason(model.network) or NOT_MEASURED)
        for method in METHODS.values()
        if method.name not in results
    ]
    return _Shown(
        label=label,
        mechanism=mechanism,
        diagram=routes_diagram(model, results["routes"]) if "routes" in results else None,
        route_summary=route_summary_bars(mechanism) if mechanism.route_summaries else None,
        chapters=tuple(_chapter(method, step, view) for method, step in section.steps),
        missing=tuple(missing),
        facts=_facts(model, mechanism),
        rules=model.world.text,
    )


def _chapter(method: Method, step: Step, view: View) -> Chapter:
    exhibits = map(exhibit_of, method.present(step.result, view) if step.done else ())
    return Chapter(
        name=method.name,
        progress="" if step.done == step.of else f"{step.done:,} of {step.of:,} measured so far.",
        exhibits=tuple(sorted(exhibits, key=lambda each: each.folded)),
    )


def _facts(model: Model, mechanism: Mechanism) -> tuple[tuple[str, str], ...]:
    """Return the basic facts about a model."""
    board = model.board(";".join(mechanism.interventions))
    (seen_right, seen), (held_out_right, held_out) = board.tally["seen"], board.tally["held_out"]
    folder, training = model.checkpoint.folder, model.checkpoint.run
    found = [
        ("Model", f"{folder.parent.name}/{model.name}"),
        ("Interventions in force", "; ".join(mechanism.interventions) or "none"),
        ("Right on seen states", f"{seen_right} of {seen}"),
        ("Right on held-out states", f"{held_out_right} of {held_out}" if held_out else "none were held out"),
    ]
    best = guess(model.dataset).best
    if best is not None:
        right, _ = best.tally
        found.append(("Right by the best simple predictor", f"{right} of {held_out} ({best.name})"))
    if 0 < held_out <= MOST_LISTED:
        found.append(("Held out", "; ".join(map(state_text, model.dataset.held_out))))
    if board.tally_do is not None:
        (seen_right, seen), (held_out_right, held_out) = board.tally_do["seen"], board.tally_do["held_out"]
        found.append(
            (
                "Right by the rules with the forced outputs set",
                f"{seen_right + held_out_right} of {seen + held_out}",
            )
        )
    if board.accuracy_by_answer_as_written != board.accuracy_by_answer:
        as_written = {
            name: sum(right for right, _ in tally.values())
            for name, tally in board.tally_by_answer_as_written.items()
        }
        found.append(
            (
                "Right as written, given what stands before it in the text",
                ", ".join(f"{name} {right}" for name, right in as_written.items()) + f" of {seen + held_out}",
            )
        )
    if board.never_seen:
        found.append(("Never seen", " ".join(board.never_seen)))
    if training.steps is not None and training.seed is not None:
        found.append(("Training", f"{count_of(training.steps, 'step')}, seed {training.seed}"))
    return tuple(found)


def _command(section: Section) -> str:
    words = ["the-experiment", "mechanism", "--name", section.model.checkpoint.folder.parent.name]
    words += ["--model", section.model.name]
    words += [word for each in section.mechanism.interventions for word in ("--on", each)]
    # By default the command measures the short methods; once any is named, all must be named.
    names = [method.name for method, _ in section.steps]
    if {
        method.name for method in METHODS.values() if not method.unavailable_reason(section.model.network)
    } == set(names):
        words.append("--all")
    elif any(method.is_long for method, _ in section.steps):
        words += [word for name in names for word in ("--method", name)]
    return shlex.join([*words, "--report", "report.html"])
