"""What an architecture declares about itself, and how its models are made, trained, saved, opened and probed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.nn import Module

from playground.datasets import Template
from playground.errors import Fault, RequestError
from playground.models.interface.ensemble import Ensemble
from playground.models.interface.network import Network
from playground.schema import ClosedDocument

WIDEST, DEEPEST = 4096, 64
MOST_PARAMETERS = 50_000_000
"""A larger model would take hours per epoch and gigabytes of memory."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a model is.

    Args:
        width: of the embedding and of each layer.
        layers: number of layers.
        heads: attention heads of each layer; None for an architecture without.
    """

    width: int
    layers: int
    heads: int | None = None

    def to_json(self) -> dict[str, int]:
        """Return the size as it stands in `run.json`."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class SizeLimits:
    """The largest size that an architecture can have; every minimum is 1.

    Args:
        width: as in `Size`.
        layers: as in `Size`.
        heads: as in `Size`; None for an architecture without attention heads.
    """

    width: int = WIDEST
    layers: int = DEEPEST
    heads: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """How an architecture is trained by default; `Recipe` of `playground.training` has the same fields.

    Args:
        learning_rate: of the first step.
        epochs: passes over the training samples.
        cap: the most epochs, for a model that has not learnt every seen state after `epochs`; None to stop at
            `epochs`.
        batch_size: samples per step.
        learning_rate_floor: share of the learning rate that remains from the end of `epochs` on.
        dropout: dropout rate, for an architecture with dropout.
        threads: CPU threads. More of them do not speed up small operations in sequence, as in recurrent models.
    """

    learning_rate: float
    epochs: float = 3.0
    cap: float | None = 30.0
    batch_size: int = 16
    learning_rate_floor: float = 0.1
    dropout: float = 0.0
    threads: int = 1


class ConfigDocument(ClosedDocument):
    """The `config.json` of a model; each architecture has its own keys."""

    vocab_size: int
    n_positions: int

    @abstractmethod
    def size(self) -> Size:
        """Return how large the model is."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Return, by key, every number that determines the shapes of weights."""

    @property
    def computes_as_stored(self) -> bool:
        """Whether other programs run the checkpoint in the precision in which its weights are stored."""
        return False


def axis(shapes: Mapping[str, tuple[int, ...]], name: str, number: int) -> int | None:
    """Return the length of an axis of a tensor; None if there is no such tensor or axis."""
    shape = shapes.get(name, ())
    return shape[number] if number < len(shape) else None


def count_layers(names: Iterable[str], prefix: str) -> int:
    """Return how many different numbers N there are in tensor names that start with `prefix`, N and a dot."""
    rest = (name.removeprefix(prefix).partition(".")[0] for name in names if name.startswith(prefix))
    return len({number for number in rest if number.isdecimal()})


class Architecture(ABC):
    """One kind of model.

    Attributes:
        name: as in `models/NAME/ARCHITECTURE`.
        title: its displayed name.
        training: how it is trained by default.
        training_seconds: roughly how long that takes on two cores; if several are trained, the longest starts first.
        limits: the largest size.
        side_by_side: whether several models can be trained in one batch.
        sweep_batch: how many values of a weight to pass to `Network.sweep` at once on a CPU: as few as keep a core
            busy, since data that fits the cache is processed faster.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    training: ClassVar[TrainingDefaults]
    training_seconds: ClassVar[float] = 0.0
    limits: ClassVar[SizeLimits] = SizeLimits()
    side_by_side: ClassVar[bool] = False
    sweep_batch: ClassVar[int] = 4

    @abstractmethod
    def default_size(self, template: Template) -> Size:
        """Return the default size of a model."""

    @abstractmethod
    def faults(self, size: Size, template: Template) -> list[Fault]:
        """Return why a model of that size cannot be built; each number is already within `limits`."""

    @abstractmethod
    def make(self, template: Template, size: Size, seed: int) -> Module:
        """Return an untrained model of a size that `check` accepts."""

    @abstractmethod
    def ensemble(self, models: Sequence[Module], dropout: float, generator: torch.Generator) -> Ensemble:
        """Return models ready to be trained: several in one batch if `side_by_side`, else one.

        Args:
            models: of one size, on one device.
            dropout: dropout rate in training, for an architecture with dropout.
            generator: draws the dropout masks, on the same device.
        """

    @abstractmethod
    def save(self, model: Module, template: Template, size: Size, folder: Path) -> None:
        """Write the weights and `config.json` of a model of that size into a folder."""

    @abstractmethod
    def read_config(self, document: dict[str, Any], where: str) -> ConfigDocument:
        """Return what a `config.json` says.

        Args:
            document: its content.
            where: the file's name in error messages.

        Raises:
            RequestError: listing every key that is unknown, missing or has an invalid value.
        """

    @abstractmethod
    def sizes_of(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """Return the numbers of `ConfigDocument.sizes` that follow from the shapes of the stored weights."""

    @abstractmethod
    def build(self, config: Any, template: Template) -> Module:
        """Return the model that `read_config` described, before its weights are read; `check` accepts its size."""

    @abstractmethod
    def network(self, model: Module, template: Template) -> Network:
        """Return a trained model under its hooks. Do not use the model elsewhere afterwards."""

    def check(self, size: Size, template: Template) -> None:
        """Check that a model of that size can be built.

        Raises:
            RequestError: listing everything that is wrong with the size.
        """
        faults = self._range_faults(size) or self.faults(size, template)
        if not faults:
            # The meta device stores no numbers: only their count matters.
            with torch.device("meta"):
                parameters = sum(each.numel() for each in self.make(template, size, 0).parameters())
            if parameters > MOST_PARAMETERS:
                faults = [
                    Fault(
                        message="this model is too large",
                        expected=f"at most {MOST_PARAMETERS:,} parameters",
                        got=f"{parameters:,}",
                        hint="Take a smaller --width or fewer --layers.",
                    )
                ]
        if faults:
            raise RequestError(*faults)

    def _range_faults(self, size: Size) -> list[Fault]:
        limits = {name: most for name, most in vars(self.limits).items() if most is not None}
        faults = [
            _size_fault(name, f"a whole number from 1 to {limits[name]:,}", value)
            for name, value in size.to_json().items()
            if name in limits and not 1 <= value <= limits[name]
        ]
        if size.heads is not None and self.limits.heads is None:
            faults.append(_size_fault("heads", f"none: {self.title} has no attention heads", size.heads))
        return faults


def _size_fault(name: str, expected: str, got: int) -> Fault:
    return Fault(
        message=f"invalid {name}",
        expected=expected,
        got=str(got),
        hint=f"Leave --{name} out for the default.",
    )
