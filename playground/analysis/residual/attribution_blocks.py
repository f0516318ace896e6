"""Direct logit attribution as a method: how its result is shown, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.analysis.base.method import Method, at_once
from playground.analysis.base.presentation import Bar, Bars, Column, Heatmap, Row, Selection, Sentence, Table
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, signed
from playground.analysis.residual.attribution import Attribution, measure_attribution
from playground.inference import Model

MOST_COMPONENTS = 40
"""Components shown individually: those with the largest means."""


def _present(found: Attribution, view: View) -> Iterator[Sentence | Heatmap | Bars]:
    """Yield the lead of each right answer, what each component adds to it, and how states differ."""
    totals = ", ".join(
        f"{answer} {signed(lead)}"
        for answer, lead in zip(found.answers, found.difference.mean(1), strict=True)
    )
    yield Sentence(
        text=f"Lead of the right answer over a wrong one, in logits, mean over all states: {totals}."
    )
    yield _heatmap(found, view)
    if reason := view.not_measured(found.answers):
        yield Sentence(text=reason)
    for answer, folded in view.answers(found.answers):
        yield _bars(found, view, answer, folded=folded)


def _heatmap(found: Attribution, view: View) -> Heatmap:
    means = np.abs(found.mean)
    chosen = means[found.answers.index(view.answer)] if view.answer in found.answers else means.max(0)
    kept = _largest(chosen)
    names = tuple(found.components[index] for index in kept)
    left_out = len(found.components) - len(kept)
    caption = (
        "Logits that each component adds to the right answer's lead over a wrong one, mean over all states."
    )
    if view.state is not None:
        caption += f" Below, in the state {view.states[view.state]}."
    if left_out:
        caption += f" {left_out} smaller ones are left out."
    return Heatmap(
        title="logits that each component adds",
        caption=caption,
        row_axis="component",
        column_axis="answer",
        rows=names,
        columns=found.answers,
        values=found.mean[:, kept].T,
        unit="logits",
        notes=None
        if view.state is None
        else [[signed(value) for value in row] for row in found.values[:, view.state, kept].T.tolist()],
        selects=lambda row, column: Selection(
            names[row], view.writing(found.answers[column]), found.answers[column]
        ),
        cases=lambda row, column: _cases(found, view, kept[row], column),
    )


def _largest(sizes: Float[np.ndarray, " component"]) -> list[int]:
    """Return the components with the largest numbers, in their own order."""
    return sorted(np.argsort(-sizes, kind="stable")[:MOST_COMPONENTS].tolist())


def _cases(found: Attribution, view: View, component: int, answer: int) -> Table:
    """Return what one component adds to one answer in every state."""
    values, lead = found.values[answer, :, component], found.difference[answer]
    visible, name = view.model.template.visible, found.components[component]
    return Table(
        title=f"{name} on {found.answers[answer]}",
        caption=f"What {name} adds to the lead of the right {found.answers[answer]} in every state, in logits; the largest come "
        "first.",
        columns=(
            Column("state", kind="state"),
            Column("right is"),
            Column("wrong is", "the token that it is compared with"),
            Column("adds", "in logits"),
            Column("all add up to", "the model's own lead, in logits"),
        ),
        rows=tuple(
            Row(
                (
                    view.states[state],
                    visible(int(found.right[answer, state])),
                    visible(int(found.wrong[answer, state])),
                    signed(float(values[state])),
                    signed(float(lead[state])),
                )
            )
            for state in np.argsort(-np.abs(values), kind="stable").tolist()
        ),
    )


def _bars(found: Attribution, view: View, answer: str, *, folded: bool) -> Bars:
    """Return what every component adds to one answer; the smallest share one bar, and the sum comes last."""
    index = found.answers.index(answer)
    values = found.values[index]
    kept = _largest(np.abs(found.mean[index]))
    others = np.setdiff1d(np.arange(len(found.components)), kept)
    shown = [(found.components[component], values[:, component]) for component in kept]
    if len(others):
        shown.append((f"{len(others)} others", values[:, others].sum(1)))
    shown.append(("sum", values.sum(1)))
    caption = (
        f"Logits that each component adds to the lead of the right {answer} over a wrong one: the bar is the mean over all "
        "states, the line reaches from the least state to the most."
    )
    if view.state is not None:
        caption += f" The number at a bar is that of the state {view.states[view.state]}."
    return Bars(
        title=f"what adds to {answer}",
        caption=caption,
        axis="logits, right − wrong",
        bars=tuple(
            Bar(
                name,
                float(added.mean()),
                note="" if view.state is None else signed(float(added[view.state])),
                spread=tuple(added.tolist()),
            )
            for name, added in shown
        ),
        unit="logits",
        spread_names=found.states,
        folded=folded,
    )


def _figures(found: Attribution, model: Model) -> dict[str, Any]:
    vocabulary, held_out = model.template.vocabulary, found.mean_held_out
    return {
        "components": list(found.components),
        "answers": {
            answer: {
                "mean": to_document(found.mean[index]),
                "mean_seen": to_document(found.mean_seen[index]),
                "mean_held_out": None if held_out is None else to_document(held_out[index]),
                "difference": to_document(found.difference[index]),
                "right": [vocabulary[token] for token in found.right[index].tolist()],
                "wrong": [vocabulary[token] for token in found.wrong[index].tolist()],
                "by_state": to_document(found.values[index]),
            }
            for index, answer in enumerate(found.answers)
        },
    }


ATTRIBUTION = Method(
    name="attribution",
    title="Direct logit attribution",
    question="What does each part add to the right answer's score, less a wrong one's?",
    how="The difference between the logits of the right token and a wrong one is split into what each component "
    "adds to it. With the scale of the final normalization held fixed, these parts add up exactly.",
    caution="This is the direct path alone: a part that acts only through later parts adds nothing itself, and a "
    "part that adds much may only react to another. Large numbers of opposite sign may cancel out.",
    source='Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"',
    kind=Attribution,
    measure=at_once(measure_attribution),
    present=_present,
    figures=_figures,
)
