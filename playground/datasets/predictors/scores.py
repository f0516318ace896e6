"""Whether a hold-out is evidence: what simple predictors get right of it, before anything is trained.

A model that writes held-out states correctly is said to have found the rules. That says something only where
simpler things do not: here are five, fitted on the seen states alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from playground.datasets.dataset import DatasetSpec
from playground.datasets.predictors.simple import PREDICTORS, predict
from playground.worlds import State, state_text


@dataclass(frozen=True)
class Guess:
    """The predictions of one predictor for every state.

    Args:
        spec: gives the world, and the hold-out that it was not fitted on.
        name: of the predictor.
        values: of every answer (columns, in the world's order) in every state (rows, likewise).
    """

    spec: DatasetSpec
    name: str
    values: Int[np.ndarray, "state answer"]

    @cached_property
    def right(self) -> Bool[np.ndarray, "state answer"]:
        """Which of its values are right."""
        return self.values == self.spec.world.truth_table

    @cached_property
    def held_out_right(self) -> Bool[np.ndarray, "held_out_state answer"]:
        """The same of the held-out states, in the order of the hold-out."""
        row = {state: index for index, state in enumerate(self.spec.world.states)}
        return self.right[[row[state] for state in self.spec.held_out]]

    @property
    def states_right(self) -> tuple[State, ...]:
        """The held-out states of which all answers are right."""
        return tuple(self.spec.held_out[index] for index in np.flatnonzero(self.held_out_right.all(1)))

    @property
    def tally(self) -> tuple[int, int]:
        """Of how many held-out states all answers are right, and how many are held out."""
        return len(self.states_right), len(self.spec.held_out)

    @property
    def whole(self) -> float | None:
        """Share of held-out states of which all answers are right, from 0 to 1; None where none is held out."""
        return float(self.held_out_right.all(1).mean()) if self.spec.held_out else None

    @property
    def tally_of_outputs(self) -> tuple[int, int]:
        """Of how many held-out states all outputs are right, counts aside, and how many are held out.

        Counts follow from inputs and outputs, but few predictors can count.
        """
        right = self.held_out_right[:, : len(self.spec.world.outputs)]
        return int(right.all(1).sum()), len(self.spec.held_out)

    @property
    def outputs(self) -> float | None:
        """Share of held-out states of which all outputs are right, counts aside; None where none is held out."""
        right, held_out = self.tally_of_outputs
        return right / held_out if held_out else None

    @property
    def by_answer(self) -> dict[str, float | None]:
        """For each answer the share of held-out states in which it is right; None where none is held out."""
        names = self.spec.world.answers
        if not self.spec.held_out:
            return dict.fromkeys(names)
        return dict(zip(names, self.held_out_right.mean(0).tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the shares, as those of a board's accuracy, and the held-out states that are right."""
        return {
            "predictor": self.name,
            "held_out": self.whole,
            "outputs": self.outputs,
            "by_output": self.by_answer,
            "right": [state_text(state) for state in self.states_right],
        }


@dataclass(frozen=True)
class Guesses:
    """The predictions of every predictor.

    Args:
        spec: gives the world and the hold-out.
        guesses: one per predictor, in the order of `PREDICTORS`.
    """

    spec: DatasetSpec
    guesses: tuple[Guess, ...]

    @property
    def best(self) -> Guess | None:
        """The guess with most held-out states right; None where none is held out.

        Among equals the one with most single answers right, then the first.
        """
        if not self.spec.held_out:
            return None
        return max(self.guesses, key=lambda guess: (guess.tally, guess.held_out_right.sum()))

    @property
    def best_by_answer(self) -> dict[str, Guess]:
        """For each answer the guess with most held-out states right, the first of equals; empty where none is held out."""
        if not self.spec.held_out:
            return {}
        return {
            name: max(self.guesses, key=lambda guess: guess.held_out_right[:, answer].sum())
            for answer, name in enumerate(self.spec.world.answers)
        }

    def words(self) -> str | None:
        """Return what stands beside a held-out accuracy, `simple predictors: 17% (decision tree)`; None where none is held out."""
        best = self.best
        if best is None:
            return None
        return f"simple predictors: {best.whole:.0%} ({best.name if best.whole else 'every predictor'})"

    def to_json(self) -> dict[str, Any] | None:
        """Return what stands beside a held-out accuracy in a document; None where none is held out.

        That is the best predictor and its share of whole answers, and of each answer the best share of any.
        """
        best = self.best
        if best is None:
            return None
        by_answer = {name: guess.by_answer[name] for name, guess in self.best_by_answer.items()}
        return {"predictor": best.name, "held_out": best.whole, "by_output": by_answer}


@lru_cache(maxsize=64)
def guess(spec: DatasetSpec) -> Guesses:
    """Return the predictions of every predictor, fitted on the seen states."""
    held_out = set(spec.held_out)
    seen = np.array([state not in held_out for state in spec.world.states])
    return Guesses(spec, tuple(Guess(spec, name, predict(spec.world, seen, name)) for name in PREDICTORS))
