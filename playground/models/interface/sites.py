"""The parts of a model that can be named, and where they are found.

Layers and heads count from 0. `L1H2` is an attention head, `L2.mlp` what a layer's MLP adds to the
residual stream, `L0.h` the hidden state of a recurrent layer, `memory` a memory; `L2` is all of a layer.
Weights are named likewise: `L0.mlp.W_in`, `L1H2.W_Q`, `W_E`, `L0.weight_ih`. After a name, `[17]`
selects one unit, `[0:8]` a range of units, and `[12,40]` an index on each of two axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Slice:
    """A range on one axis: neurons, channels, memory slots, rows of a matrix.

    Args:
        start: first index, from 0; None for the beginning of the axis.
        stop: index after the last; None for the end of the axis.
    """

    start: int | None = None
    stop: int | None = None

    def __str__(self) -> str:
        if self.start is not None and self.stop == self.start + 1:
            return str(self.start)
        ends = ("" if end is None else str(end) for end in (self.start, self.stop))
        return ":".join(ends)

    def fits(self, count: int) -> bool:
        """Return whether the range is not empty and ends within `count`."""
        start, stop = self.start or 0, count if self.stop is None else self.stop
        return start < stop <= count

    @property
    def as_slice(self) -> slice:
        """The range as an index."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Site:
    """A part of a model: one of its activations, or one of its weights.

    Args:
        layer: number of the layer; None for a part outside the layers.
        head: number of the head, or None for a part of the layer or all of it.
        part: name within the layer, with dots for parts of parts; None for a head or the whole layer.
        index: the selected units, an entry for each axis from the first on; () for all.
    """

    layer: int | None = None
    head: int | None = None
    part: str | None = None
    index: tuple[Slice, ...] = ()

    def __post_init__(self) -> None:
        assert self.layer is not None or self.part is not None, "a site is a part, or lies in a layer"
        assert self.head is None or self.layer is not None, "a head lies in a layer"

    def __str__(self) -> str:
        head = "" if self.head is None else f"H{self.head}"
        names = (f"L{self.layer}{head}" if self.layer is not None else None, self.part)
        index = f"[{','.join(map(str, self.index))}]" if self.index else ""
        return ".".join(name for name in names if name) + index

    @property
    def whole(self) -> Site:
        """The site with all of its units."""
        return replace(self, index=())

    def at(self, *units: int) -> Site:
        """Return one unit of the site, or one number of a weight, by an index for each axis."""
        return replace(self, index=tuple(Slice(unit, unit + 1) for unit in units))

    @property
    def slices(self) -> tuple[slice, ...]:
        """The selected units, as an index into the site's own axes."""
        return tuple(each.as_slice for each in self.index)


@dataclass(frozen=True)
class HookLocation:
    """Where a site's activation is found while a model runs.

    Args:
        hook: name of a hook point with values of shape row x token x ...
        index: into the axes after the token's; () for all of it.
    """

    hook: str
    index: tuple[slice, ...] = ()


@dataclass(frozen=True)
class Edit:
    """A change of the value at a hook point, at some tokens.

    Args:
        hook: name of the hook point.
        positions: the tokens, in ascending order.
        change: takes the values at some of the positions, row x position x ..., and these positions; returns the
            new values, or a tensor that broadcasts to them, without writing to its argument.
        index: into the axes after the position's: which values change; () for all.
    """

    hook: str
    positions: tuple[int, ...]
    change: Callable[[Tensor, Sequence[int]], Tensor]
    index: tuple[slice, ...] = ()


@dataclass(frozen=True)
class ActivationMap:
    """An activation that can be drawn as units x tokens.

    Args:
        site: the part that it belongs to; its units are the rows.
        hook: where it is found, row x token x unit, or row x token x unit x component.
        title: what it is.
        units: number of rows.
        noun: what a row is called.
        components: values of a unit at one token; 1 for most, the width of a slot for a memory.
        signed: whether values may be below zero.
        bound: the largest possible absolute value; None if there is no bound.
        detail: whether overviews of a model leave it out.
        whole_hook: where the part as a whole is found, if not at `hook`: the output of an MLP, whose units are
            neurons.
        adds: whether the part as a whole is added to the residual stream.
        privileged: whether its basis is privileged: neurons and memory slots can each compute something of their
            own, dimensions of a residual stream cannot.
    """

    site: Site
    hook: str
    title: str
    units: int
    noun: str = "unit"
    components: int = 1
    signed: bool = True
    bound: float | None = None
    detail: bool = False
    whole_hook: str | None = None
    adds: bool = False
    privileged: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes after row and token."""
        return (self.units, self.components) if self.components > 1 else (self.units,)
