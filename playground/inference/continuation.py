"""Off the script: how a model goes on with a text that need not be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from playground.inference.model import Asked, Model


@dataclass(frozen=True)
class Continuation:
    """What a model wrote behind a text.

    Args:
        model: the name of the model's run.
        given: how many tokens were given.
        tokens: token ids of the whole text, what was given included.
        probability: that the model gave to each token, those that were given included: how far it would
            have written them itself; 1 for the first of all.
        truth: the completion that the world has for the prompt; None if the text does not begin with one.
    """

    model: str
    given: int
    tokens: Int[np.ndarray, " token"]
    probability: Float[np.ndarray, " token"]
    truth: str | None


def complete(model: Model, text: str, interventions: Asked = ()) -> Continuation:
    """Return how a model goes on with a text, token by token.

    Args:
        model: a loaded model; it stays as it is.
        text: made of the world's tokens, right or wrong, at most as long as a sample.
        interventions: values, or their text form.

    Raises:
        RequestError: as `Model.complete` does.
    """
    run = model.complete(text, interventions)
    tokens, template = run.tokens[0].cpu(), model.template
    probability = torch.ones(len(tokens))
    probability[1:] = run.logits[0, :-1].float().cpu().softmax(-1).gather(-1, tokens[1:, None])[:, 0]
    given = len(template.encode(text))
    prompts = template.truth[:, : template.prompt_length]
    same = np.flatnonzero((prompts == tokens[: template.prompt_length].numpy()).all(-1))
    known = given >= template.prompt_length and len(same) > 0
    return Continuation(
        model=model.name,
        given=given,
        tokens=tokens.numpy(),
        probability=probability.numpy(),
        truth=template.completion(model.world.states[int(same[0])]) if known else None,
    )
