"""A loaded model and its runs on all states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Int
from loguru import logger
from torch import Tensor

from playground.inference.board import Board, make_board
from playground.inference.decoding import Run, write
from playground.inference.edits import make_edits
from playground.interventions import Fit, Intervention, Mean, check, fit, parse_all
from playground.models import Checkpoint, Network, Units, choose_device, find_run, load_checkpoint, runs_of
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
        """The unedited model's run on all states, with all that can be drawn of it."""
        truth = torch.from_numpy(self.template.truth).to(self.network.device)
        return self._write((), truth, self.network.shown_hooks)

    @cached_property
    def baseline(self) -> Board:
        """The unedited model's board."""
        return make_board(self.clean, self.dataset, self.name)

    @cached_property
    def means(self) -> dict[str, Tensor]:
        """Hook point -> mean over all states of what passes there unedited, token x ..., own texts."""
        everything = Units()
        named = list(self.network.sites)
        named += [replace(site, units=everything) for site, units in self.network.sites.items() if units]
        hooks = {place.hook for site in named for place in self.network.places(site)}
        recorded = self.network.forward(self.clean.tokens, record=sorted(hooks)).recorded
        return {name: value.mean(0) for name, value in recorded.items()}

    def fit(self, interventions: Sequence[Intervention]) -> Fit:
        """Return which of the interventions mean something to this model."""
        return fit(interventions, self.network.sites, self.template)

    def run(self, interventions: str | Sequence[Intervention] = (), *, shown: bool = True) -> Run:
        """Return what the model writes in every state under `interventions`.

        Args:
            interventions: values, or their text form (`zero:L1H2;mean:L2.mlp@newB`).
            shown: whether that is recorded which can be drawn: attention patterns, states, feature maps.

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
        return self._write(asked, self.clean.tokens, self.network.shown_hooks if shown else ())

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
        run = self.run(asked, shown=False) if run is None else run
        return make_board(run, self.dataset, self.name, asked)

    def _write(
        self, interventions: Sequence[Intervention], guess: Int[Tensor, "state token"], record: Sequence[str]
    ) -> Run:
        needs_means = any(isinstance(intervention, Mean) for intervention in interventions)
        edits = make_edits(interventions, self.network, self.means if needs_means else {})
        return write(self.network, guess, edits, record)


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


def load_models(name: str = "default", device: str = "auto") -> list[Model]:
    """Return every model that is found under a name and learnt the same, see `same_lesson`.

    Raises:
        RequestError: if there is none, or if the files of one are damaged.
    """
    runs = runs_of(name) or ["gpt2"]  # That it is missing is for `load_model` to say.
    models = [load_model(name, run, device) for run in runs]
    # What the working directory has comes before what is looked up elsewhere.
    own = [model for model in models if model.checkpoint.folder.parent == Path("models") / name]
    first = (own or models)[0]
    for model in models:
        if not same_lesson(model, first):
            logger.warning("{} is left out: {}", model.checkpoint.folder, ANOTHER_LESSON)
    return [model for model in models if same_lesson(model, first)]


ANOTHER_LESSON = "it learnt another world, or with other states held out"


def same_lesson(one: Model, other: Model) -> bool:
    """Return whether two models learnt the same world with the same states held out."""
    return one.world == other.world and set(one.dataset.held_out) == set(other.dataset.held_out)
