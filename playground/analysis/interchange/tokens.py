"""Exchange of tokens: how answers change if a single token's embedding is taken from another state.

See `interchange.py` for how values are exchanged, and `alignment.py` for what should follow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from playground.analysis.base.derived import derive
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Heatmap, Selection, Table
from playground.analysis.base.store import Store
from playground.analysis.base.view import View
from playground.analysis.interchange.accuracy import accuracy_figures, alignments_of
from playground.analysis.interchange.alignment import Alignment
from playground.analysis.interchange.exchange import choose_pairs
from playground.analysis.interchange.grids import table_of_outcomes
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.interchange.variables import name_of
from playground.inference import Model
from playground.inference.model import InterventionsLike
from playground.models import Site


def _measure(
    model: Model, interventions: InterventionsLike, begun: Interchange | None, store: Store | None
) -> Iterator[Interchange]:
    names = [*model.world.inputs, *model.world.outputs]
    last = model.template.positions[model.world.answers[-1]]
    tokens = [name for name in names if model.template.positions[name] < last]
    return measure_interchange(model, interventions, sites=[Site(part="embed")], tokens=tokens, begun=begun)


def _present(measured: Interchange, view: View) -> Iterator[Heatmap]:
    """Yield which token each answer follows; then for each answer every variable at every token."""
    found = {answer: _alignments(measured, view, answer) for answer in measured.answers}
    yield _by_token(measured, view, found)
    for answer, folded in view.answers(measured.answers):
        if found[answer]:
            yield _by_variable(measured, view, found[answer], folded=folded or view.answer is not None)


def _alignments(measured: Interchange, view: View, answer: str) -> list[Alignment]:
    """Return how well each token stands for every input, and every output as written, that an answer depends on."""
    found = derive(alignments_of, measured, view.world, answer)
    return [each for each in found if each.kind in ("input", "written")]


def _by_token(measured: Interchange, view: View, found: dict[str, list[Alignment]]) -> Heatmap:
    """Return for each token how well answers follow its own variable: the input, or the output as written."""
    values = np.full((len(measured.answers), len(measured.tokens)), np.nan)
    meant: dict[tuple[int, int], Alignment] = {}
    for row, answer in enumerate(measured.answers):
        for each in found[answer]:
            token = each.output or each.variable
            if token in measured.tokens and token != answer:
                column = measured.tokens.index(token)
                if measured.done[0, column]:
                    meant[row, column] = each
                    values[row, column] = each.accuracy[0, column]

    def cases(row: int, column: int) -> Table | None:
        each = meant.get((row, column))
        return each and table_of_outcomes(measured, view, each, 0, column)

    return Heatmap(
        title="answers by exchanged tokens",
        caption="Share of the pairs of states in which the answer becomes what follows from the exchanged token. Only "
        "pairs in which that changes the answer count.",
        row_axis="answer",
        column_axis="token",
        rows=measured.answers,
        columns=measured.tokens,
        values=values,
        largest=1.0,
        marked=tuple(row for row, answer in enumerate(measured.answers) if answer == view.answer),
        selects=lambda row, column: Selection(
            measured.sites[0], measured.tokens[column], measured.answers[row]
        ),
        cases=cases,
    )


def _by_variable(measured: Interchange, view: View, found: list[Alignment], *, folded: bool) -> Heatmap:
    answer = found[0].answer
    done = measured.done[0]
    return Heatmap(
        title=f"{answer} by variables and exchanged tokens",
        caption=f"Share of the pairs of states in which {answer} becomes what follows from the variable (row) if one "
        "token (column) alone is exchanged. Only pairs in which that changes the answer count.",
        row_axis="variable",
        column_axis="token",
        rows=tuple(name_of(each.kind, each.variable) for each in found),
        columns=measured.tokens,
        values=np.stack([np.where(done, each.accuracy[0], np.nan) for each in found]),
        largest=1.0,
        notes=[
            [
                f"{right} of {each.counted} pairs" if known else ""
                for right, known in zip(each.right[0], done, strict=True)
            ]
            for each in found
        ],
        groups=tuple(each.kind for each in found),
        selects=lambda row, column: Selection(measured.sites[0], measured.tokens[column], answer),
        cases=lambda row, column: (
            table_of_outcomes(measured, view, found[row], 0, column) if done[column] else None
        ),
        folded=folded,
    )


def _tokens_read(model: Model) -> float:
    variables = len(model.world.inputs) + len(model.world.outputs)
    pairs, *_ = choose_pairs(model.world.states)
    return len(pairs) * variables * model.template.length / 2


TOKENS = Method(
    name="tokens",
    title="Exchange of tokens",
    question="Which tokens does an answer come from, if one alone is exchanged for that of another state?",
    how="In every pair of states, the embedding of one token is replaced by that of the other state, and "
    "everything after it is recomputed. The answer is compared with that of a causal model in which this "
    "variable alone has the other state's value.",
    caution="Such a text may contradict itself, which no training text does. A model that needs two tokens together "
    "follows neither alone, and an answer that does not follow a token may still follow the same value "
    "elsewhere.",
    source="Geiger et al. 2021 (arXiv 2106.02997)",
    kind=Interchange,
    measure=_measure,
    present=_present,
    figures=accuracy_figures,
    progress=progress_of,
    tokens_read=_tokens_read,
)
