"""Free text: how a model goes on with a text that need not be right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from playground.datasets import JUDGEMENTS, Judgement, Template, judge, truth_as_written
from playground.inference.model import InterventionsLike, Model, as_values
from playground.interventions import TokenIntervention


@dataclass(frozen=True)
class Completion:
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
        truth_as_written: token ids of what is right, in the place of each token, given what stands before it;
            `NOT_JUDGED` where that cannot be told; None if the text does not begin with a prompt.
        judged: how each token stands to the rules: its place in `JUDGEMENTS`; None likewise.
    """

    model: str
    given: int
    tokens: Int[np.ndarray, " token"]
    chances: Float[np.ndarray, "token vocabulary"]
    truth: str | None
    set_by_hand: dict[str, int]
    truth_do: str | None
    truth_as_written: Int[np.ndarray, " token"] | None
    judged: UInt8[np.ndarray, " token"] | None

    @property
    def probability(self) -> Float[np.ndarray, " token"]:
        """The probability that the model gave to each token, those that were given included."""
        return np.take_along_axis(self.chances, self.tokens[:, None], axis=-1)[:, 0]

    @property
    def correct_as_written(self) -> bool | None:
        """Whether all that the model wrote freely is right as written; None if the rules say nothing to the text."""
        if self.judged is None:
            return None
        failures = {JUDGEMENTS.index(each) for each in (Judgement.WRONG, Judgement.BY_RULES)}
        return failures.isdisjoint(self.judged.tolist())


def complete(model: Model, text: str, interventions: InterventionsLike = ()) -> Completion:
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
    chances = torch.zeros(len(tokens), len(template.vocabulary))
    chances[0, tokens[0]] = 1
    chances[1:] = run.logits[0, :-1].float().cpu().softmax(-1)
    rules = _Rules(None, {}, None, None, None)
    if given >= template.prompt_length:
        forced = {each.output for each in as_values(interventions) if isinstance(each, TokenIntervention)}
        rules = _ask_rules(tokens.numpy(), given, forced, template)
    return Completion(
        model=model.name, given=given, tokens=tokens.numpy(), chances=chances.numpy(), **vars(rules)
    )


@dataclass(frozen=True)
class _Rules:
    """What the rules say to a text: see `Completion`."""

    truth: str | None
    set_by_hand: dict[str, int]
    truth_do: str | None
    truth_as_written: Int[np.ndarray, " token"] | None
    judged: UInt8[np.ndarray, " token"] | None


def _ask_rules(tokens: Int[np.ndarray, " token"], given: int, forced: set[str], template: Template) -> _Rules:
    """Return what the rules say to a text; of what was given or forced, that which they do not say is set by hand."""
    prompt = slice(template.prompt_length)
    same = np.flatnonzero((template.truth[:, prompt] == tokens[prompt]).all(-1))
    if not len(same):
        return _Rules(None, {}, None, None, None)
    world, row = template.world, int(same[0])
    state, truth = world.states[row], template.truth[row]
    set_by_hand: dict[str, int] = {}
    for name in world.outputs:
        position = template.positions[name]
        value = template.vocabulary[tokens[position]]
        if (position >= given and name not in forced) or value not in ("0", "1"):
            continue
        if int(value) != world.do(**set_by_hand).evaluate(state)[name]:
            set_by_hand[name] = int(value)
    done = replace(template, world=world.do(**set_by_hand))
    as_written = truth.copy()
    as_written[template.answer_positions] = truth_as_written(template, tokens[None])[0]
    return _Rules(
        truth=template.completion(state),
        set_by_hand=set_by_hand,
        truth_do=done.completion(state) if set_by_hand else None,
        truth_as_written=as_written,
        judged=judge(template, tokens[None], truth[None], given=given, forced=forced)[0],
    )
