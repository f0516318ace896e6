"""Attention, logit lens, direct logit attribution and emergence drawn, answer by answer."""

from __future__ import annotations

import numpy as np

from playground.analysis import Attention, Attribution, Emergence, Lens
from playground.inference import Model
from playground.models import Site
from playground.plots import plot_attribution, plot_emergence, plot_grid, plot_lens
from playground.report.exhibits import Drawing, Exhibit, reads_none


def attention_exhibits(measured: Attention, model: Model) -> list[Exhibit]:
    """Return for every answer where heads look while it is written, and where they look otherwise in held-out states."""
    layers, heads = measured.all.mean.shape[1:3]
    names = [str(Site(layer, head=head)) for layer in range(layers) for head in range(heads)]
    groups = [f"L{layer}" for layer in range(layers) for _ in range(heads)]
    largest = {each.answer: each for each in measured.largest_differences}
    found: list[Exhibit] = []
    for index, answer in enumerate(measured.answers):
        # Behind the position that looks there is nothing to look at.
        shown = model.template.positions[answer]
        tokens = measured.tokens[:shown]

        def rows(values: np.ndarray, index: int = index, shown: int = shown) -> np.ndarray:
            return values[index].reshape(len(names), -1)[:, :shown]

        low, high = rows(measured.all.smallest), rows(measured.all.largest)
        notes = [
            [f"from {a:.2f} to {b:.2f} over the states" for a, b in zip(*pair, strict=True)]
            for pair in zip(low.tolist(), high.tolist(), strict=True)
        ]
        found.append(
            Drawing(
                f"{answer}: where each head (row) looks while it is written, mean weight over all states.",
                plot_grid(rows(measured.all.mean), names, tokens, unit="weight", groups=groups, notes=notes),
                folded=reads_none(model, answer),
            )
        )
        if measured.difference is not None:
            most = largest[answer]
            found.append(
                Drawing(
                    f"{answer}: mean weight in held-out states minus that in seen ones. The largest difference is "
                    f"{most.value:+.2f}, of {most.head} at {most.token}.",
                    plot_grid(
                        rows(measured.difference),
                        names,
                        tokens,
                        unit="difference",
                        limits=(-0.5, 0.5),
                        groups=groups,
                    ),
                    folded=reads_none(model, answer),
                )
            )
    return found


def lens_exhibits(measured: Lens, model: Model) -> list[Exhibit]:
    """Return for every answer how it forms, part by part."""
    return [
        Drawing(
            f"{answer}: share of the states in which the right token is on top behind each part (above), and by how much it is "
            "ahead (below; faint: single states).",
            plot_lens(
                measured.parts,
                (
                    measured.accuracy_seen[index],
                    None if measured.accuracy_held_out is None else measured.accuracy_held_out[index],
                ),
                measured.margin[index],
                measured.held_out,
                measured.states,
            ),
            folded=reads_none(model, answer),
        )
        for index, answer in enumerate(measured.answers)
    ]


def attribution_exhibits(measured: Attribution, model: Model, state: int | None = None) -> list[Exhibit]:
    """Return for every answer what each component adds to it.

    Args:
        measured: of the model.
        model: was measured.
        state: one that is marked.
    """
    return [
        Drawing(
            f"{answer}: what each component adds to the right token's logit less a wrong one's.",
            plot_attribution(measured.components, measured.values[index], measured.states, chosen=state),
            folded=reads_none(model, answer),
        )
        for index, answer in enumerate(measured.answers)
    ]


def emergence_exhibits(measured: Emergence, model: Model) -> list[Exhibit]:
    """Return when routes and accuracy came about, and when answers began to follow which token."""
    found: list[Exhibit] = [
        Drawing(
            "Of the texts where reading and recomputing disagree, the share in which each answer is read, or recomputed; and share of the states that are "
            "wholly right.",
            plot_emergence(
                measured.steps,
                measured.answers,
                measured.read,
                measured.recomputed,
                measured.seen,
                measured.held_out,
            ),
        )
    ]
    if measured.variables:
        found.append(
            Drawing(
                "Share of the pairs of states in which an answer follows if one token alone is exchanged, after so many steps.",
                plot_grid(
                    measured.exchanged.T,
                    [f"{answer} follows {name}" for name, answer in measured.variables],
                    [f"{step:,}" for step in measured.steps],
                    unit="accuracy",
                    groups=[answer for _, answer in measured.variables],
                ),
            )
        )
    return found
