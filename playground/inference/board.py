"""Boards: one model on every state of its world. Every view of accuracy is a view of a board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from playground.datasets import (
    NOT_JUDGED,
    DatasetSpec,
    Guesses,
    Template,
    guess,
    judge,
    never_seen,
    truth_as_written,
)
from playground.inference.board_forms import make_document, make_frame
from playground.inference.decoding import Run
from playground.interventions import Intervention, TokenIntervention

if TYPE_CHECKING:
    import pandas as pd

Measure = TypeVar("Measure")

Tally = dict[str, tuple[int, int]]
"""For "seen" and "held_out" states: how many are right, and how many there are."""


@dataclass(frozen=True)
class Accuracy:
    """Shares of states, from 0 to 1; None where there is no such state.

    Args:
        all: over all states.
        seen: over the states in the training data.
        held_out: over the states held out of it.
    """

    all: float
    seen: float
    held_out: float | None

    def to_json(self) -> dict[str, float | None]:
        """Return the three shares by name."""
        return {"all": self.all, "seen": self.seen, "held_out": self.held_out}


@dataclass(frozen=True)
class Board:
    """What one model writes in every state under some interventions, compared with the right answers.

    States and answers (outputs, then counts) are in the world's order.

    Args:
        dataset: what the model was trained on; gives the world and the hold-out.
        model: the name of the model's run.
        interventions: under which it ran.
        tokens: token ids of what it wrote, prompts included.
        token_probability: the probability that it gave to each token that it wrote; 1 for the prompt.
        margin: logit of the right token minus the highest logit of a wrong one, at each answer, given what
            the model itself wrote before it. Positive where the answer is right, unless it was forced.
    """

    dataset: DatasetSpec
    model: str
    interventions: tuple[Intervention, ...]
    tokens: Int[np.ndarray, "state token"]
    token_probability: Float[np.ndarray, "state token"]
    margin: Float[np.ndarray, "state answer"]

    @property
    def template(self) -> Template:
        """The form of the texts."""
        return self.dataset.template

    @property
    def guesses(self) -> Guesses:
        """What simple predictors, fitted on the seen states, predict for the held-out ones."""
        return guess(self.dataset)

    @property
    def never_seen(self) -> tuple[str, ...]:
        """What occurs in held-out states but in no seen one, in sentences."""
        return never_seen(self.dataset.world, self.dataset.held_out)

    @cached_property
    def truth(self) -> Int[np.ndarray, "state answer"]:
        """Token ids of the right answers."""
        return self.template.truth[:, self.template.answer_positions]

    @cached_property
    def written(self) -> Int[np.ndarray, "state answer"]:
        """Token ids at the positions of the answers."""
        return self.tokens[:, self.template.answer_positions]

    @cached_property
    def probability(self) -> Float[np.ndarray, "state answer"]:
        """Probability that the model gave to each answer that it wrote."""
        return self.token_probability[:, self.template.answer_positions]

    @property
    def forced(self) -> tuple[str, ...]:
        """The outputs that were forced; the model is not judged by them."""
        return tuple(each.output for each in self.interventions if isinstance(each, TokenIntervention))

    @cached_property
    def truth_do(self) -> Int[np.ndarray, "state answer"] | None:
        """Token ids of the right answers if each forced output is set by hand; None if none is forced."""
        if not self.forced:
            return None
        world = self.dataset.world
        columns = [world.answers.index(name) for name in self.forced]
        truth = self.truth.copy()
        for values in product((0, 1), repeat=len(columns)):
            ids = [self.template.ids[str(value)] for value in values]
            rows = (self.written[:, columns] == ids).all(-1)
            done = world.do(**dict(zip(self.forced, values, strict=True)))
            truth[rows] = replace(self.template, world=done).truth[rows][:, self.template.answer_positions]
        return truth

    @cached_property
    def truth_as_written(self) -> Int[np.ndarray, "state answer"]:
        """Token ids of the right answers given what was written before each; `NOT_JUDGED` where that is undetermined."""
        return truth_as_written(self.template, self.tokens)

    @cached_property
    def judged(self) -> UInt8[np.ndarray, "state token"]:
        """How the rules judge each token, given what was written before it: an index into `JUDGEMENTS`."""
        template = self.template
        return judge(template, self.tokens, template.truth, given=template.prompt_length, forced=self.forced)

    @cached_property
    def correct(self) -> Bool[np.ndarray, " state"]:
        """Whether the whole completion is right, separators included; forced outputs are not judged."""
        return self._whole(self.truth)

    @cached_property
    def correct_do(self) -> Bool[np.ndarray, " state"] | None:
        """The same by the rules with the forced outputs set by hand; None if none is forced."""
        return None if self.truth_do is None else self._whole(self.truth_do)

    @cached_property
    def correct_as_written(self) -> Bool[np.ndarray, " state"]:
        """Whether the whole completion is right as written; forced outputs are not judged.

        For whole completions this equals `correct` or, under `force`, `correct_do`: the first answer that breaks the
        rules is not right as written either. Single answers may differ.
        """
        return self._whole(self.truth_as_written)

    def _whole(self, truth: Int[np.ndarray, "state answer"]) -> Bool[np.ndarray, " state"]:
        wanted = self.template.truth.copy()
        wanted[:, self.template.answer_positions] = truth
        free = np.ones(self.template.length, dtype=bool)
        free[[self.template.positions[name] for name in self.forced]] = False
        return (self.tokens == wanted)[:, free].all(-1)

    @cached_property
    def held_out(self) -> Bool[np.ndarray, " state"]:
        """Whether the state was held out of training."""
        held_out = set(self.dataset.held_out)
        return np.array([state in held_out for state in self.dataset.world.states])

    @cached_property
    def accuracy(self) -> Accuracy:
        """Share of states whose whole completion is right."""
        return self._share(self.correct)

    @cached_property
    def accuracy_do(self) -> Accuracy | None:
        """The same by the rules with the forced outputs set by hand; None if none is forced."""
        return None if self.correct_do is None else self._share(self.correct_do)

    @cached_property
    def accuracy_as_written(self) -> Accuracy:
        """Share of states in which the whole completion is right as written."""
        return self._share(self.correct_as_written)

    @cached_property
    def accuracy_by_answer(self) -> dict[str, Accuracy]:
        """For each answer that was not forced, the share of states in which it is right."""
        return self._by_answer(self._share, self.truth)

    @cached_property
    def accuracy_by_answer_do(self) -> dict[str, Accuracy] | None:
        """The same by the rules with the forced outputs set by hand; None if none is forced."""
        return None if self.truth_do is None else self._by_answer(self._share, self.truth_do)

    @cached_property
    def accuracy_by_answer_as_written(self) -> dict[str, Accuracy]:
        """For each answer that was not forced, the share of states in which it is right as written."""
        return self._by_answer(self._share, self.truth_as_written)

    @property
    def tally(self) -> Tally:
        """For "seen" and "held_out" states: how many are right, and how many there are."""
        return self._count(self.correct)

    @property
    def tally_do(self) -> Tally | None:
        """The same by the rules with the forced outputs set by hand; None if none is forced."""
        return None if self.correct_do is None else self._count(self.correct_do)

    @property
    def tally_by_answer(self) -> dict[str, Tally]:
        """The same for each answer that was not forced."""
        return self._by_answer(self._count, self.truth)

    @property
    def tally_by_answer_as_written(self) -> dict[str, Tally]:
        """The same as written."""
        return self._by_answer(self._count, self.truth_as_written)

    def _by_answer(
        self, measure: Callable[[np.ndarray], Measure], truth: Int[np.ndarray, "state answer"]
    ) -> dict[str, Measure]:
        right = (self.written == truth) & (truth != NOT_JUDGED)
        names = enumerate(self.dataset.world.answers)
        return {name: measure(right[:, index]) for index, name in names if name not in self.forced}

    def _count(self, right: Bool[np.ndarray, " state"]) -> Tally:
        groups = {"seen": ~self.held_out, "held_out": self.held_out}
        return {name: (int(right[group].sum()), int(group.sum())) for name, group in groups.items()}

    def _share(self, right: Bool[np.ndarray, " state"]) -> Accuracy:
        held_out = float(right[self.held_out].mean()) if self.held_out.any() else None
        return Accuracy(float(right.mean()), float(right[~self.held_out].mean()), held_out)

    def completion(self, state: int) -> str:
        """Return the text that the model wrote in the state of that index."""
        return self.template.decode(self.tokens[state, self.template.prompt_length :])

    def to_json(self) -> dict[str, Any]:
        """Return the board as the JSON document of `the-experiment board --json`; tokens are strings."""
        return make_document(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the board as a table, one row per state, with each answer's truth, written token, probability and margin."""
        return make_frame(self)


