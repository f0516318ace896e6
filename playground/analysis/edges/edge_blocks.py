"""Edge attribution as a method: what circuits of the highest-scoring edges keep of an answer, and these edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from playground.analysis.base.layered import no_layers
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Curve, Line, Row, Selection, Sentence, Table
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, percent, signed
from playground.analysis.edges.edges import BACK, SIZES, STEPS, Edges, measure_edges
from playground.analysis.edges.trials import Trial
from playground.inference import Model

EDGES_SHOWN, EDGES_OF_EACH = 60, 10
"""Edges listed for a chosen answer, and for each answer if none is chosen."""
EDGES_IN_FIGURES = 200


def _present(found: Edges, view: View) -> Iterator[Sentence | Curve | Table]:
    """Yield what the circuits tried so far keep, and the edges with the largest scores."""
    for answer, folded in view.answers(found.answers):
        index = found.answers.index(answer)
        if not found.scored[index]:
            yield Sentence(text=f"The edges of {answer} have no scores yet.", folded=folded)
        elif not found.gap[index]:
            yield Sentence(
                text=f"The scores of {answer} are the same in any two states that differ in one input: no edge carries a "
                "difference.",
                folded=folded,
            )
        else:
            trials = [each for each in found.trials if each.answer == answer]
            if trials:
                yield _curve(answer, trials, folded=folded)
                yield _trials(found, index, trials, folded=folded)
            yield _largest(found, index, EDGES_OF_EACH if view.answer is None else EDGES_SHOWN, folded=folded)


def _curve(answer: str, trials: list[Trial], *, folded: bool) -> Curve:
    return Curve(
        title=f"what circuits keep of {answer}",
        caption=f"How much of the difference that an input makes to {answer} remains if only the edges with the highest "
        "scores are kept and all others are cut, compared with what the scores alone predict.",
        axis="edges kept",
        places=tuple(each.edges for each in trials),
        lines=(
            Line("recovered", np.array([each.recovered for each in trials])),
            Line("estimated by scores", np.array([each.estimated for each in trials])),
            Line("pairs right", np.array([each.right for each in trials])),
        ),
        is_logarithmic=True,
        folded=folded,
    )


def _trials(found: Edges, index: int, trials: list[Trial], *, folded: bool) -> Table:
    answer = found.answers[index]
    return Table(
        title=f"circuits of {answer}",
        caption=f"What is left of {answer} if only the edges with the highest scores are kept, over the {found.pairs[index]:,} pairs "
        f"of states that differ in one input and in {answer}. With all edges {percent(trials[-1].whole)} of these pairs are right.",
        columns=(
            Column("edges kept"),
            Column(
                "estimated", "The share of the difference that the scores alone would give to these edges."
            ),
            Column(
                "recovered", "The share that is left when all other edges carry the other state's values."
            ),
            Column("right", "Pairs in which the answer that should come out has the highest score then."),
            Column("right if seen", "Seen states that are right when all other edges carry their mean."),
            Column("right if held out", "Held-out states that are right then."),
        ),
        rows=tuple(
            Row(
                (
                    f"{each.edges:,} of {each.of:,}",
                    *map(
                        percent,
                        (
                            each.estimated,
                            each.recovered,
                            each.right,
                            each.right_seen,
                            each.right_held_out,
                        ),
                    ),
                )
            )
            for each in trials
        ),
        folded=folded,
    )


def _largest(found: Edges, index: int, count: int, *, folded: bool) -> Table:
    edges, answer = found.largest(index, count), found.answers[index]
    return Table(
        title=f"edges of {answer}",
        caption=f"The {len(edges)} edges with the largest scores, of {int(found.exists[index].sum()):,}: by how many logits each is "
        f"estimated to move {answer} towards the other state's, of {found.gap[index]:.2f} in all; mean over "
        f"{found.pairs[index]:,} pairs.",
        columns=(
            Column("written by", "A click selects this part.", "part"),
            Column("read by"),
            Column("token"),
            Column("logits"),
        ),
        rows=tuple(
            Row(
                (each.writer, each.reader, each.position, signed(each.score)),
                selects=Selection(each.writer, each.position),
            )
            for each in edges
        ),
        folded=folded,
    )


def _figures(found: Edges, model: Model) -> dict[str, Any]:
    return {
        "steps": found.steps,
        "answers": {
            answer: {
                "pairs": int(found.pairs[index]),
                "gap": float(found.gap[index]),
                "edges": int(found.exists[index].sum()),
                "largest": to_document(found.largest(index, EDGES_IN_FIGURES)),
                "trials": [to_document(each) for each in found.trials if each.answer == answer],
            }
            for index, answer in enumerate(found.answers)
            if found.scored[index]
        },
    }


def _tokens_read(model: Model) -> float:
    world = model.world
    # In about half of the pairs of states that differ in one input, the answer differs too.
    differing = len(world.states) * len(world.inputs) / 2
    return len(world.answers) * differing * model.template.length * (BACK * STEPS + len(SIZES) + 1)


EDGES = Method(
    name="edges",
    title="Edge attribution",
    question="Along which edges does the difference between two states come, and do these suffice?",
    how="Gradients between one state and another estimate what each edge of the residual stream would do. Then "
    "circuits of the strongest edges are tried with all other edges really cut.",
    caution="Scores are estimates: where they differ much from what is recovered, trust the trials. Both are means "
    "over pairs; single states may behave differently.",
    source="Syed et al. 2023 (arXiv 2310.10348); Hanna et al. 2024 (arXiv 2403.17806)",
    is_long=True,
    duration="half a minute",
    kind=Edges,
    measure=lambda model, asked, begun, store: measure_edges(model, asked, begun=begun),
    present=_present,
    figures=_figures,
    progress=progress_of,
    tokens_read=_tokens_read,
    unavailable_reason=no_layers,
)
