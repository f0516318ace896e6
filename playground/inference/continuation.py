"""Off the script: how a model goes on with a text that need not be right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from playground.datasets import Template
from playground.inference.model import Asked, Model, as_values
from playground.interventions import Force


@dataclass(frozen=True)
class Continuation:
    """What a model wrote behind a text.

    Args:
        model: the name of the model's run.
        given: how many tokens were given.
        tokens: token ids of the whole text, what was given included.
        chances: the probability that the model gave to every token at each position, after what stands
            before it; at the first position, before which nothing stands, that of what was given is 1.
        truth: the completion that the world has for the prompt; None if the text does not begin with one.
        set_by_hand: outputs that were given, or forced to have, another value than follows from what
            stands before them.
        truth_do: the completion that the world has if these are set by hand; None if there is none.
    """

    model: str
    given: int
    tokens: Int[np.ndarray, " token"]
    chances: Float[np.ndarray, "token vocabulary"]
    truth: str | None
    set_by_hand: dict[str, int]
    truth_do: str | None

    @property
    def probability(self) -> Float[np.ndarray, " token"]:
        """The probability that the model gave to each token, those that were given included."""
        return np.take_along_axis(self.chances, self.tokens[:, None], axis=-1)[:, 0]


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
    given = len(model.encode(text))
    fixed = {name for name, position in template.positions.items() if position < given}
    fixed |= {each.output for each in as_values(interventions) if isinstance(each, Force)}
    chances = torch.zeros(len(tokens), len(template.vocabulary))
    chances[0, tokens[0]] = 1
    chances[1:] = run.logits[0, :-1].float().cpu().softmax(-1)
    truth, set_by_hand, truth_do = None, {}, None
    if given >= template.prompt_length:
        truth, set_by_hand, truth_do = _say_rules(tokens.numpy(), fixed, template)
    return Continuation(
        model=model.name,
        given=given,
        tokens=tokens.numpy(),
        chances=chances.numpy(),
        truth=truth,
        set_by_hand=set_by_hand,
        truth_do=truth_do,
    )


def _say_rules(
    tokens: Int[np.ndarray, " token"], fixed: set[str], template: Template
) -> tuple[str | None, dict[str, int], str | None]:
    """Return what the rules say to a text, which of what was fixed they do not say, and what follows from that."""
    prompt = slice(template.prompt_length)
    same = np.flatnonzero((template.truth[:, prompt] == tokens[prompt]).all(-1))
    if not len(same):
        return None, {}, None
    world, state = template.world, template.world.states[int(same[0])]
    set_by_hand: dict[str, int] = {}
    for name in world.outputs:
        value = template.vocabulary[tokens[template.positions[name]]]
        if name not in fixed or value not in ("0", "1"):
            continue
        if int(value) != world.do(**set_by_hand).evaluate(state)[name]:
            set_by_hand[name] = int(value)
    done = replace(template, world=world.do(**set_by_hand))
    return template.completion(state), set_by_hand, done.completion(state) if set_by_hand else None
