"""The whole condition of the page as one value; `address.py` converts it to and from a URL."""

from __future__ import annotations

from dataclasses import dataclass

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


def lowest_amount(kind: type[SiteIntervention]) -> float:
    """Return the smallest amount that the app offers for a kind."""
    return 1 / LARGEST_AMOUNT if kind.positive_amount else -LARGEST_AMOUNT


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
