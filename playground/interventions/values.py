"""Interventions as values: what is changed, where, with what. They run nothing and change nothing.

What an intervention on an activation replaces is what its site computes at its positions, and nothing else;
one on a weight has the weight be another while the tokens at its positions are read; `force` has another
token be written. What follows from that, at these and at later positions, follows. This is what happens in
a decoder with a key-value cache that is changed before the first of the positions and put back after the
last. Weights come first, activations see what these lead to, tokens are written last; within each of the
three, interventions act in their order.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, UInt8

from playground.errors import Fault, RequestError
from playground.interventions.positions import EVERYWHERE, Anchor, Span
from playground.models import Site
from playground.seeds import check_seed
from playground.worlds import State, World, state_text

LARGEST = 1e6
WHOLE = 100.0
"""Per cent."""

Option = Literal["amount", "share", "seed", "source", "minus"]
WORDS: dict[str, str] = {
    "amount": "an amount, ~2.5",
    "share": "a share, ~5%",
    "seed": "a seed, #7",
    "source": "a state, <1,0,1",
    "minus": "a second state, >0,0,0",
}


EXAMPLE_OUTPUT, EXAMPLE_STATES = "newB", ("1,0,1,0,1", "0,0,1,0,1")
"""What the examples of kinds name, of the default world."""


class Intervention(ABC):
    """A change to a running model.

    Attributes:
        kind: its name.
        effect: what it does, for people.
        caution: when what is seen misleads.
        example: its text form, for a GPT-2 on the default world.
        needs: options without which it says nothing.
        takes: options that it may have beside these.
        positions: the tokens at which something is changed.
    """

    kind: ClassVar[str]
    effect: ClassVar[str]
    caution: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[frozenset[Option]] = frozenset()
    takes: ClassVar[frozenset[Option]] = frozenset()
    positions: Span

    @abstractmethod
    def __str__(self) -> str: ...


def example_of(kind: type[Intervention], world: World | None = None) -> str:
    """Return the text form of a kind, with names and states of a world; without one with words for them."""
    output, states = "OUTPUT", ("STATE", "STATE")
    if world is not None:
        output, states = world.outputs[-1], (state_text(world.states[-1]), state_text(world.states[0]))
    text = kind.example.replace(EXAMPLE_OUTPUT, output)
    for own, other in zip(EXAMPLE_STATES, states, strict=True):
        text = text.replace(own, other)
    return text


@dataclass(frozen=True)
class SiteIntervention(Intervention):
    """A change of an activation or of a weight.

    Args:
        site: the part that is changed.
        positions: the tokens at which it is changed.
        amount: how much, where the kind says what that means.
        share: how many of the numbers of the site, in per cent.
        seed: of what is drawn at random.
        source: the state from which a value is taken.
        minus: the state whose value is taken off it.
    """

    site: Site
    positions: Span = EVERYWHERE
    amount: float | None = None
    share: float | None = None
    seed: int = 0
    source: State | None = None
    minus: State | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed, f"{self.kind}:{self.site}")
        faults = [*self._option_faults(), *self._amount_faults()]
        if faults:
            raise RequestError(*faults)

    def __str__(self) -> str:
        text = f"{self.kind}:{self.site}"
        if self.amount is not None:
            text += f"~{_decimal(self.amount)}"
        if self.share is not None:
            text += f"~{_decimal(self.share)}%"
        if self.seed:
            text += f"#{self.seed}"
        text += str(self.positions)
        if self.source is not None:
            text += f"<{state_text(self.source)}"
        if self.minus is not None:
            text += f">{state_text(self.minus)}"
        return text

    def _option_faults(self) -> list[Fault]:
        given: set[Option] = {name for name in WORDS if getattr(self, name) not in (None, 0)}  # pyright: ignore[reportAssignmentType]
        if self.amount is not None:
            given.add("amount")
        missing, stray = self.needs - given, given - self.needs - self.takes
        if not missing and not stray:
            return []
        allowed = [WORDS[name] for name in WORDS if name in self.needs]
        allowed += [f"perhaps {WORDS[name]}" for name in WORDS if name in self.takes]
        got = [f"no {name}" for name in sorted(missing)] + [f"{name}" for name in sorted(stray)]
        return [
            Fault(
                where=f"{self.kind}:{self.site}",
                message=f"wrong options for {self.kind}",
                expected=" and ".join(allowed) or "none",
                got=", ".join(got),
                hint=f"Write it like {example_of(type(self))}.",
            )
        ]

    def _amount_faults(self) -> list[Fault]:
        ranges = [("amount", self.amount, -LARGEST, LARGEST), ("share", self.share, 0.0, WHOLE)]
        if self.kind == "noise":
            ranges[0] = ("amount", self.amount, 0.0, LARGEST)
        return [
            Fault(
                where=f"{self.kind}:{self.site}",
                message=f"invalid {name} for {self.kind}",
                expected=f"a number above 0, up to {high:g}"
                if low == 0
                else f"a number from {low:g} to {high:g}",
                got=f"{value:g}" + ("%" if name == "share" else ""),
                hint=f"Write it like {example_of(type(self))}.",
            )
            for name, value, low, high in ranges
            if value is not None and not (math.isfinite(value) and low <= value <= high and (value or low))
        ]


class ActivationIntervention(SiteIntervention):
    """A change of what a part of the model computes.

    A head's output is `z`, the average of its values, before the output matrix; that of an attention or
    an MLP is what it adds to the residual stream; that of a recurrent layer is what it carries on.
    """


class WeightIntervention(SiteIntervention):
    """A change of learnt weights, as long as the tokens at its positions are read.

    All numbers of the matrix that the site's index leaves open are changed, or a share of them, drawn at
    random without replacement.
    """

    def meant(self, shape: tuple[int, ...]) -> Bool[np.ndarray, ...]:
        """Return which numbers are meant of the part of a weight that the site names, which has that shape."""
        if self.share is None:
            return np.ones(shape, dtype=bool)
        size = math.prod(shape)
        drawn = _draw(size, round(size * self.share / WHOLE), self.seed)
        return np.unpackbits(drawn, count=size).astype(bool).reshape(shape)


@lru_cache(maxsize=128)
def _draw(size: int, count: int, seed: int) -> UInt8[np.ndarray, " byte"]:
    """Return some numbers drawn at random of all there are, a bit for each; one request asks for the same several times."""
    meant = np.zeros(size, dtype=bool)
    meant[np.random.default_rng(seed).permutation(size)[:count]] = True
    return np.packbits(meant)


class Zero(ActivationIntervention):
    """Zero ablation: the site's output is set to zero, biases included."""

    kind: ClassVar[str] = "zero"
    effect: ClassVar[str] = "its output is set to zero"
    caution: ClassVar[str] = (
        "Zero lies off what the model ever computes, so answers may break that never needed this part; "
        "and where none break, another part may have taken over."
    )
    example: ClassVar[str] = "zero:L1H2"


