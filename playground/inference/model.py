"""A loaded model and its runs on all states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Int
from loguru import logger
from torch import Tensor

from playground.inference.board import Board, make_board
from playground.inference.decoding import Run, decode
from playground.inference.edits import make_edits
from playground.interventions import Intervention, Mean, check, parse_all
from playground.models import Checkpoint, Network, choose_device, find_run, load_checkpoint
from playground.worlds import World


class Model:
    """A trained model, to be run on all states under interventions. It is never changed by that.

    One instance serves all threads.

    Args:
        checkpoint: the loaded model and what is known of its training.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.network: Network = checkpoint.network
        self.dataset = checkpoint.dataset
        self.template = checkpoint.dataset.template

    @property
    def world(self) -> World:
        """The world that the model was trained on."""
        return self.dataset.world

    @property
    def name(self) -> str:
        """The run's name: its architecture, with what is not as usual (`gpt2`, `gpt2@5`)."""
        return self.checkpoint.name

    @cached_property
    def clean(self) -> Run:
        """The unedited model's run on all states, with its attention patterns."""
        truth = torch.from_numpy(self.template.truth).to(self.network.device)
        return self._decode((), truth, self.network.pattern_hooks)

    @cached_property
    def baseline(self) -> Board:
        """The unedited model's board."""
        return make_board(self.clean, self.dataset, self.name)

    @cached_property
    def means(self) -> dict[str, Tensor]:
        """Hook point -> mean over all states of what passes there unedited, token x ..., own texts."""
        hooks = {place.hook for site in self.network.sites for place in self.network.places(site)}
        recorded = self.network.forward(self.clean.tokens, record=sorted(hooks)).recorded
        return {name: value.mean(0) for name, value in recorded.items()}

    def run(self, interventions: str | Sequence[Intervention] = (), *, attention: bool = True) -> Run:
        """Return what the model writes in every state under `interventions`.

        Args:
            interventions: values, or their text form (`zero:L1H2;mean:L2.mlp@newB`).
            attention: whether attention patterns are recorded.

        Returns:
            One row per state of the world, in its order. Of the unedited model it is `clean`, which
            others share: its tensors are not to be written into.

        Raises:
            RequestError: for interventions that are malformed, or that this model has no part or
                position for.
        """
        asked = _as_values(interventions)
        check(asked, self.network.sites, self.template)
        if not asked:
            return self.clean
        return self._decode(asked, self.clean.tokens, self.network.pattern_hooks if attention else ())

    def board(self, interventions: str | Sequence[Intervention] = (), run: Run | None = None) -> Board:
        """Return the result of a run in every state, held against the world.

        Args:
            interventions: as in `run`.
            run: what `run` returned for these interventions, if that is at hand.

        Raises:
            RequestError: as `run` does.
        """
        asked = _as_values(interventions)
        if not asked:
            return self.baseline
        run = self.run(asked, attention=False) if run is None else run
        return make_board(run, self.dataset, self.name, asked)

    def _decode(
        self, interventions: Sequence[Intervention], guess: Int[Tensor, "state token"], record: Sequence[str]
    ) -> Run:
        needs_means = any(isinstance(intervention, Mean) for intervention in interventions)
        means = self.means if needs_means else {}
        edits = make_edits(interventions, self.network, means)
        return decode(
            lambda tokens: self.network.forward(tokens, edits, record), guess, self.template.prompt_length
        )


def _as_values(interventions: str | Sequence[Intervention]) -> tuple[Intervention, ...]:
    return parse_all(interventions) if isinstance(interventions, str) else tuple(interventions)


def load_model(name: str = "default", run: str = "gpt2", device: str = "auto") -> Model:
    """Return the model of `models/NAME/RUN` in the working directory.

    For the name `default`, what is not there is looked up under `shipped`, and then in what comes with
    the project.

    Raises:
        RequestError: if there is none, or if its files are damaged.
    """
    folder = find_run(name, run)
    if folder != Path("models") / name / run:
        logger.info("no complete run in models/{}/{}: using {}", name, run, folder)
    return open_model(folder, device)


def open_model(folder: Path, device: str = "auto") -> Model:
    """Return the model in `folder`.

    Raises:
        RequestError: if its files are damaged or incomplete.
    """
    return Model(load_checkpoint(folder, choose_device(device)))
