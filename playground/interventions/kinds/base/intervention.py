"""The base class of all interventions, and the options of those that act at a site.

A kind is a class, and an intervention is one of its instances. The class declares its word in the text form, its
options, what it does and when it misleads. A method carries it out; which method depends on the family.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from playground.errors import Fault, RequestError
from playground.interventions.positions import EVERYWHERE, Span
from playground.models import Network, Site
from playground.seeds import check_seed
from playground.worlds import State, World, state_text

LARGEST_AMOUNT = 1e6
WHOLE = 100.0
"""Per cent."""

Option = Literal["amount", "share", "seed", "source", "minus"]
OPTIONS: dict[Option, str] = {
    "amount": "an amount, ~2.5",
    "share": "a share, ~5%",
    "seed": "a seed, #7",
    "source": "a state, <1,0,1",
    "minus": "a second state, >0,0,0",
}
"""Every option of the text form, as messages name it."""

EXAMPLE_OUTPUT, EXAMPLE_STATES = "newB", ("1,0,1,0,1", "0,0,1,0,1")
"""The output and the states of the default world in the examples of kinds."""


class Intervention(ABC):
    """A change to a running model.

    Attributes:
        kind: its word in the text form, of the letters a to z.
        effect: what it does, for people.
        caution: when its results mislead, for people.
        example: its text form, for a GPT-2 on the default world.
        target: what its text form names before the options, for people.
        positions: the tokens at which it acts.
    """

    kind: ClassVar[str]
    effect: ClassVar[str]
    caution: ClassVar[str]
    example: ClassVar[str]
    target: ClassVar[str]
    positions: Span

    @abstractmethod
    def __str__(self) -> str: ...

    def faults_on(self, network: Network) -> list[Fault]:
        """Return why this could change nothing in a model that has its target; a kind may add reasons."""
        return []


def example_of(kind: type[Intervention], world: World | None = None) -> str:
    """Return an example of a kind in the text form, with names and states of a world; without one, with placeholders."""
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

    Attributes:
        noun: what its site is.
        needs: the options that it must have.
        takes: the options that it may have as well.
        positive_amount: whether its amount must be above 0.
        default_amount: the amount of a click in the app, until the user chooses another.
        amount_label: what the app calls the amount.

    Args:
        site: the part that is changed.
        positions: the tokens at which it is changed.
        amount: how much; each kind defines what that means.
        share: how many of the site's numbers are changed, in per cent.
        seed: of random draws.
        source: the state from which a value is taken.
        minus: the state whose value is subtracted from that.

    Raises:
        RequestError: listing all options that are missing, not accepted, or out of range.
    """

    site: Site
    positions: Span = EVERYWHERE
    amount: float | None = None
    share: float | None = None
    seed: int = 0
    source: State | None = None
    minus: State | None = None

    noun: ClassVar[str]
    target: ClassVar[str] = "a site"
    needs: ClassVar[frozenset[Option]] = frozenset()
    takes: ClassVar[frozenset[Option]] = frozenset()
    positive_amount: ClassVar[bool]
    default_amount: ClassVar[float]
    amount_label: ClassVar[str] = "times"

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

    @classmethod
    def clicked_options(cls) -> frozenset[Option]:
        """Return the options that a click in the app fills in: those it needs, and the seed if it always draws."""
        drawn: frozenset[Option] = frozenset() if "share" in cls.takes else cls.takes & {"seed"}
        return cls.needs | drawn

    def _option_faults(self) -> list[Fault]:
        given = {name for name in OPTIONS if getattr(self, name) not in (None, 0)}
        if self.amount is not None:
            given.add("amount")
        missing, stray = self.needs - given, given - self.needs - self.takes
        if not missing and not stray:
            return []
        allowed = [words for name, words in OPTIONS.items() if name in self.needs]
        allowed += [f"perhaps {words}" for name, words in OPTIONS.items() if name in self.takes]
        got = [f"no {name}" for name in sorted(missing)] + sorted(stray)
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
        accepts_amount = "amount" in self.needs | self.takes
        lowest = 0.0 if self.positive_amount and accepts_amount else -LARGEST_AMOUNT
        ranges = [("amount", self.amount, lowest, LARGEST_AMOUNT), ("share", self.share, 0.0, WHOLE)]
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


def _decimal(number: float) -> str:
    """Return the shortest text that reads back as the same number."""
    is_short = number == int(number) and abs(number) < LARGEST_AMOUNT
    return repr(int(number)) if is_short else repr(float(number))