class Mean(ActivationIntervention):
    """Mean ablation: the site's output is set to its mean over all states, at each position.

    The mean is that of the unedited model on the texts that it writes itself.
    """

    kind: ClassVar[str] = "mean"
    effect: ClassVar[str] = "its output is set to its mean over all states"
    caution: ClassVar[str] = (
        "The mean takes away only what differs between states: what this part adds to all of them alike "
        "stays; and where no answer breaks, another part may have taken over."
    )
    example: ClassVar[str] = "mean:L2.mlp"


class Resample(ActivationIntervention):
    """Resampling ablation: the site's output is what it is in another state, at the same position.

    The value is that of the unedited model on the text that it writes in that state.
    """

    kind: ClassVar[str] = "resample"
    effect: ClassVar[str] = "its output is set to what it is in another state, in every state"
    caution: ClassVar[str] = (
        "The value is one that the model does compute, but it carries what is true in that one state: "
        "another state may show something else, and in the state itself nothing changes."
    )
    example: ClassVar[str] = f"resample:L1H2<{EXAMPLE_STATES[0]}"
    needs: ClassVar[frozenset[Option]] = frozenset({"source"})


class Scale(ActivationIntervention):
    """The site's output is multiplied by an amount."""

    kind: ClassVar[str] = "scale"
    effect: ClassVar[str] = "its output is multiplied by the amount"
    caution: ClassVar[str] = (
        "Far from 1 the output lies off what the model ever computes; 1 changes nothing, and 0 is zero."
    )
    example: ClassVar[str] = "scale:L1H2~2.5"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount"})


