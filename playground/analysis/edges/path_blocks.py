"""Path patching as a method: which part passes the difference between two states directly to which other part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from playground.analysis.base.layered import no_layers
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Heatmap, Option, Row, Selection, Sentence, Table
from playground.analysis.base.share import Share
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, layer_of
from playground.analysis.edges.all_paths import AllPaths, measure_paths, tokens_read
from playground.analysis.edges.paths import Path
from playground.inference import Model

_ANY = "any"
"""The default choice of the input in which two states differ."""
_FLIPPED = Column(
    "answer follows", "Pairs in which the path alone makes the other state's answer the highest-scoring one."
)


def path_blocks(path: Path, view: View) -> Iterator[Table | Sentence]:
    """Yield what a single path carries, for the chosen answer or for all answers."""
    where = f" at {path.positions[0]}" if len(path.positions) == 1 else ""
    title = f"path {path.sender} to {path.receiver}{where}"
    inputs = tuple(dict.fromkeys(path.input))
    by_input = [path.effect_of(each) for each in inputs]
    numbers = [
        path.answers.index(answer)
        for answer, _ in view.answers(path.answers)
        if path.effect[path.answers.index(answer)] is not None
    ]
    if not numbers:
        yield Sentence(text=f"There is no difference that the {title} could carry.")
        return
    yield Table(
        title=title,
        caption="How much of the difference between two states reaches each answer if only this path carries it: 0 none, 1 all. "
        "Over all pairs that differ in one input, then only over those that differ in this input.",
        columns=(
            Column("answer"),
            Column("pairs", "In which the answer differs."),
            Column("effect", "Part of the difference that the path carries."),
            _FLIPPED,
            *(Column(each, f"The effect where the states differ in {each}.") for each in inputs),
        ),
        rows=tuple(
            Row(
                (
                    path.answers[each],
                    int(path.differs[:, each].sum()),
                    path.effect[each],
                    str(Share(int(path.flipped[:, each].sum()), int(path.differs[:, each].sum()))),
                    *(effects[each] for effects in by_input),
                )
            )
            for each in numbers
        ),
    )


def _present(found: AllPaths, view: View) -> Iterator[Heatmap | Sentence]:
    """Yield for every answer how much of the difference each path carries."""
    if not found.done.any():
        yield Sentence(text="No path has been measured yet.")
        return
    name = view.options.get("input", _ANY)
    chosen = name if name in found.inputs else None
    effects = found.effect(chosen)
    for answer, folded in view.answers(found.answers):
        index = found.answers.index(answer)
        pairs = int(found.pairs[[chosen in (None, each) for each in found.inputs], index].sum())
        differ = f"differ in {chosen or 'one input'} and in {answer}"
        if not pairs:
            yield Sentence(text=f"No two states {differ}.", folded=folded)
            continue
        yield Heatmap(
            title=f"paths to {answer}",
            caption=f"How much of the difference between two states reaches {answer} if one part (row) passes it to one later part "
            f"(column) directly, and to nothing else: 0 none, 1 all. Over {pairs} pairs of states that {differ}.",
            row_axis="sender",
            column_axis="receiver",
            rows=found.senders,
            columns=found.receivers,
            values=effects[:, :, index],
            unit="effect",
            groups=tuple(map(layer_of, found.senders)),
            selects=lambda sender, receiver, answer=answer: Selection(found.senders[sender], answer=answer),
            cases=lambda sender, receiver, index=index: _by_input(found, sender, receiver, index),
            folded=folded,
        )


def _by_input(found: AllPaths, sender: int, receiver: int, answer: int) -> Table | None:
    """Return what a path carries of the difference that each input makes; None if the path is not measured."""
    if not found.done[sender, receiver]:
        return None
    name, path = found.answers[answer], f"{found.senders[sender]} to {found.receivers[receiver]}"
    moved, gap = found.moved[sender, receiver, :, answer], found.gap[:, answer]
    pairs, flipped = found.pairs[:, answer], found.flipped[sender, receiver, :, answer]
    return Table(
        title=f"{name} by {path}",
        caption=f"What the path {path} carries to {name}, by the input in which the two states differ. The effect is the "
        "fraction of the whole difference that is carried.",
        columns=(
            Column("input", "In which the two states differ."),
            Column("pairs", f"In which {name} differs as well."),
            Column(
                "difference", "Between the scores of the two states' answers, mean over the pairs, in logits."
            ),
            Column("carried", "How much of this the path alone carries, in logits."),
            Column("effect", "Carried divided by difference."),
            _FLIPPED,
        ),
        rows=tuple(
            Row(
                (
                    found.inputs[each],
                    int(pairs[each]),
                    float(gap[each] / pairs[each]),
                    float(moved[each] / pairs[each]),
                    float(moved[each] / gap[each]) if gap[each] else None,
                    str(Share(int(flipped[each]), int(pairs[each]))),
                )
            )
            for each in np.argsort(-np.abs(moved), kind="stable").tolist()
            if pairs[each]
        ),
    )


def _options(view: View) -> tuple[Option, ...]:
    return (
        Option(
            "input",
            "States differ in",
            ((_ANY, "any one input"), *((each, each) for each in view.world.inputs)),
            "The input in which the two states differ whose difference is followed.",
        ),
    )


def _figures(found: AllPaths, model: Model) -> dict[str, Any]:
    effects = {each: found.effect(each) for each in found.inputs}
    whole, (done, of) = found.effect(), found.progress
    return {
        "senders": list(found.senders),
        "receivers": list(found.receivers),
        "paths": {"measured": done, "of": of},
        "answers": {
            answer: {
                "pairs": int(found.pairs[:, index].sum()),
                "effect": to_document(whole[:, :, index]),
                "by_input": {
                    each: {
                        "pairs": int(found.pairs[number, index]),
                        "effect": to_document(effects[each][:, :, index]),
                    }
                    for number, each in enumerate(found.inputs)
                },
            }
            for index, answer in enumerate(found.answers)
        },
    }


PATHS = Method(
    name="paths",
    title="Path patching",
    question="Which part passes the difference between two states on to which other part directly?",
    how="In every pair of states that differ in one input, one later part reads from the residual stream what "
    "one earlier part writes in the other state, at all tokens. Everything else stays as it was, and only "
    "what depends on that part is recomputed.",
    caution="Each path is measured alone, with all others held fixed: two redundant paths may each carry nothing, "
    "and effects need not add up to 1. What a path carries need not have been computed by its sender.",
    source="Wang et al. 2022 (arXiv 2211.00593)",
    is_long=True,
    duration="about a minute",
    kind=AllPaths,
    measure=lambda model, asked, begun, store: measure_paths(model, asked, begun=begun),
    present=_present,
    options=_options,
    figures=_figures,
    progress=progress_of,
    tokens_read=tokens_read,
    unavailable_reason=no_layers,
)
