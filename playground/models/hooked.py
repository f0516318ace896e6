"""Models of our own: `HookedRootModule`s of TransformerLens, saved as safetensors and a `config.json`."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module
from transformer_lens import HookedRootModule
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
from playground.models.interface.network import Network
from playground.models.interface.sites import ActivationMap, HookLocation, Site
from playground.models.interface.weights import InForce, Weight, WeightEdit, edited_weight, sweep
from playground.schema import Expected, read_document
from playground.seeds import check_seed

WEIGHTS = "model.safetensors"
Length = Annotated[int, Field(ge=1, le=WIDEST), Expected(f"a whole number from 1 to {WIDEST:,}")]
_HINT = "Train it again, or put back the file as it was."


@dataclass(frozen=True)
class Anatomy:
    """What can be named of a model.

    Args:
        maps: its activations, in the order in which they are shown.
        wholes: sites that stand for several of these together.
        weights: its learnt weights by name.
        elements: see `Network.elements`.
        element_noun: what one of these is called.
        before_all: weights that make the state before the first token, and are used there alone.
        not_at_first: parts that come to nothing at the first token, whatever they are, because of the state before
            it; of a weight the rows that do.
    """

    maps: tuple[ActivationMap, ...]
    wholes: Mapping[Site, tuple[Site, ...]]
    weights: Mapping[Site, Weight]
    elements: tuple[Site, ...]
    element_noun: str
    before_all: frozenset[Site] = frozenset()
    not_at_first: Mapping[Site, slice] = field(default_factory=dict)


class HookedNetwork(Network):
    """A trained `HookedRootModule` under its hooks.

    Args:
        architecture: its name.
        model: the trained model.
        template: the form of its texts.
        anatomy: what can be named of it.
    """

    def __init__(
        self, architecture: str, model: HookedRootModule, template: Template, anatomy: Anatomy
    ) -> None:
        self._architecture, self._template = architecture, template
        self._maps = {each.site: each for each in anatomy.maps}
        self._anatomy = anatomy
        self._module = model.eval()
        self._parameters = dict(model.named_parameters())
        self._tensors = {name: parameter.detach() for name, parameter in self._parameters.items()}
        self._named = {
            site: weight.view(self._tensors[weight.parameter]) for site, weight in anatomy.weights.items()
        }
        self._sites = {site: each.shape for site, each in self._maps.items()} | dict.fromkeys(
            anatomy.wholes, ()
        )
        self._device = next(iter(self._tensors.values())).device
        self._in_force = InForce(anatomy.weights, self._tensors)
        # Hooks are state of the module, so a pass with its hooks is one critical section.
        self._lock = threading.Lock()

    @property
    @override
    def architecture(self) -> str:
        return self._architecture

    @property
    @override
    def template(self) -> Template:
        return self._template

    @property
    @override
    def device(self) -> torch.device:
        return self._device

    @property
    @override
    def sites(self) -> Mapping[Site, tuple[int, ...]]:
        return self._sites

    @property
    @override
    def weights(self) -> Mapping[Site, Tensor]:
        return self._named

    @override
    def edited_weight(self, weight: Site, edits: Sequence[WeightEdit]) -> Tensor:
        return edited_weight(weight, edits, self._anatomy.weights, self._tensors)

    @property
    @override
    def embedding(self) -> Site:
        return Site(part="embed.weight")

    @override
    def cancels(self, weight: Site, tokens: Sequence[int], position: int) -> bool:
        return False

    @property
    @override
    def elements(self) -> tuple[Site, ...]:
        return self._anatomy.elements

    @property
    @override
    def element_noun(self) -> str:
        return self._anatomy.element_noun

    @override
    def hook_locations(self, site: Site) -> tuple[HookLocation, ...]:
        if site in self._anatomy.wholes:
            return tuple(HookLocation(self._maps[part].hook) for part in self._anatomy.wholes[site])
        return (HookLocation(self._maps[site.whole].hook, site.slices),)

    @property
    @override
    def pattern_hooks(self) -> tuple[str, ...]:
        return ()

    @property
    @override
    def maps(self) -> tuple[ActivationMap, ...]:
        return self._anatomy.maps

    @override
    def make_cache(self) -> None:
        return None

    @override
    def sweep(
        self, tokens: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
    ) -> Float[Tensor, "variant row token vocabulary"]:
        with self._lock:
            return sweep(self._module, self._anatomy.weights[weight], tokens.to(self._device), values)

    @override
    def parameters(self) -> Mapping[str, Tensor]:
        return self._parameters


def weights_of(model: Module) -> dict[Site, Weight]:
    """Return all weights of a model under torch's names; what lies in a layer is named after that.

    `layers.0.weight_ih` is `L0.weight_ih`, `unembed.bias` is `unembed.bias`.
    """
    found = {}
    for name, _ in model.named_parameters():
        kind, *rest = name.split(".")
        site = Site(int(rest[0]), part=".".join(rest[1:])) if kind == "layers" else Site(part=name)
        found[site] = Weight(name)
    return found


class HookedDocument(ConfigDocument):
    """The `config.json` of a model of our own; an architecture with `settings` has these besides."""

    model_type: Literal["rnn", "cnn", "mann"]
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
    """An architecture whose model is a `HookedRootModule` that follows from a few numbers.

    Attributes:
        config: the schema of its `config.json`.
        settings: numbers in `config.json` beside size, vocabulary and positions, with their values.
        settings_at: the tensor and its axis that is as long as each.
    """

    config: ClassVar[type[HookedDocument]] = HookedDocument
    settings: ClassVar[Mapping[str, int]] = {}
    settings_at: ClassVar[Mapping[str, tuple[str, int]]] = {}
    side_by_side: ClassVar[bool] = False

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
        # In training all of them are views of one tensor.
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
