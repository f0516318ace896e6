"""Routes as a method: how its result is shown, its figures, and the verdict's causal diagram."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Graph, Heatmap, Row, Selection, Sentence, Table
from playground.analysis.base.share import Share, share_document
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, percent, signed
from playground.analysis.routes.route import MOST_TEXTS, Route, Routes, grow_routes
from playground.inference import Model
from playground.worlds import World

MOST_DERIVATIONS = 4
"""Derivations of an answer shown at once, besides those that read all and recompute all."""


def routes_graph(routes: Routes, world: World) -> Graph:
    """Return the causal diagram: how strongly each answer depends on each variable, by the rules and in the model."""
    expected, found = influences(routes, world)
    return Graph(
        title="causal diagram",
        caption="Number and width of an edge: the share of texts in which the answer changes if this variable alone is written the "
        "other way. Faint edges without numbers lead to answers that by the rules read no other answer. Both graphs have their "
        "boxes in the same places.",
        inputs=world.inputs,
        outputs=world.outputs,
        counts=tuple(count.name for count in world.counts),
        expected=expected,
        found=found,
        titles=("By the rules of the world", f"In {routes.model}"),
    )


def influences(
    routes: Routes, world: World
) -> tuple[Float[np.ndarray, "answer variable"], Float[np.ndarray, "answer variable"]]:
    """Return the influence of inputs and outputs on all answers, by the rules and in the model.

    NaN where the variable does not come before the answer.
    """
    shape = (len(world.answers), len(world.inputs) + len(world.outputs))
    expected, found = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, route in enumerate(routes.answers):
        expected[row, : len(route.variables)] = route.world_influence
        found[row, : len(route.variables)] = route.influence
    return expected, found


def _present(routes: Routes, view: View) -> Iterator[Sentence | Heatmap | Table]:
    """Yield the agreement with each derivation and what answers depend on; text by text for a chosen answer."""
    if not routes.answers:
        done, of = routes.progress
        yield Sentence(text=f"{done:,} of {of:,} texts have been read; routes are known after the last.")
        return
    shown = [(routes.of(answer), folded) for answer, folded in view.answers(view.world.answers)]
    for route, folded in shown:
        if view.answer is not None or len(route.derivations) > 1:
            yield from _derivations(route, folded=folded)
    yield from _influence_heatmaps(routes, view)
    for route, folded in shown:
        yield _variables(route, folded=folded or view.answer is None)
        if view.answer is not None:
            yield _texts(route, view)


def _influence_heatmaps(routes: Routes, view: View) -> Iterator[Heatmap]:
    world = view.world
    rows, columns = world.answers, (*world.inputs, *world.outputs)
    expected, found = influences(routes, world)

    def heatmap(values: np.ndarray, *, of_model: bool) -> Heatmap:
        return Heatmap(
            title=f"influence in {routes.model}" if of_model else "influence by the rules",
            caption="Share of texts in which the answer changes if one variable alone is written the other way"
            + ("; below, by the rules of the world." if of_model else ", by the rules of the world.")
            + " Empty: the variable does not stand before the answer.",
            row_axis="answer",
            column_axis="variable",
            rows=rows,
            columns=columns,
            values=values,
            largest=1.0,
            notes=[["" if np.isnan(share) else percent(share) for share in row] for row in expected]
            if of_model
            else None,
            marked=(rows.index(view.answer),) if view.answer is not None else (),
            selects=lambda row, column: Selection(token=columns[column], answer=rows[row]),
            cases=lambda row, column: _flips(routes.of(rows[row]), view, columns[column]),
            folded=not of_model,
        )

    yield heatmap(found, of_model=True)
    yield heatmap(expected, of_model=False)


def _flips(route: Route, view: View, variable: str) -> Table | None:
    """Return the pairs of texts that differ in one variable alone; None if it does not come before the answer."""
    if variable not in route.variables:
        return None
    index, inputs = route.variables.index(variable), len(view.world.inputs)
    partner = route.partners[index]
    low = np.flatnonzero((route.texts[:, index] == 0) & (partner >= 0))
    high = partner[low]
    changed = route.written[low] != route.written[high]
    by_rule = route.predicted[0][low] != route.predicted[0][high]
    before = _outputs(route, inputs)
    return Table(
        title=f"{route.answer} when {variable} alone changes",
        caption=f"{route.answer} changes with {variable} in {int(changed.sum()):,} of {len(low):,} pairs of texts, by the rules in "
        f"{int(by_rule.sum()):,}; those where the two disagree come first.",
        columns=(
            Column("state", f"of the text with {variable}=0" if index < inputs else "", kind="state"),
            Column(before or "outputs", "as they stand written"),
            Column(f"{route.answer} at {variable}=0"),
            Column(f"{route.answer} at {variable}=1"),
            Column("by the rules", "the same two"),
        ),
        rows=tuple(
            Row(
                (
                    view.states[int(route.state[low[pair]])],
                    _values(route.texts[low[pair], inputs:]),
                    _number(int(route.written[low[pair]])),
                    _number(int(route.written[high[pair]])),
                    f"{route.predicted[0][low[pair]]}, {route.predicted[0][high[pair]]}",
                ),
                bool(changed[pair] == by_rule[pair]),
            )
            for pair in np.argsort(changed == by_rule, kind="stable").tolist()
        ),
    )


def _outputs(route: Route, inputs: int) -> str:
    return ", ".join(route.variables[inputs:])


def _values(values: np.ndarray) -> str:
    return ",".join(map(str, values.tolist())) or "–"


def _number(value: int) -> int | str:
    return value if value >= 0 else "no number"


def _derivations(route: Route, *, folded: bool) -> Iterator[Table]:
    """Yield the derivations that the model agrees with most and, if there are more, a table of all."""
    last = len(route.derivations) - 1
    order = np.argsort(-route.agreement, kind="stable").tolist()
    shown = [each for place, each in enumerate(order) if place < MOST_DERIVATIONS or each in (0, last)]
    yield _derivations_table(route, shown, f"derivations of {route.answer}", folded=folded)
    if len(shown) < len(order):
        yield _derivations_table(route, order, f"all {len(order)} derivations of {route.answer}", folded=True)


def _derivations_table(route: Route, shown: Sequence[int], title: str, *, folded: bool) -> Table:
    return Table(
        title=title,
        caption=f"How often {route.answer} is what each derivation predicts, best agreement first: among all texts, then "
        "among the diagnostic texts, in which reading everything and recomputing everything lead to different "
        "answers.",
        columns=(
            Column("derivation", "a way to derive the answer from what stands before it"),
            Column("recomputed", "outputs that it recomputes from the inputs, not read as written"),
            Column("all texts", "share in which the model writes what the derivation says"),
            Column("diagnostic texts"),
            Column("seen", "diagnostic texts of seen states"),
            Column("held out", "diagnostic texts of held-out states"),
        ),
        rows=tuple(
            Row(
                (
                    route.derivations[each],
                    ", ".join(route.recomputed[each]) or "nothing",
                    percent(route.agreement[each]),
                    _in_words(route.follows(each)),
                    _in_words(route.follows(each, ~route.held_out)),
                    _in_words(route.follows(each, route.held_out)),
                )
            )
            for each in shown
        ),
        folded=folded,
    )


def _in_words(share: Share) -> str:
    return str(share) if share.of else "–"


def _variables(route: Route, *, folded: bool) -> Table:
    rows = zip(
        route.variables,
        route.influence.tolist(),
        route.world_influence.tolist(),
        route.effect.tolist(),
        strict=True,
    )
    return Table(
        title=f"influence on {route.answer}",
        caption=f"How {route.answer} changes if one variable alone is written the other way.",
        columns=(
            Column("variable"),
            Column("changes it", f"share of texts in which {route.answer} changes"),
            Column("by the rules", f"share in which the rules change {route.answer}"),
            Column("from 0 to 1", f"by how much {route.answer} grows on average"),
            Column("as the rules say", "texts in which it changes as it should, of those in which it should"),
        ),
        rows=tuple(
            Row(
                (
                    name,
                    percent(influence),
                    percent(by_rules),
                    "–" if np.isnan(effect) else signed(effect),
                    _in_words(route.follows_flip(name)),
                )
            )
            for name, influence, by_rules, effect in rows
        ),
        folded=folded,
    )


def _texts(route: Route, view: View) -> Table:
    """Return the diagnostic texts; for an answer that reads no other, those in which it breaks its rule."""
    inputs, can_read = len(view.world.inputs), len(route.derivations) > 1
    read, recomputed = route.predicted[0], route.predicted[-1]
    texts = np.flatnonzero(route.is_diagnostic if can_read else read != route.written)
    mostly = 0 if route.follows(0).holds >= route.follows(-1).holds else -1
    followed = route.predicted[mostly] == route.written
    before = Column(_outputs(route, inputs) or "nothing before it", "as they stand written")
    expected = (Column("if read"), Column("if recomputed")) if can_read else (Column("by the rule"),)
    rows = []
    for text in texts[np.argsort(followed[texts], kind="stable")].tolist():
        said = (int(read[text]), int(recomputed[text])) if can_read else (int(read[text]),)
        cells = (
            view.states[int(route.state[text])],
            _values(route.texts[text, inputs:]),
            *said,
            _number(int(route.written[text])),
            *((_route_taken(route, text),) if can_read else ()),
        )
        rows.append(Row(cells, bool(followed[text])))
    return Table(
        title=f"texts of {route.answer}",
        caption=f"{len(texts):,} diagnostic texts; those in which {route.answer} does not take its usual route come first."
        if can_read
        else f"{route.answer} reads no other answer. In {len(texts):,} of {len(route.written):,} texts it is not what the rule says.",
        columns=(
            Column("state", kind="state"),
            before,
            *expected,
            Column("written"),
            *((Column("route"),) if can_read else ()),
        ),
        rows=tuple(rows),
        judged="usual route" if can_read else "as the rule says",
    )


def _route_taken(route: Route, text: int) -> str:
    if route.written[text] == route.predicted[0][text]:
        return "read"
    return "recomputed" if route.written[text] == route.predicted[-1][text] else "neither"


def _figures(routes: Routes, model: Model) -> dict[str, Any]:
    return {
        "exhaustive": routes.exhaustive,
        "answers": {route.answer: _route_figures(route) for route in routes.answers},
    }


def _route_figures(route: Route) -> dict[str, Any]:
    derivations = [
        {
            "text": text,
            "recomputed": list(route.recomputed[index]),
            "agreement": float(route.agreement[index]),
            "follows": share_document(route.follows(index)),
            "follows_seen": share_document(route.follows(index, ~route.held_out)),
            "follows_held_out": share_document(route.follows(index, route.held_out)),
        }
        for index, text in enumerate(route.derivations)
    ]
    variables = {
        name: {
            "influence": float(route.influence[index]),
            "influence_in_the_world": float(route.world_influence[index]),
            "effect": to_document(route.effect[index]),
            "follows_flip": share_document(route.follows_flip(name)),
        }
        for index, name in enumerate(route.variables)
    }
    return {
        "derivations": derivations,
        "variables": variables,
        "texts": route.texts.tolist(),
        "written": [None if number < 0 else number for number in route.written.tolist()],
    }


def _tokens_read(model: Model) -> float:
    variables = len(model.world.inputs) + len(model.world.outputs)
    return min(2**variables, MOST_TEXTS) * model.template.length


ROUTES = Method(
    name="routes",
    title="Route",
    question="Is an answer read from what stands written, or computed from the inputs again?",
    how="The model reads texts with every combination of inputs and outputs, right and wrong; what it writes for each answer is "
    "compared with what every derivation of that answer says.",
    caution="Most of these texts contradict themselves, and training contained no incorrect text: they show how the "
    "model computes, not how often that matters. Where it also fails on correct prompts, its route cannot be "
    "identified. Influence shows that a variable matters, not that it does so by the route in the rules.",
    source='Pearl 2001, "Direct and Indirect Effects"; Ben-Or and Linial 1985 for influence',
    version=2,
    kind=Routes,
    measure=lambda model, asked, begun, store: grow_routes(model, asked, begun=begun),
    present=_present,
    figures=_figures,
    progress=progress_of,
    tokens_read=_tokens_read,
)
