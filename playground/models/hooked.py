"""Models of our own: `HookedRootModule`s of TransformerLens, saved as safetensors and a `config.json`."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module
from transformer_lens import HookedRootModule
from typing_extensions import override

from playground.datasets import Template
from playground.files import write_json
from playground.models.architecture import WIDEST, Architecture, Size
from playground.models.ensemble import Solo
from playground.models.network import Network
from playground.models.sites import Map, Place, Site
from playground.models.weights import InForce, Weight, WeightEdit, edited_weight, sweep

WEIGHTS = "model.safetensors"


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

    maps: tuple[Map, ...]
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
    def places(self, site: Site) -> tuple[Place, ...]:
        if site in self._anatomy.wholes:
            return tuple(Place(self._maps[part].hook) for part in self._anatomy.wholes[site])
        return (Place(self._maps[site.whole].hook, site.slices),)

    @property
    @override
    def pattern_hooks(self) -> tuple[str, ...]:
        return ()

    @property
    @override
    def maps(self) -> tuple[Map, ...]:
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


class HookedArchitecture(Architecture):
    """An architecture whose model is a `HookedRootModule` that follows from a few numbers.

    Attributes:
        settings: numbers in `config.json` beside size, vocabulary and positions, with their values.
    """

    settings: ClassVar[Mapping[str, int]] = {}
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
            torch.manual_seed(seed)
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
    def build(self, document: dict[str, Any], template: Template) -> Module:
        names = ("width", "layers", *self.settings)
        numbers = {
            name: value for name in names if type(value := document.get(name)) is int and 0 < value <= WIDEST
        }
        wrong = [name for name in names if name not in numbers]
        if wrong:
            raise ValueError(f"{wrong[0]} is {document.get(wrong[0])!r}")
        size = Size(width=numbers["width"], layers=numbers["layers"])
        self.check(size, template)
        return self._construct(template, size, {name: numbers[name] for name in self.settings})

    def _construct(self, template: Template, size: Size, settings: Mapping[str, int]) -> Module:
        return self.construct(
            vocabulary=len(template.vocabulary), tokens=template.length, size=size, settings=settings
        )
