"""The parts of a model that can be named, and where their activations are found.

Layers and heads count from 0. `L1H2` is a head, `L2.attn` and `L2.mlp` are what a layer's attention and
its MLP add to the residual stream, `L2` is both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Part = Literal["attn", "mlp"]
PARTS: tuple[Part, ...] = ("attn", "mlp")


@dataclass(frozen=True)
class Site:
    """A part of a model: a head, a layer's attention or MLP, or a layer.

    Args:
        layer: number of the layer.
        head: number of the head, or None for a part of the layer or all of it.
        part: "attn" or "mlp", or None for a head or the whole layer.
    """

    layer: int
    head: int | None = None
    part: Part | None = None

    def __post_init__(self) -> None:
        assert self.head is None or self.part is None, "a head is no other part"

    def __str__(self) -> str:
        if self.head is not None:
            return f"L{self.layer}H{self.head}"
        return f"L{self.layer}.{self.part}" if self.part else f"L{self.layer}"


@dataclass(frozen=True)
class Place:
    """Where a site's activation is found while a model runs.

    Args:
        hook: name of a hook point with values of shape row x token x ...
        unit: index on the axis behind the token's, or None for all of it.
    """

    hook: str
    unit: int | None = None


@dataclass(frozen=True)
class Edit:
    """A change of what passes a hook point.

    Args:
        hook: name of the hook point.
        change: takes the value there and returns the one to go on with; it leaves its argument as it is.
    """

    hook: str
    change: Callable[[Tensor], Tensor]