class Steer(ActivationIntervention):
    """Steering: the difference of two states' outputs, times an amount, is added to the site's output.

    The difference is the first state's minus the second's, at the same position, of the unedited model on
    the texts that it writes itself (Turner et al. 2023, arXiv 2308.10248, with one pair).
    """

    kind: ClassVar[str] = "steer"
    effect: ClassVar[str] = "the amount times the difference of two states' outputs is added to its output"
    caution: ClassVar[str] = (
        "Two states differ in all that differs between them, not in one variable only unless you choose "
        "them so; large amounts lie off what the model ever computes."
    )
    example: ClassVar[str] = f"steer:L2.resid~1<{EXAMPLE_STATES[0]}>{EXAMPLE_STATES[1]}"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount", "source", "minus"})


class Patch(ActivationIntervention):
    """Activation patching: the site's output is taken from the run of another state, at the same position.

    The run is that of the unedited model on the text that it writes in that state.
    """

    kind: ClassVar[str] = "patch"
    effect: ClassVar[str] = "its output is taken from another state's run, in every state"
    caution: ClassVar[str] = (
        "That an answer follows shows that this part at this token carries enough to change it, not that the "
        "model uses nothing else; everything that differs between the two states is carried over at once."
    )
    example: ClassVar[str] = f"patch:L2.resid@{EXAMPLE_OUTPUT}<{EXAMPLE_STATES[0]}"
    needs: ClassVar[frozenset[Option]] = frozenset({"source"})


class Flip(WeightIntervention):
    """The sign of weights is turned."""

    kind: ClassVar[str] = "flip"
    effect: ClassVar[str] = "the sign of the weight is turned"
    caution: ClassVar[str] = (
        "A weight near zero is hardly changed by it. Many weights at once lie far off what was learnt, "
        "and what breaks then says little of any one of them."
    )
    example: ClassVar[str] = "flip:L0.mlp.W_in[12,40]"
    takes: ClassVar[frozenset[Option]] = frozenset({"share", "seed"})


class Nuke(WeightIntervention):
    """Weights are set to zero."""

    kind: ClassVar[str] = "nuke"
    effect: ClassVar[str] = "the weight is set to zero"
    caution: ClassVar[str] = (
        "Zero is no neutral value where weights are large. Where no answer breaks, another part may have "
        "taken over."
    )
    example: ClassVar[str] = "nuke:L0.mlp.W_in[12,:]"
    takes: ClassVar[frozenset[Option]] = frozenset({"share", "seed"})


class Noise(WeightIntervention):
    """Gaussian noise is added to weights; the amount is in standard deviations of the named matrix."""

    kind: ClassVar[str] = "noise"
    effect: ClassVar[str] = (
        "Gaussian noise of that many standard deviations of the matrix is added to the weight"
    )
    caution: ClassVar[str] = "One seed is one draw: look at several before you say how much it bears."
    example: ClassVar[str] = "noise:L0.mlp.W_in~0.5#7"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount"})
    takes: ClassVar[frozenset[Option]] = frozenset({"seed"})


OPPOSITE = "!"


@dataclass(frozen=True)
class Force(Intervention):
    """The model is made to have written a value for one of its outputs; it goes on from there.

    Args:
        output: name of an output of the world.
        value: `0`, `1`, or `!` for the opposite of what it would have written: of 0 and 1 the one
            that it gives the lower score.
    """

    output: str
    value: str
    positions: Span = field(init=False, compare=False)

    kind: ClassVar[str] = "force"
    effect: ClassVar[str] = "the model is made to have written this value, and goes on from there"
    caution: ClassVar[str] = (
        "What it writes after is judged by the rules, by the rules with the output set by hand, and as written: "
        "only where these differ can you tell which one it follows. What was forced is not judged."
    )
    example: ClassVar[str] = f"force:{EXAMPLE_OUTPUT}=!"

    def __post_init__(self) -> None:
        assert self.value in ("0", "1", OPPOSITE), "the parser lets no other value pass"
        anchor = Anchor(self.output, writing=True)
        object.__setattr__(self, "positions", Span(anchor, anchor))

    def __str__(self) -> str:
        return f"{self.kind}:{self.output}={self.value}"


KINDS: dict[str, type[Intervention]] = {
    kind.kind: kind for kind in (Zero, Mean, Resample, Scale, Steer, Patch, Flip, Nuke, Noise, Force)
}
ON_ACTIVATIONS: dict[str, type[ActivationIntervention]] = {
    name: kind for name, kind in KINDS.items() if issubclass(kind, ActivationIntervention)
}
ON_WEIGHTS: dict[str, type[WeightIntervention]] = {
    name: kind for name, kind in KINDS.items() if issubclass(kind, WeightIntervention)
}


def _decimal(number: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(int(number)) if number == int(number) and abs(number) < LARGEST else repr(float(number))
