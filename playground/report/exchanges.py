"""Exchanges drawn: of tokens alone, of parts between neighbours, and of parts for variables of causal models."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.analysis import Alignment, FreeRunningInterchange, Interchange, align
from playground.inference import Model
from playground.plots import Figure, plot_grid
from playground.report.exhibits import Drawing, Exhibit, Table, reads_none

_MEANT = {
    "input": "{} (input)",
    "written": "{} (as written)",
    "recomputed": "{} (recomputed)",
    "partial sum": "{} (partial sum)",
}


def tokens_exhibits(measured: Interchange, model: Model) -> list[Exhibit]:
    """Return for every answer that reads others how far it follows from each token if that alone is exchanged."""
    found: list[Exhibit] = []
    for answer, alignments in _by_answer(measured, model).items():
        meant = [each for each in alignments if each.kind in ("input", "written")]
        found.append(
            Drawing(
                f"{answer}: share of the pairs in which it becomes what the causal model says (row) if the embedding of "
                "one token (column) alone is that of another state.",
                plot_grid(
                    np.stack([each.accuracy[0] for each in meant]),
                    [_name(each) for each in meant],
                    measured.tokens,
                    unit="accuracy",
                    notes=[
                        [_counted(each, 0, token) for token in range(len(measured.tokens))] for each in meant
                    ],
                ),
            )
        )
    return found


def patching_exhibits(measured: Interchange, model: Model) -> list[Exhibit]:
    """Return for every answer which parts at which tokens recover it; the held-out states apart."""
    base, source = measured.pairs[measured.neighbours].T
    held_out = measured.held_out[base] | measured.held_out[source]
    found: list[Exhibit] = []
    for answer in measured.answers:
        groups = [(f"of states that differ in one input and in {answer}", None)]
        groups += [("with a state that was held out", held_out)] if held_out.any() else []
        for words, chosen in groups:
            values = measured.mean_recovered(answer, chosen)
            found.append(
                Drawing(
                    f"{answer}: mean recovered effect over the pairs {words}.",
                    _sites(measured, values, unit="recovered", limits=(-1.0, 1.0)),
                    folded=reads_none(model, answer) or chosen is not None,
                )
            )
    return found


def interchange_exhibits(measured: Interchange, model: Model) -> list[Exhibit]:
    """Return for every answer that reads others which part stands for which variable: where best, and everywhere."""
    found: list[Exhibit] = []
    for answer, alignments in _by_answer(measured, model).items():
        tokens = range(len(measured.tokens))
        best = [[int(np.argmax(column)) for column in each.right.T] for each in alignments]
        found += [
            Drawing(
                f"{answer}: how well the best part at each token (column) stands for each variable (row).",
                plot_grid(
                    np.stack([each.accuracy.max(0) for each in alignments]),
                    [_name(each) for each in alignments],
                    measured.tokens,
                    unit="accuracy",
                    groups=[each.kind for each in alignments],
                    notes=[[f"best: {measured.sites[sites[token]]}" for token in tokens] for sites in best],
                ),
            ),
            _best_table(answer, alignments, measured),
        ]
        found += [
            Drawing(
                f"{answer}, {_name(each)}: every part at every token; {each.counted} pairs count.",
                _sites(measured, each.accuracy, unit="accuracy", framed=[each.best]),
                folded=True,
            )
            for each in alignments
        ]
    return found


def free_exhibits(measured: FreeRunningInterchange, model: Model) -> list[Exhibit]:
    """Return for every variable whether answers still follow once the model reads what it writes."""
    rows = [
        (
            _MEANT[kind].format(variable),
            *each,
        )
        for variable, kind, *each in zip(
            measured.variables,
            measured.kinds,
            measured.answers,
            measured.sites,
            measured.tokens,
            [f"{right} of {of}" for right, of in zip(measured.right, measured.counted, strict=True)],
            [
                f"{right} of {of}" if done else None
                for right, of, done in zip(
                    measured.free_right, measured.free_counted, measured.done, strict=True
                )
            ],
            strict=True,
        )
    ]
    columns = ("variable", "answer", "part", "token", "right on the base's own text", "right decoded freely")
    return [
        Table(
            f"{answer}: the best part of each variable, with the pairs in which the model writes what follows from the exchange.",
            columns,
            tuple(row for row in rows if row[1] == answer),
            folded=reads_none(model, answer),
        )
        for answer in model.world.answers
        if answer in measured.answers
    ]


def _by_answer(measured: Interchange, model: Model) -> dict[str, list[Alignment]]:
    """Return what can be said of the answers that read others; of all where none does."""
    found: dict[str, list[Alignment]] = {
        answer: [] for answer in measured.answers if not reads_none(model, answer)
    }
    for alignment in align(model.world, measured):
        if alignment.answer in found and alignment.counted:
            found[alignment.answer].append(alignment)
    return {answer: alignments for answer, alignments in found.items() if alignments}


def _name(alignment: Alignment) -> str:
    return _MEANT[alignment.kind].format(alignment.variable)


def _counted(alignment: Alignment, site: int, token: int) -> str:
    return f"{alignment.right[site, token]} of {alignment.counted} pairs"


def _best_table(answer: str, alignments: Sequence[Alignment], measured: Interchange) -> Table:
    return Table(
        f"{answer}: where each variable is found best. Last: how many of these pairs are right with nothing exchanged.",
        ("variable", "part", "token", "right", "pairs that count", "accuracy", "right without exchange"),
        tuple(
            (
                _name(each),
                measured.sites[each.best[0]],
                measured.tokens[each.best[1]],
                int(each.right[each.best]),
                each.counted,
                float(each.accuracy[each.best]),
                each.unpatched,
            )
            for each in sorted(alignments, key=lambda each: -float(each.accuracy[each.best]))
        ),
    )


def _sites(
    measured: Interchange,
    values: Float[np.ndarray, "site token"],
    *,
    unit: str,
    limits: tuple[float, float] = (0.0, 1.0),
    framed: Sequence[tuple[int, int]] = (),
) -> Figure:
    order = sorted(range(len(measured.sites)), key=lambda index: _rank(measured.sites[index]))
    return plot_grid(
        np.where(measured.done, values, np.nan)[order],
        [measured.sites[index] for index in order],
        measured.tokens,
        unit=unit,
        limits=limits,
        groups=[layer_of(measured.sites[index]) for index in order],
        framed=[(order.index(site), token) for site, token in framed],
    )


def _rank(site: str) -> tuple[int, int, bool]:
    """Return where a part stands: what is embedded, then layer by layer, heads first, then what belongs to none."""
    layer = layer_of(site)
    if not layer:
        return (0 if site == "embed" else 2), 0, False
    return 1, int(layer[1:]), not re.match(r"L\d+H", site)


def layer_of(site: str) -> str:
    """Return the layer that a part belongs to; nothing if it belongs to none."""
    found = re.match(r"L\d+", site)
    return found[0] if found else ""
