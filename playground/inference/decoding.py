"""Exact greedy decoding of many texts at once, under interventions.

A causal model's scores for a token depend only on the tokens before it. So one pass over a guess of the
whole text gives the tokens that decoding one by one would give, up to and including the first token at which
the guess is wrong. The result of each pass is the next guess, until a pass returns its own input: the greedy
text. Each pass fixes at least one more token; a good guess needs only one pass. If the model has a cache,
tokens that are fixed in all texts are not read again, and after a bad guess only a few later tokens are read.
Recurrent models need no guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.datasets import Template
from playground.errors import RequestError
from playground.interventions import (
    ActivationIntervention,
    Baseline,
    Intervention,
    TokenIntervention,
    Values,
    WeightIntervention,
)
from playground.models import Cache, Edit, Network, Pass, WeightEdit


@dataclass(frozen=True)
class Run:
    """What a model wrote, and what it computed.

    Args:
        tokens: token ids of the texts, prompts included; for several models, with a first axis for them.
        logits: scores of the next token at every token of these texts.
        recorded: hook point -> its value on these texts, after all edits.
    """

    tokens: Int[Tensor, "*model row token"]
    logits: Float[Tensor, "*model row token vocabulary"]
    recorded: Mapping[str, Tensor]


def join(runs: Sequence[Run]) -> Run:
    """Join runs on some rows each; they recorded the same hook points."""
    if len(runs) == 1:
        return runs[0]
    recorded = {name: torch.cat([run.recorded[name] for run in runs]) for name in runs[0].recorded}
    return Run(torch.cat([run.tokens for run in runs]), torch.cat([run.logits for run in runs]), recorded)


def check_finite(run: Run, network: Network, interventions: str = "") -> None:
    """Check that all scores of a run are finite.

    Args:
        run: the run.
        network: the model that made it.
        interventions: under which it ran, as text; empty if it was not edited.

    Raises:
        RequestError: if not; it blames the interventions, or the model itself if there were none.
    """
    if bool(run.logits.isfinite().all()):
        return
    if interventions:
        message, hint = "this drives the scores of the model out of range", "Take a smaller amount."
    else:
        message = f"the unedited {network.architecture} computes scores that are not finite numbers"
        hint = "Its weights are damaged or too large: train it again."
    raise RequestError.of(
        where=interventions, message=message, expected="finite scores", got="NaN or infinity", hint=hint
    )


@dataclass(frozen=True)
class Forced:
    """A token that is forced.

    Args:
        position: where it stands.
        tokens: the ids that it may have. If there are several, it gets the one with the lowest score; on a tie, the
            last, since greedy decoding takes the first.
    """

    position: int
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The edits of a model.

    Args:
        edits: edits of activations.
        weights: edits of weights.
        forced: tokens that are written whatever the scores.
    """

    edits: tuple[Edit, ...] = ()
    weights: tuple[WeightEdit, ...] = ()
    forced: tuple[Forced, ...] = ()


def make_plan(interventions: Sequence[Intervention], network: Network, values: Values) -> Plan:
    """Return the plan that carries out `interventions`, each family in its order.

    Args:
        interventions: these fit the network, see `interventions.check`.
        network: the model that will be run.
        values: the values of the same model, unedited.
    """
    edits: list[Edit] = []
    weights: list[WeightEdit] = []
    forced: list[Forced] = []
    for each in interventions:
        match each:
            case ActivationIntervention():
                positions = _positions(each, network.template)
                edits += [
                    Edit(place.hook, positions, each.change(Baseline(values, place)), place.index)
                    for place in network.hook_locations(each.site)
                ]
            case WeightIntervention():
                positions = _positions(each, network.template)
                change = each.change(network.weights[each.site.whole])
                weights.append(WeightEdit(each.site.whole, positions, change, each.site.slices))
            case TokenIntervention():
                position = network.template.positions[each.output]
                forced.append(Forced(position, each.tokens(network.template)))
            case _:
                raise AssertionError(f"{each!r} belongs to no family of interventions")
    return Plan(tuple(edits), tuple(weights), tuple(forced))


def _positions(intervention: Intervention, template: Template) -> tuple[int, ...]:
    return tuple(np.flatnonzero(intervention.positions.mask(template)).tolist())


