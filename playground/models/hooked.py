"""Architectures whose models are `HookedRootModule`s of TransformerLens, saved as safetensors and a `config.json`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from safetensors.torch import save_file
from torch.nn import Module
from typing_extensions import override

from playground.datasets import Template
from playground.files import write_json
from playground.models.interface.architecture import (
    DEEPEST,
    WIDEST,
    Architecture,
    ConfigDocument,
    Size,
    axis,
    count_layers,
)
from playground.models.interface.ensemble import Solo
from playground.models.interface.sites import ActivationMap, Site
from playground.models.interface.weights import Weight
from playground.schema import Expected, read_document
from playground.seeds import check_seed

WEIGHTS = "model.safetensors"
Length = Annotated[int, Field(ge=1, le=WIDEST), Expected(f"a whole number from 1 to {WIDEST:,}")]
_HINT = "Train it again, or put back the file as it was."


def weights_of(model: Module) -> dict[Site, Weight]:
    """Return all weights of a model under PyTorch's names, with `layers.N` written as `LN`.

    `layers.0.weight_ih` is `L0.weight_ih`, `unembed.bias` is `unembed.bias`.
    """
    found = {}
    for name, _ in model.named_parameters():
        kind, *rest = name.split(".")
        site = Site(int(rest[0]), part=".".join(rest[1:])) if kind == "layers" else Site(part=name)
        found[site] = Weight(name)
    return found


def embedding_map(width: int) -> ActivationMap:
    """Return the activation map of the token embedding."""
    return ActivationMap(Site(part="embed"), "hook_embed", "embedding", width, "dimension", detail=True)


class HookedDocument(ConfigDocument):
    """The `config.json` of a hooked model; an architecture with `settings` adds a field for each."""

    model_type: Annotated[str, Expected("the name of the architecture")]
    vocab_size: Length
    n_positions: Length
    width: Length
    layers: Annotated[int, Field(ge=1, le=DEEPEST), Expected(f"a whole number from 1 to {DEEPEST}")]

    @override
    def size(self) -> Size:
        return Size(width=self.width, layers=self.layers)

    @override
    def sizes(self) -> dict[str, int]:
        return self.model_dump(exclude={"model_type", "n_positions"})


class HookedArchitecture(Architecture):
    """An architecture whose model is a `HookedRootModule` determined by a few numbers.

    The model has a module `embed`, a list of modules `layers` and a module `unembed`, with one embedding for each
    token of the vocabulary.

    Attributes:
        config: the schema of its `config.json`.
        settings: further numbers in `config.json`, with their values.
        settings_at: for each setting, the tensor and the axis whose length it is.
    """

    config: ClassVar[type[HookedDocument]] = HookedDocument
    settings: ClassVar[Mapping[str, int]] = {}
    settings_at: ClassVar[Mapping[str, tuple[str, int]]] = {}

    @abstractmethod
    def construct(self, *, vocabulary: int, tokens: int, size: Size, settings: Mapping[str, int]) -> Module:
        """Return an untrained model.

        Args:
            vocabulary: number of different tokens.
            tokens: of a text.
            size: of the model.
            settings: a value for each of `self.settings`.
        """

    @override
    def make(self, template: Template, size: Size, seed: int) -> Module:
        with torch.random.fork_rng():
            torch.manual_seed(check_seed(seed))
            return self._construct(template, size, self.settings)

    @override
    def ensemble(self, models: Sequence[Module], dropout: float, generator: torch.Generator) -> Solo:
        (model,) = models
        return Solo(model)

    @override
    def save(self, model: Module, template: Template, size: Size, folder: Path) -> None:
        # Cloned: in training they are all views of one tensor.
        save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)
        shape = {"vocab_size": len(template.vocabulary), "n_positions": template.length}
        write_json(
            folder / "config.json", {"model_type": self.name} | shape | size.to_json() | dict(self.settings)
        )

    @override
    def read_config(self, document: dict[str, Any], where: str) -> HookedDocument:
        return read_document(self.config, document, where, _HINT)

    @override
    def sizes_of(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        found = {
            "vocab_size": axis(shapes, "embed.weight", 0),
            "width": axis(shapes, "embed.weight", 1),
            "layers": count_layers(shapes, "layers."),
        }
        found |= {name: axis(shapes, *place) for name, place in self.settings_at.items()}
        return {name: length for name, length in found.items() if length}

    @override
    def build(self, config: HookedDocument, template: Template) -> Module:
        return self._construct(
            template, config.size(), {name: getattr(config, name) for name in self.settings}
        )

    def _construct(self, template: Template, size: Size, settings: Mapping[str, int]) -> Module:
        return self.construct(
            vocabulary=len(template.vocabulary), tokens=template.length, size=size, settings=settings
        )
