"""Free text: how a model continues a text that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from playground.datasets import JUDGEMENTS, Judgement, Template, judge, truth_as_written
from playground.inference.model import InterventionsLike, Model, as_values
from playground.interventions import TokenIntervention


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a text.

    Args:
        model: the name of the model's run.
        given: how many tokens were given.
        tokens: token ids of the whole text, including the given ones.
        chances: the probability of every token at each position, given the tokens before it; at the first
            position, which has no tokens before it, the given token has probability 1.
        truth: the right completion of the prompt; None if the text does not begin with a prompt.
        set_by_hand: outputs that were given or forced a value that does not follow from the tokens before
            them.
        truth_do: the right completion with these outputs set by hand; None if there are none.
        truth_as_written: the id of the right token at each position, given the tokens before it;
            `NOT_JUDGED` where that is undetermined; None if the text does not begin with a prompt.
        judged: how the rules judge each token: an index into `JUDGEMENTS`; None if the text does not begin
            with a prompt.
    """

    model: str
    given: int
    tokens: Int[np.ndarray, " token"]
    chances: Float[np.ndarray, "token vocabulary"]
    truth: str | None = None
    set_by_hand: dict[str, int] = field(default_factory=dict)
    truth_do: str | None = None
    truth_as_written: Int[np.ndarray, " token"] | None = None
    judged: UInt8[np.ndarray, " token"] | None = None

    @property
    def probability(self) -> Float[np.ndarray, " token"]:
        """The probability that the model gave to each token, including the given ones."""
        return np.take_along_axis(self.chances, self.tokens[:, None], axis=-1)[:, 0]

    @property
    def correct_as_written(self) -> bool | None:
        """Whether all that the model wrote freely is right as written; None if the rules say nothing about the text."""
        if self.judged is None:
            return None
        failures = {JUDGEMENTS.index(each) for each in (Judgement.WRONG, Judgement.BY_RULES)}
        return failures.isdisjoint(self.judged.tolist())


def complete(model: Model, text: str, interventions: InterventionsLike = ()) -> Completion:
    """Return how a model continues a text, token by token.

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
    written = Completion(model=model.name, given=given, tokens=tokens.numpy(), chances=chances.numpy())
    if given < template.prompt_length:
        return written
    forced = {each.output for each in as_values(interventions) if isinstance(each, TokenIntervention)}
    return _judged(written, forced, template)


def _judged(written: Completion, forced: set[str], template: Template) -> Completion:
    """Return the completion judged by the rules; given or forced outputs that contradict them are set by hand."""
    tokens, given = written.tokens, written.given
    prompt = slice(template.prompt_length)
    same = np.flatnonzero((template.truth[:, prompt] == tokens[prompt]).all(-1))
    if not len(same):
        return written
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
    return replace(
        written,
        truth=template.completion(state),
        set_by_hand=set_by_hand,
        truth_do=done.completion(state) if set_by_hand else None,
        truth_as_written=as_written,
        judged=judge(template, tokens[None], truth[None], given=given, forced=forced)[0],
    )