def choose(
    logits: Float[Tensor, "*model row token vocabulary"], first: int, forced: Sequence[Forced] = ()
) -> Int[Tensor, "*model row token"]:
    """Return the tokens that are written: those with the highest scores, except where one is forced.

    Args:
        logits: scores of the tokens from `first` on.
        first: position of the first of them.
        forced: the tokens that are not chosen freely.
    """
    written = logits.argmax(-1)
    for each in forced:
        column = each.position - first
        if 0 <= column < written.shape[-1]:
            allowed = torch.tensor(each.tokens[::-1], device=written.device)
            written[..., column] = allowed[logits[..., column, allowed].argmin(-1)]
    return written


def write(
    network: Network,
    guess: Int[Tensor, "row token"],
    given: int,
    plan: Plan = Plan(),
    record: Sequence[str] = (),
) -> Run:
    """Return what a model writes after the first tokens of each text, edited or not.

    Args:
        network: the model.
        guess: whole texts; the closer to what will be written, the faster.
        given: how many tokens of each are given.
        plan: its edits.
        record: hook points whose values are wanted.
    """
    if writer := network.writer:
        tokens, result = writer(
            guess[:, :given],
            lambda scores, position: choose(scores[:, None], position, plan.forced)[:, 0],
            plan.edits,
            record,
            plan.weights,
        )
        return Run(tokens, result.logits, result.recorded)
    # Values are recorded for a whole text at once.
    cache = None if record else network.make_cache()
    return decode(
        lambda tokens: network.forward(tokens, plan.edits, record, plan.weights, cache),
        guess,
        given,
        plan.forced,
        cache,
    )


@torch.inference_mode()
def decode(
    forward: Callable[[Int[Tensor, "*model row token"]], Pass],
    guess: Int[Tensor, "*model row token"],
    given: int,
    forced: Sequence[Forced] = (),
    cache: Cache | None = None,
) -> Run:
    """Return what a causal model, or each of several, writes after the first tokens of each text.

    Args:
        forward: runs the model, or all of them, on some rows; every row's result depends on that row alone.
        guess: complete texts.
        given: how many tokens of a text are given.
        forced: which tokens are not chosen freely.
        cache: the cache that `forward` uses; `forward` then gets only the tokens after the cached ones.

    Returns:
        The greedy texts, as long as `guess`, with the scores and recorded values of the pass that confirmed each.
    """
    *several, rows, length = guess.shape
    tokens = guess.clone()
    waiting = torch.arange(rows, device=guess.device)
    logits: Tensor | None = None
    recorded: dict[str, Tensor] = {}
    first, stop, passes = 0, length, 0
    while len(waiting):
        asked = tokens[..., waiting, :]
        result = forward(asked[..., first:stop])
        if logits is None:
            # Later passes overwrite the rows that are not done after this one.
            logits, recorded = result.logits, dict(result.recorded)
        else:
            logits[..., waiting, first:stop, :] = result.logits
            for name, value in result.recorded.items():
                recorded[name][waiting] = value
        # The scores at a text's last token are for a token beyond its end.
        scored = slice(max(given, first + 1), min(stop + 1, length))
        scores = logits[..., waiting, scored.start - 1 : scored.stop - 1, :]
        written = choose(scores, scored.start, forced)
        wrong = written != asked[..., scored]
        # A row is done once it is done for every model.
        differs = wrong.any(0) if several else wrong
        tokens[..., waiting, scored] = written
        left = differs.any(-1) if stop == length else torch.ones_like(waiting, dtype=torch.bool)
        if cache is not None and left.any():
            # Everything before the first wrong guess in any text is in the cache.
            others = differs[left].any(0).nonzero()
            known = scored.start + int(others[0]) if len(others) else stop
            # The worse the guess, the fewer tokens after it are worth reading.
            stop = min(known + 2 * (known - scored.start + 1), length)
            first = known
            cache.keep(left.nonzero()[:, 0], first)
        waiting = waiting[left]
        passes += 1
        assert passes <= length - given + 1, "every pass fixes one more token"
    assert logits is not None, "there is at least one row"
    return Run(tokens, logits, recorded)