def not_learnt(board: Board) -> str | None:
    """Return a sentence saying that a model has not learnt the seen states; None if it has.

    Args:
        board: of the unedited model.
    """
    right, shown = board.tally["seen"]
    if right == shown:
        return None
    return (
        f"{board.model} has not learnt the states that it was shown: it writes {right} of {shown} correctly. "
        "Its failures on held-out states therefore show nothing."
    )


def make_board(
    run: Run, dataset: DatasetSpec, model: str, interventions: Sequence[Intervention] = ()
) -> Board:
    """Return the board of a run on all states of the dataset's world.

    Args:
        run: one row per state, in the world's order.
        dataset: what the model was trained on.
        model: the name of the model's run.
        interventions: under which it ran.
    """
    rows = measure_rows(run, dataset.template, slice(None))
    return Board(dataset=dataset, model=model, interventions=tuple(interventions), **vars(rows))


@dataclass(frozen=True)
class Rows:
    """The values of a board for some states, one row each.

    Args:
        tokens: as in `Board`, like the rest.
        token_probability: of each token that was written.
        margin: at each answer.
    """

    tokens: Int[np.ndarray, "row token"]
    token_probability: Float[np.ndarray, "row token"]
    margin: Float[np.ndarray, "row answer"]


def measure_rows(run: Run, template: Template, states: slice) -> Rows:
    """Return the values of a board for the states of a run.

    Args:
        run: one row per state.
        template: of the texts.
        states: their slice of the world's states.
    """
    logits = run.logits.float().cpu()
    tokens = run.tokens.cpu()
    probability = torch.ones(tokens.shape)
    given = logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None])[:, :, 0]
    probability[:, template.prompt_length :] = given[:, template.prompt_length - 1 :]
    positions = torch.from_numpy(template.answer_positions)
    truth = torch.from_numpy(template.truth[states][:, template.answer_positions])
    scores = logits[:, positions - 1]
    right = scores.gather(-1, truth[:, :, None])
    wrong = scores.scatter(-1, truth[:, :, None], -torch.inf).amax(-1)
    return Rows(
        tokens=tokens.numpy(), token_probability=probability.numpy(), margin=(right[:, :, 0] - wrong).numpy()
    )
