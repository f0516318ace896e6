"""Exact greedy decoding of many texts at once.

A causal model's scores for a token depend on what stands before it alone. So one pass over a guess of
the whole text gives, up to the first wrong token of the guess, the tokens that decoding one by one would
give, and one more. What the pass says becomes the next guess, until a pass says what it was given: that
text is the greedy one. Each pass fixes at least one more token; a good guess needs one pass in all.
Models that go token by token anyway need no guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.models import Edit, Network, Pass, RecurrentNetwork


@dataclass(frozen=True)
class Run:
    """What a model wrote, and what it computed while it did.

    Args:
        tokens: token ids of the texts, prompts included.
        logits: for every token the scores of the one that follows it, on these texts.
        recorded: hook point -> what passed there on these texts, after all edits.
    """

    tokens: Int[Tensor, "row token"]
    logits: Float[Tensor, "row token vocabulary"]
    recorded: Mapping[str, Tensor]


def write(
    network: Network,
    guess: Int[Tensor, "row token"],
    edits: Sequence[Edit] = (),
    record: Sequence[str] = (),
) -> Run:
    """Return what a model writes after each prompt, edited or not.

    Args:
        network: the model.
        guess: whole texts that begin with the prompts; the nearer to what will be written, the quicker.
        edits: what is changed on the way.
        record: hook points whose values are wanted.
    """
    given = network.template.prompt_length
    if isinstance(network, RecurrentNetwork):
        tokens, result = network.write(guess[:, :given], edits, record)
        return Run(tokens, result.logits, result.recorded)
    return decode(lambda tokens: network.forward(tokens, edits, record), guess, given)


@torch.inference_mode()
def decode(
    forward: Callable[[Int[Tensor, "row token"]], Pass], guess: Int[Tensor, "row token"], prompt_length: int
) -> Run:
    """Return what a causal model writes after each prompt.

    Args:
        forward: runs the model on some rows; every row's result depends on that row alone.
        guess: texts that begin with the prompts and go on in any way.
        prompt_length: how many tokens of a text are given.

    Returns:
        The greedy texts, as long as `guess`, with scores and records of the pass that confirmed each.
    """
    tokens = guess.clone()
    waiting = torch.arange(len(guess), device=guess.device)
    logits: Tensor | None = None
    recorded: dict[str, Tensor] = {}
    passes = 0
    while len(waiting):
        given = tokens[waiting]
        result = forward(given)
        written = result.logits[:, prompt_length - 1 : -1].argmax(-1)
        done = (written == given[:, prompt_length:]).all(-1)
        if logits is None:
            # Later passes write over the rows that were not done in this one.
            logits, recorded = result.logits, dict(result.recorded)
        else:
            logits[waiting[done]] = result.logits[done]
            for name, value in result.recorded.items():
                recorded[name][waiting[done]] = value[done]
        tokens[waiting, prompt_length:] = written
        waiting = waiting[~done]
        passes += 1
        assert passes <= guess.shape[1] - prompt_length + 1, "every pass fixes one more token"
    assert logits is not None, "there is at least one row"
    return Run(tokens, logits, recorded)
