"""The logit lens (nostalgebraist 2020, "interpreting GPT: the logit lens"): the answer as it forms, layer by layer.

The residual stream after each part is read as if it were the final one, through the model's own unembedding and, if
it has one, its final norm. To do so, it replaces the final stream in a pass of the model itself, with the weights in
force at the token: the result is what the model would write if nothing more were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.base.answers import Answers, find_answers, mean_over, scores_of
from playground.analysis.base.measurement import Measurement
from playground.analysis.base.method import Method, at_once
from playground.analysis.base.presentation import (
    Column,
    Curve,
    Heatmap,
    Line,
    Row,
    Selection,
    Sentence,
    Table,
)
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, signed
from playground.analysis.residual.stream import START, Block, blocks_of, hook_of, stream_sites, what_it_has
from playground.errors import RequestError
from playground.inference import Model, Run, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.models import Edit, Network
from playground.worlds import state_text


@dataclass(frozen=True)
class Lens(Measurement):
    """What the residual stream predicts at the position that writes an answer, after each part of a model.

    The right answer is the one that the world's rules give for the state, as on a board, even if the model has
    written something wrong before, or was forced to. A model that follows its own wrong text is wrong here.

    The stream in early layers need not be in the form that the unembedding reads: the right answer may be there even
    if it is not on top.

    Args:
        answers: the answers measured.
        states: the world's states, in its order.
        held_out: which states were held out.
        parts: the parts after which the stream is read, as sites: `embed`, then all that each layer adds, in order.
        truth: token ids of the right answers.
        top: token ids with the highest score.
        margin: logit of the right token minus the highest logit of a wrong one; after the last part, the board's margin.
    """

    answers: tuple[str, ...]
    states: tuple[str, ...]
    held_out: Bool[np.ndarray, " state"]
    parts: tuple[str, ...]
    truth: Int[np.ndarray, "answer state"]
    top: Int[np.ndarray, "answer part state"]
    margin: Float[np.ndarray, "answer part state"]

    @property
    def right(self) -> Bool[np.ndarray, "answer part state"]:
        """Whether the right token is on top."""
        return self.top == self.truth[:, None]

    @property
    def first(self) -> Int[np.ndarray, "answer state"]:
        """Index of the part from which the right token stays on top; the number of parts if it never does."""
        # Counted back from the last part while it is right.
        return len(self.parts) - self.right[:, ::-1].cumprod(axis=1).sum(axis=1)

    @property
    def accuracy(self) -> Float[np.ndarray, "answer part"]:
        """Share of the states in which the right token is on top."""
        return self.right.mean(-1)

    @property
    def accuracy_seen(self) -> Float[np.ndarray, "answer part"]:
        """The same over the seen states."""
        return self.right[:, :, ~self.held_out].mean(-1)

    @property
    def accuracy_held_out(self) -> Float[np.ndarray, "answer part"] | None:
        """The same over the held-out states; None if there are none."""
        return mean_over(self.right.astype(float), self.held_out, axis=2)


def measure_lens(
    model: Model, interventions: InterventionsLike = (), answers: Sequence[str] | None = None
) -> Lens:
    """Return what the residual stream predicts for answers after each part of a model, in all states.

    Args:
        model: a loaded model with a residual stream; it stays as it is.
        interventions: values, or their text form. Where they change the stream itself, the changed stream is read.
        answers: names of the answers to measure; those of `chained_answers` by default.

    Raises:
        RequestError: for a model without a residual stream, for answers that the world does not have, and as
            `Model.run_all` does.
    """
    network, asked = model.network, as_values(interventions)
    blocks = blocks_of(network)
    if not blocks:
        raise RequestError.of(
            message="this model has no residual stream",
            expected="a model with one, such as gpt2 or cnn",
            got=what_it_has(network),
            hint="Take its answers apart with measure_attribution instead.",
        )
    chosen = find_answers(model.template, answers)
    run = model.record([hook_of(network, site) for site in stream_sites(network)], asked)
    # Only the weight edits are applied here: the recorded stream already contains all other changes.
    weights = make_plan(asked, network, model.values).weights
    last, positions = hook_of(network, blocks[-1].end), tuple(chosen.positions.tolist())

    def read(stream: Float[Tensor, "state answer dimension"]) -> Float[np.ndarray, "answer state vocabulary"]:
        put = Edit(last, positions, lambda value, at: stream)
        return scores_of(network.forward(run.tokens, [put], weights=weights).logits, chosen)

    streams = _streams(network, blocks, run, chosen)
    scores = [read(stream) for stream in streams.values()]
    return Lens(
        model=model.name,
        interventions=tuple(map(str, asked)),
        answers=chosen.names,
        states=tuple(map(state_text, model.world.states)),
        held_out=model.baseline.held_out.copy(),
        parts=tuple(streams),
        truth=chosen.right,
        top=np.stack([each.argmax(-1) for each in scores], 1),
        margin=np.stack([chosen.ahead(each, chosen.best_wrong(each)) for each in scores], 1),
    )


def _streams(
    network: Network, blocks: Sequence[Block], run: Run, answers: Answers
) -> dict[str, Float[Tensor, "state answer dimension"]]:
    """Return the stream after each part, at the positions that write the answers."""
    positions = torch.from_numpy(answers.positions)
    stream = run.recorded[hook_of(network, START)][:, positions]
    found = {str(START): stream}
    for block in blocks:
        for site in block.adds:
            stream = stream + run.recorded[hook_of(network, site)][:, positions]
            found[str(site)] = stream
        # An intervention may have changed the stream itself, so it need not be the sum of what was added.
        stream = run.recorded[hook_of(network, block.end)][:, positions]
        found[str(block.adds[-1])] = stream
    return found


def _present(found: Lens, view: View) -> Iterator[Heatmap | Curve | Sentence]:
    """Yield how often the right answer is on top after each part, and by how much it leads."""
    if missing := view.not_measured(found.answers):
        yield Sentence(text=missing)
    yield Heatmap(
        title="the right answer after each part",
        caption="Share of all states in which the right answer would be on top if the model stopped after this part."
        + (
            ""
            if view.state is None
            else f" Below, for the state {view.states[view.state]}: the token on top, and how far the right one leads the "
            "best wrong one, in logits."
        ),
        row_axis="after",
        column_axis="answer",
        rows=found.parts,
        columns=found.answers,
        values=found.accuracy.T,
        largest=1.0,
        notes=None if view.state is None else _notes(found, view, view.state),
        selects=lambda part, answer: Selection(
            found.parts[part], view.writing(found.answers[answer]), found.answers[answer]
        ),
        cases=lambda part, answer: _cases(found, view, part, answer),
    )
    for answer, folded in view.answers(found.answers):
        index = found.answers.index(answer)
        margins, held_out = found.margin[index].T, found.held_out
        lines = [Line("seen states", margins[~held_out].mean(0))]
        lines += [Line("held-out states", margins[held_out].mean(0))] if held_out.any() else []
        lines += [
            Line(state, margin, is_faint=True) for state, margin in zip(found.states, margins, strict=True)
        ]
        shares = [Line("seen states", found.accuracy_seen[index])]
        if found.accuracy_held_out is not None:
            shares.append(Line("held-out states", found.accuracy_held_out[index]))
        yield Curve(
            title=f"share of states with the right {answer} on top",
            caption=f"Share of the seen and of the held-out states in which the right {answer} is on top after each part.",
            axis="after",
            places=found.parts,
            lines=tuple(shares),
            folded=folded,
        )
        yield Curve(
            title=f"lead of the right {answer}",
            caption=f"By how many logits the right {answer} leads the best wrong one after each part: mean of the states, and "
            "every state faintly.",
            axis="after",
            places=found.parts,
            lines=tuple(lines),
            unit="logits",
            folded=folded,
        )


def _notes(found: Lens, view: View, state: int) -> list[list[str]]:
    visible = view.model.template.visible
    return [
        [
            f"{visible(found.top[answer, part, state])} {signed(found.margin[answer, part, state])} "
            + ("✓" if found.right[answer, part, state] else "✗")
            for answer in range(len(found.answers))
        ]
        for part in range(len(found.parts))
    ]


def _cases(found: Lens, view: View, part: int, answer: int) -> Table:
    right, margin = found.right[answer, part], found.margin[answer, part]
    visible, name = view.model.template.visible, f"{found.answers[answer]} after {found.parts[part]}"
    return Table(
        title=name,
        caption=f"{name} is right in {int(right.sum())} of {len(right)} states; the worst come first.",
        columns=(
            Column("state", kind="state"),
            Column("right is"),
            Column("on top"),
            Column("lead", "in logits"),
        ),
        rows=tuple(
            Row(
                (
                    found.states[state],
                    visible(found.truth[answer, state]),
                    visible(found.top[answer, part, state]),
                    signed(margin[state]),
                ),
                bool(right[state]),
            )
            for state in np.argsort(margin, kind="stable").tolist()
        ),
    )


def _figures(found: Lens, model: Model) -> dict[str, Any]:
    first = [[(*found.parts, None)[part] for part in row] for row in found.first.tolist()]
    held_out = found.accuracy_held_out
    return {
        "parts": list(found.parts),
        "answers": {
            answer: {
                "accuracy": to_document(found.accuracy[index]),
                "accuracy_seen": to_document(found.accuracy_seen[index]),
                "accuracy_held_out": None if held_out is None else to_document(held_out[index]),
                "right_from": dict(zip(found.states, first[index], strict=True)),
                "margin": to_document(found.margin[index]),
            }
            for index, answer in enumerate(found.answers)
        },
    }


def _unavailable_reason(network: Network) -> str | None:
    return None if blocks_of(network) else "it has no residual stream that layer after layer adds to"


LENS = Method(
    name="lens",
    title="Logit lens",
    question="After which layer is the right answer in the residual stream?",
    how="The residual stream after each part replaces the final one, and the model itself reads it. This shows "
    "what it would write if nothing more were added.",
    caution="Early layers need not write in the form that the unembedding reads: an answer that is not on top may still "
    "be there.",
    source='nostalgebraist 2020, "interpreting GPT: the logit lens"',
    kind=Lens,
    measure=at_once(measure_lens),
    present=_present,
    figures=_figures,
    unavailable_reason=_unavailable_reason,
)
