"""Attention: where each head looks while an answer is written, in seen and held-out states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from playground.analysis.base.answers import find_answers
from playground.analysis.base.measurement import Measurement
from playground.analysis.base.method import Method, at_once
from playground.analysis.base.presentation import Column, Heatmap, Option, Row, Selection, Sentence, Table
from playground.analysis.base.store import to_document
from playground.analysis.base.view import View, signed
from playground.analysis.residual.stream import what_it_has
from playground.errors import RequestError
from playground.inference import Model, token_names
from playground.inference.model import InterventionsLike, as_values
from playground.models import Network, Site


@dataclass(frozen=True)
class Spread:
    """Attention weights over some states, from 0 to 1; in each state they sum to 1 over the tokens.

    Tokens after the query position get 0.

    Args:
        mean: mean over the states.
        smallest: minimum over the states.
        largest: maximum over the states.
    """

    mean: Float[np.ndarray, "answer layer head key"]
    smallest: Float[np.ndarray, "answer layer head key"]
    largest: Float[np.ndarray, "answer layer head key"]


@dataclass(frozen=True)
class Difference:
    """A difference in where a head looks between held-out and seen states.

    Args:
        answer: the answer being written.
        head: the head, as a site (`L1H2`).
        token: the token it attends to.
        value: mean weight on it in held-out states minus mean weight in seen ones.
    """

    answer: str
    head: str
    token: str
    value: float


@dataclass(frozen=True)
class Attention(Measurement):
    """Where each head looks at the position that writes an answer: one before the answer's own token.

    The weights are those that the model uses, after all interventions, on the text that it writes under them. Where a
    head looks is not what it does: what it carries from there may be small, or be ignored later.

    Args:
        answers: the answers measured.
        tokens: the name of every position, as interventions name it.
        all: weights over all states of the world.
        seen: weights over the seen states.
        held_out: weights over the held-out states; None if there are none.
    """

    answers: tuple[str, ...]
    tokens: tuple[str, ...]
    all: Spread
    seen: Spread
    held_out: Spread | None

    @property
    def difference(self) -> Float[np.ndarray, "answer layer head key"] | None:
        """Mean weight in held-out states minus mean weight in seen states; None without held-out states."""
        return None if self.held_out is None else self.held_out.mean - self.seen.mean

    @property
    def largest_differences(self) -> tuple[Difference, ...]:
        """For each answer, the difference with the largest absolute value; empty without held-out states."""
        if self.difference is None:
            return ()
        found = []
        for answer, values in zip(self.answers, self.difference, strict=True):
            layer, head, key = np.unravel_index(np.abs(values).argmax(), values.shape)
            site = Site(int(layer), head=int(head))
            found.append(Difference(answer, str(site), self.tokens[key], float(values[layer, head, key])))
        return tuple(found)


def measure_attention(
    model: Model, interventions: InterventionsLike = (), answers: Sequence[str] | None = None
) -> Attention:
    """Return where each head looks while answers are written, over all states.

    Args:
        model: a loaded model with attention; it stays as it is.
        interventions: values, or their text form.
        answers: names of the answers to measure; those of `chained_answers` by default.

    Raises:
        RequestError: for a model without attention, for answers that the world does not have, and as
            `Model.run_all` does.
    """
    hooks = model.network.pattern_hooks
    if not hooks:
        raise RequestError.of(
            message="this model has no attention",
            expected="a model with attention patterns, such as gpt2",
            got=what_it_has(model.network),
            hint=f"Look at the activation of one of its parts, such as {model.network.elements[0].whole}.",
        )
    chosen = find_answers(model.template, answers)
    run = model.record(hooks, interventions)
    patterns = torch.stack([run.recorded[hook][:, :, torch.from_numpy(chosen.positions)] for hook in hooks])
    # layer x state x head x answer x key
    weights = patterns.permute(1, 3, 0, 2, 4).double().cpu().numpy()
    held_out = model.baseline.held_out
    return Attention(
        model=model.name,
        interventions=tuple(map(str, as_values(interventions))),
        answers=chosen.names,
        tokens=token_names(model.template),
        all=_spread(weights, np.ones_like(held_out)),
        seen=_spread(weights, ~held_out),
        held_out=_spread(weights, held_out) if held_out.any() else None,
    )


def _spread(
    weights: Float[np.ndarray, "state answer layer head key"], states: Bool[np.ndarray, " state"]
) -> Spread:
    chosen = weights[states]
    return Spread(chosen.mean(0), chosen.min(0), chosen.max(0))


MEAN, SMALLEST, LARGEST, DIFFERENCE = "mean", "smallest", "largest", "difference"
"""Which statistic of the weights is shown."""
_STRONGEST_DIFFERENCE = 0.5


def _options(view: View) -> tuple[Option, ...]:
    compared = ((DIFFERENCE, "held out − seen"),) if view.model.dataset.held_out else ()
    choices = ((MEAN, "mean"), (SMALLEST, "smallest"), (LARGEST, "largest"), *compared)
    return (Option("spread", "Over all states", choices),)


def _present(found: Attention, view: View) -> Iterator[Heatmap | Sentence]:
    """Yield the weights of all heads; if no answer is chosen, also how held-out states differ."""
    if reason := view.not_measured(found.answers):
        yield Sentence(text=reason)
    chosen = (MEAN, DIFFERENCE) if view.answer is None else (view.options.get("spread", MEAN),)
    for answer, folded in view.answers(found.answers):
        for each in chosen:
            if each != DIFFERENCE or found.held_out is not None:
                yield _heatmap(found, view, answer, each, folded=folded)
            elif view.answer is not None:
                yield Sentence(text="No state was held out: there is nothing to compare seen states with.")


def _heatmap(found: Attention, view: View, answer: str, chosen: str, *, folded: bool) -> Heatmap:
    if chosen == DIFFERENCE:
        values = found.difference
        most = next(each for each in found.largest_differences if each.answer == answer)
        title = f"attention at {answer}, held out − seen"
        caption = (
            f"Mean attention weight in held-out states minus that in seen ones, from the token before {answer}. The largest "
            f"difference is {signed(most.value)}: {most.head} at {most.token}."
        )
    else:
        values = {MEAN: found.all.mean, SMALLEST: found.all.smallest, LARGEST: found.all.largest}[chosen]
        title = f"attention at {answer}, {chosen} over all states"
        caption = (
            f"Attention weight from the token before {answer}, from which {answer} is written, to each earlier token: {chosen} "
            "over all states."
        )
    assert values is not None, "differences are asked for only where states were held out"
    layers, heads = values.shape[1:3]
    sites = [Site(layer, head=head) for layer in range(layers) for head in range(heads)]
    rows, columns = tuple(map(str, sites)), found.tokens[: _length(view, answer)]
    return Heatmap(
        title=title,
        caption=caption,
        row_axis="head",
        column_axis="attends to",
        rows=rows,
        columns=columns,
        values=_by_head(values, found, view, answer),
        unit="difference" if chosen == DIFFERENCE else "weight",
        largest=_STRONGEST_DIFFERENCE if chosen == DIFFERENCE else 1.0,
        notes=_ranges(found, view, answer) if view.answer is None and chosen != DIFFERENCE else None,
        groups=tuple(f"L{site.layer}" for site in sites),
        selects=lambda head, token: Selection(rows[head], columns[token], answer),
        cases=lambda head, token: _cases(found, view, answer, sites[head], token),
        folded=folded,
    )


def _length(view: View, answer: str) -> int:
    """Return how many tokens can be attended to: those up to the one from which the answer is written."""
    return int(view.model.template.positions[answer])


def _by_head(
    values: Float[np.ndarray, "answer layer head key"], found: Attention, view: View, answer: str
) -> Float[np.ndarray, "row column"]:
    of_answer = values[found.answers.index(answer)]
    return of_answer.reshape(-1, of_answer.shape[-1])[:, : _length(view, answer)]


def _ranges(found: Attention, view: View, answer: str) -> list[list[str]]:
    low, high = (
        _by_head(each, found, view, answer).tolist() for each in (found.all.smallest, found.all.largest)
    )
    return [
        [f"from {least:.2f} to {most:.2f}" for least, most in zip(*row, strict=True)]
        for row in zip(low, high, strict=True)
    ]


def _cases(found: Attention, view: View, answer: str, site: Site, key: int) -> Table:
    """Return the weight of one head on one token in every state."""
    hook = view.model.network.pattern_hooks[site.layer or 0]
    run = view.model.record([hook], view.interventions)
    weights = run.recorded[hook][:, site.head, _length(view, answer) - 1, key].float().cpu().numpy()
    return Table(
        title=f"{site} on {found.tokens[key]}",
        caption=f"Attention weight of {site} on {found.tokens[key]} while {answer} is written, in every state; the largest comes "
        "first.",
        columns=(Column("state", kind="state"), Column("weight", "from 0 to 1")),
        rows=tuple(
            Row((view.states[state], f"{weights[state]:.3f}"))
            for state in np.argsort(-weights, kind="stable").tolist()
        ),
    )


def _figures(found: Attention, model: Model) -> dict[str, Any]:
    return to_document(found) | {
        "difference": to_document(found.difference),
        "largest_differences": to_document(found.largest_differences),
    }


def _unavailable_reason(network: Network) -> str | None:
    return None if network.pattern_hooks else "it has no attention"


ATTENTION = Method(
    name="attention",
    title="Attention",
    question="Where do heads look while an answer is written, in states that were seen and held out?",
    how="The weights with which each head attends to every token from the position that writes the answer, on the text that the "
    "model itself writes.",
    caution="Where a head looks is not what it does: what it carries from there may be small, or be ignored later. A "
    "difference between held-out and seen states only hints at another mechanism: held-out states are few, "
    "so single states can dominate their mean.",
    kind=Attention,
    measure=at_once(measure_attention),
    present=_present,
    options=_options,
    figures=_figures,
    unavailable_reason=_unavailable_reason,
)
