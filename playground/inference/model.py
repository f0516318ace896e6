"""A loaded model and its runs on all states, under one set of interventions or several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from queue import SimpleQueue
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from playground.errors import Fault, RequestError, count_of
from playground.inference.baseline_cache import BaselineCache, blocks_of
from playground.inference.board import Board, make_board
from playground.inference.decoding import Plan, Run, check_finite, join, make_plan, write
from playground.inference.partial_board import PartialBoard
from playground.interventions import (
    MEAN,
    Fit,
    Intervention,
    NamedCondition,
    check,
    fit,
    format_all,
    parse_all,
)
from playground.models import Checkpoint, Network
from playground.worlds import State, state_text

InterventionsLike = str | Sequence[Intervention]
"""Interventions as values, or as their text."""


class Model:
    """A trained model, to be run on all states under interventions, which never change it.

    One instance serves all threads.

    Args:
        checkpoint: the loaded model and the record of its training.

    Attributes:
        name: of the run: its architecture, and its seed or step if not the default (`gpt2`, `gpt2@5`).
        digest: identifies everything that its results depend on, see `Checkpoint.digest`.
        network: the model under its hooks.
        dataset: what it was trained on.
        world: of the dataset.
        template: the form of its texts.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.name, self.digest = checkpoint, checkpoint.name, checkpoint.digest
        self.network, self.dataset = checkpoint.network, checkpoint.dataset
        self.world, self.template = self.dataset.world, self.dataset.template

    @cached_property
    def baseline_run(self) -> Run:
        """The unedited model's run on all states; for a world of one block, with everything that can be drawn."""
        return self.texts.run

    @cached_property
    def texts(self) -> BaselineCache:
        """What the unedited model writes and computes, computed block by block on demand."""
        return BaselineCache(self.network)

    @cached_property
    def baseline(self) -> Board:
        """The unedited model's board."""
        return self.partial_board().board

    def partial_board(
        self, interventions: InterventionsLike = (), beside: Sequence[Network] = ()
    ) -> PartialBoard:
        """Return the board that `board` returns, to be computed block by block.

        Args:
            interventions: as in `run_all`.
            beside: further loaded copies of the same model; each computes one more block at the same time.

        Raises:
            RequestError: as `run_all` does, here or while the board is computed.
        """
        asked = self._checked(interventions)
        if not asked:
            return PartialBoard(self.texts.block, self.dataset, self.name, asked)
        plan = cache(partial(self._plan, asked))  # Made once, with the first block.
        free: SimpleQueue[Network] = SimpleQueue()
        for network in (self.network, *beside):
            free.put(network)

        def write(block: slice) -> Run:
            network = free.get()
            try:
                return self._write(asked, self.texts.block(block).tokens, plan=plan(), network=network)
            finally:
                free.put(network)

        return PartialBoard(write, self.dataset, self.name, asked, workers=1 + len(beside))

    def values(self, hook: str, of: State | Literal["mean"] | None = None) -> Tensor:
        """Return the values at a hook point of the unedited model, on the texts that it writes itself.

        Args:
            hook: name of the hook point.
            of: a state; "mean" for the mean over all states; None for all states.

        Returns:
            token x ..., or state x token x ... for all states.
        """
        if of is None:
            return self.texts.values(hook)
        if of == MEAN:
            return self.texts.mean(hook)
        return self.texts.in_state(hook, self.world.states.index(of))

    def fit(self, interventions: Sequence[Intervention], given: int | None = None) -> Fit:
        """Return which of the interventions apply to this model, see `interventions.fit`."""
        return fit(interventions, self.network, given)

    def run(
        self,
        state: State | str,
        interventions: InterventionsLike = (),
        *,
        shown: bool = True,
        guess: Int[np.ndarray, " token"] | None = None,
    ) -> Run:
        """Return what the model writes in one state under `interventions`, and what it computes.

        Args:
            state: one 0 or 1 per input, or its text (`0,1,1,1,0`).
            interventions: as in `run_all`.
            shown: as in `run_all`.
            guess: what it probably writes, for speed; by default, what it writes unedited.

        Returns:
            One row.

        Raises:
            RequestError: for a state that the world does not have, and as `run_all` does.
        """
        text = state if isinstance(state, str) else state_text(state)
        row = self.world.states.index(self.world.parse_state(text))
        asked = self._checked(interventions)
        if not asked and shown and self.texts.single:
            own, run = slice(row, row + 1), self.baseline_run
            return Run(
                run.tokens[own], run.logits[own], {hook: run.recorded[hook][own] for hook in run.recorded}
            )
        text = self.texts.text(row).clone()
        if guess is not None:
            completion = slice(self.template.prompt_length, None)
            text[0, completion] = torch.from_numpy(guess[completion]).to(text)
        return self._write(asked, text, record=self._shown(shown))

    def run_all(
        self, interventions: InterventionsLike = (), *, shown: bool = True, guess: Board | None = None
    ) -> Run:
        """Return what the model writes in every state under `interventions`, and what it computes.

        Args:
            interventions: values, or their text form (`zero:L1H2;mean:L2.mlp@newB`).
            shown: whether to record what can be drawn: attention patterns, states, feature maps.
            guess: what it probably writes, for speed; by default, what it writes unedited.

        Returns:
            One row per state of the world, in its order. For the unedited model, its tensors are those of
            `baseline_run`, which are shared: do not write to them.

        Raises:
            RequestError: for interventions that are malformed, name a part, position or state that this model
                does not have, contradict each other, would act nowhere, or make the model compute values out
                of the range of its numbers.
        """
        return self._run_all(interventions, self._shown(shown), guess)

    def record(self, hooks: Sequence[str], interventions: InterventionsLike = ()) -> Run:
        """Return what `run_all` does, recording these hook points instead of what can be drawn.

        Args:
            hooks: names of hook points of the network.
            interventions: as in `run_all`.

        Raises:
            RequestError: as `run_all` does.
        """
        return self._run_all(interventions, hooks)

    def _run_all(
        self, interventions: InterventionsLike, record: Sequence[str], guess: Board | None = None
    ) -> Run:
        asked = self._checked(interventions)
        if not asked:
            return replace(self.baseline_run, recorded={hook: self.values(hook) for hook in record})
        plan, runs = self._plan(asked), []
        for block in blocks_of(len(self.world.states)):
            clean = self.texts.block(block).tokens
            text = clean if guess is None else torch.from_numpy(guess.tokens[block]).to(clean)
            runs.append(self._write(asked, text, record=record, plan=plan))
        return join(runs)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text that the model can continue.

        Raises:
            RequestError: for a text with tokens that are not the world's, with no tokens, or with too many.
        """
        ids = self.template.encode(text)
        if not 1 <= len(ids) <= self.template.length:
            raise RequestError.of(
                message="the text must be the beginning of a sample",
                expected=f"1 to {self.template.length} tokens",
                got=count_of(len(ids), "token"),
                hint=f"Write a prompt, such as {self.template.prompt(self.world.states[0])}.",
            )
        return ids

    def complete(self, text: str, interventions: InterventionsLike = (), *, shown: bool = False) -> Run:
        """Return how the model continues any text, right or wrong, under `interventions`.

        Args:
            text: made of the world's tokens; at least one, at most as many as a sample has.
            interventions: as in `run_all`; values from other runs are taken from the runs on states.
            shown: as in `run_all`.

        Returns:
            One row, as long as a sample.

        Raises:
            RequestError: as `encode` and `run_all` do.
        """
        ids = self.encode(text)
        asked = self._checked(interventions, len(ids))
        # The best guess is the text of the state with the most similar beginning.
        begun = torch.tensor(ids, device=self.network.device)
        same = (self.baseline_run.tokens[:, : len(ids)] == begun).sum(-1)
        guess = self.baseline_run.tokens[int(same.argmax())].clone()
        guess[: len(ids)] = begun
        return self._write(asked, guess[None], given=len(ids), record=self._shown(shown))

    def board(self, interventions: InterventionsLike = (), run: Run | None = None) -> Board:
        """Return the result of a run in every state, compared with the world.

        Args:
            interventions: as in `run_all`.
            run: what `run_all` returned for these interventions, if available.

        Raises:
            RequestError: as `run_all` does.
        """
        asked = as_values(interventions)
        if not asked:
            return self.baseline
        if run is None:
            return self.partial_board(asked).board
        return make_board(run, self.dataset, self.name, asked)

    def _shown(self, shown: bool) -> Sequence[str]:
        return self.network.shown_hooks if shown else ()

    def _checked(
        self, interventions: InterventionsLike, given: int | None = None
    ) -> tuple[Intervention, ...]:
        asked = as_values(interventions)
        check(asked, self.network, given)
        return asked

    def _plan(self, interventions: Sequence[Intervention]) -> Plan:
        return make_plan(interventions, self.network, self.values)

    def _write(
        self,
        interventions: Sequence[Intervention],
        guess: Int[Tensor, "row token"],
        *,
        given: int | None = None,
        record: Sequence[str] = (),
        plan: Plan | None = None,
        network: Network | None = None,
    ) -> Run:
        plan = self._plan(interventions) if plan is None else plan
        given = self.template.prompt_length if given is None else given
        run = write(network or self.network, guess, given, plan, record)
        check_finite(run, self.network, format_all(interventions))
        return run


def as_values(interventions: InterventionsLike) -> tuple[Intervention, ...]:
    """Return interventions as values.

    Raises:
        RequestError: if a text is not in the text form.
    """
    return parse_all(interventions) if isinstance(interventions, str) else tuple(interventions)


def board(model: Model, interventions: InterventionsLike = ()) -> Board:
    """Return what a model writes in every state under `interventions`, compared with the world.

    Args:
        model: a loaded model; it stays as it is.
        interventions: values, or their text form (`zero:L1H2;mean:L2.mlp@newB`).

    Raises:
        RequestError: as `Model.run_all` does.
    """
    return model.board(interventions)


@dataclass(frozen=True)
class Compared:
    """A model's board under a condition.

    Args:
        condition: under which it ran; None for none.
        board: the result of its interventions that apply to the model; None if none does.
        left_out: its interventions that do not apply.
        faults: why they do not.
    """

    condition: NamedCondition | None
    board: Board | None
    left_out: tuple[Intervention, ...] = ()
    faults: tuple[Fault, ...] = ()


def compare_conditions(model: Model, conditions: Sequence[NamedCondition]) -> list[Compared]:
    """Return a model's boards under conditions, the unedited one first.

    Args:
        model: a loaded model; it stays as it is.
        conditions: interventions that do not apply to the model are left out of each, and reported.
    """
    compared = [Compared(None, model.baseline)]
    for condition in conditions:
        fit = model.fit(condition.values)
        board = model.board(fit.applied) if fit.applied else None
        compared.append(Compared(condition, board, fit.left_out, fit.faults))
    return compared
