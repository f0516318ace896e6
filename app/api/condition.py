"""The whole condition of the page as one value; `address.py` converts it to and from a URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from playground.inference import Model
from playground.interventions import (
    EVERYWHERE,
    LARGEST_AMOUNT,
    ActivationIntervention,
    Anchor,
    Flip,
    Intervention,
    SiteIntervention,
    Span,
    TokenIntervention,
    WeightIntervention,
    Zero,
    anchor_at,
)
from playground.models import Site
from playground.worlds import State

BY_STATE = "state"
BY_NUMBER = "number"
VIEWS = ("activations", "weights", "sets")
"""What pages show instead of their first view: Probe activations or weights, Compare named sets."""


@dataclass(frozen=True, kw_only=True)
class ClickAction:
    """What the next click does.

    Args:
        kind: of an edit of an activation.
        weight_kind: of an edit of a weight.
        positions: the tokens at which it acts.
        amount: of an edit of an activation, if its kind has one.
        noise: the amount of an edit of a weight, if its kind has one.
        seed: of random draws.
        source: the state whose values are used; None for the world's last state.
        minus: the state whose values are subtracted; None for the first.
    """

    kind: type[ActivationIntervention] = Zero
    weight_kind: type[WeightIntervention] = Flip
    positions: Span = EVERYWHERE
    amount: float = Zero.default_amount
    noise: float = Flip.default_amount
    seed: int = 0
    source: State | None = None
    minus: State | None = None

    def with_kind(self, kind: type[ActivationIntervention | WeightIntervention]) -> ClickAction:
        """Return the click action with another kind; an amount that nobody chose, or an invalid one, becomes the default."""
        if issubclass(kind, WeightIntervention):
            return replace(self, weight_kind=kind, noise=_kept_amount(self.noise, self.weight_kind, kind))
        return replace(self, kind=kind, amount=_kept_amount(self.amount, self.kind, kind))

    def on_activation(self, site: Site, states: tuple[State, ...]) -> ActivationIntervention:
        """Return the intervention that a click on a part of a model makes.

        Args:
            site: what was clicked.
            states: of the world.
        """
        return self.kind(**self._options(self.kind, site, states, self.amount))

    def on_weight(self, site: Site, states: tuple[State, ...]) -> WeightIntervention:
        """Return the intervention that a click on a weight makes; see `on_activation` for the arguments."""
        return self.weight_kind(**self._options(self.weight_kind, site, states, self.noise))

    def _options(
        self, kind: type[SiteIntervention], site: Site, states: tuple[State, ...], amount: float
    ) -> dict[str, Any]:
        options = {
            "amount": amount,
            "seed": self.seed,
            "source": self.source or states[-1],
            "minus": self.minus or states[0],
        }
        taken = {name: value for name, value in options.items() if name in kind.clicked_options()}
        return {"site": site, "positions": self.positions, **taken}


def lowest_amount(kind: type[SiteIntervention]) -> float:
    """Return the smallest amount that the app offers for a kind."""
    return 1 / LARGEST_AMOUNT if kind.positive_amount else -LARGEST_AMOUNT


def _kept_amount(amount: float, before: type[SiteIntervention], after: type[SiteIntervention]) -> float:
    chosen = amount != before.default_amount and amount >= lowest_amount(after)
    return amount if chosen else after.default_amount


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Determines, together with the files, everything that a page shows.

    Args:
        state: the chosen state.
        view: which view a page shows: one of VIEWS; None for its first.
        edits: the interventions on the model, in order.
        off: indices of the edits that are switched off, from 0.
        click_action: what the next click does.
        step: the token before which the player pauses; None if the whole text is written.
        large: the part that is drawn large; None for the model's first.
        token: the position whose receptive field is drawn; None for where the last answer is written.
        sort: the column by which the board is sorted, with '-' in front for the other direction.
        margins: whether the board shows margins.
        weight: the matrix that page Weights shows; None for the model's first.
        versus: the state that page Activations compares with; None for the unedited model.
        activation: what page Activations shows, with the index of the chosen unit; None for the model's first.
        units: how the units on page Activations are sorted.
        grouped: the answer by whose truth page Activations groups the states; None for their own order.
        text: the text that page Text continues; None for the prompt of the state.
        beside: the run that page Mechanism compares with the open one; None for none.
        opened: the methods whose panels are open there.
        answer: the answer that these panels are about; None for the first one that reads other answers.
        options: options of the methods on page Mechanism that differ from the default, by name.
        cell: the part and the token whose exchanges are listed; None for none.
    """

    state: State
    view: str | None = None
    edits: tuple[Intervention, ...] = ()
    off: frozenset[int] = frozenset()
    click_action: ClickAction = ClickAction()
    step: int | None = None
    large: Site | None = None
    token: Anchor | None = None
    sort: str = BY_STATE
    margins: bool = False
    weight: Site | None = None
    versus: State | None = None
    activation: Site | None = None
    units: str = BY_NUMBER
    grouped: str | None = None
    text: str | None = None
    beside: str | None = None
    opened: tuple[str, ...] = ()
    answer: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    cell: tuple[str, str] | None = None

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The interventions that are on, in order."""
        return tuple(each for index, each in enumerate(self.edits) if index not in self.off)

    def toggled(self, made: Intervention) -> Condition:
        """Return the condition after a click: without the edits of that part, or with one added if it has none.

        Args:
            made: the edit to add if the part has none.
        """
        here = {
            index
            for index, each in enumerate(self.edits)
            if index not in self.off and _same_place(each, made)
        }
        return self.without(here) if here else replace(self, edits=(*self.edits, made))

    def without(self, indices: set[int]) -> Condition:
        """Return the condition without some of the edits."""
        kept = [index for index in range(len(self.edits)) if index not in indices]
        return replace(
            self,
            edits=tuple(self.edits[index] for index in kept),
            off=frozenset(new for new, index in enumerate(kept) if index in self.off),
        )

    def switched(self, index: int) -> Condition:
        """Return the condition with one of the edits switched on or off."""
        return replace(self, off=self.off ^ {index})


def _same_place(one: Intervention, other: Intervention) -> bool:
    if isinstance(one, TokenIntervention) and isinstance(other, TokenIntervention):
        return one.output == other.output
    if not isinstance(one, SiteIntervention) or not isinstance(other, SiteIntervention):
        return False
    both_on_weights = isinstance(one, WeightIntervention) == isinstance(other, WeightIntervention)
    return both_on_weights and one.site == other.site


def sort_keys(model: Model) -> tuple[str, ...]:
    """Return the columns by which a board can be sorted."""
    answers = model.world.answers
    return (
        BY_STATE,
        "held-out",
        *(f"baseline.{name}" for name in answers),
        *(f"edited.{name}" for name in answers),
        "moved",
    )


def drawable(model: Model) -> tuple[Site, ...]:
    """Return the parts of a model that can be drawn large: attention heads, and maps of units x tokens."""
    network = model.network
    heads = network.elements if network.pattern_hooks else ()
    return (*heads, *(each.site for each in network.maps))


def named_positions(model: Model) -> tuple[Anchor, ...]:
    """Return all positions that have a name, in order."""
    anchors = (anchor_at(model.template, index) for index in range(model.template.length))
    return tuple(anchor for anchor in anchors if anchor)


def first_condition(model: Model) -> Condition:
    """Return the condition of a page without a query: the first held-out state, if there is one."""
    held_out = model.dataset.held_out
    return Condition(state=held_out[0] if held_out else model.world.states[0])
