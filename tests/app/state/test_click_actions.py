"""What a click does, for every kind: its own options and valid amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.condition import ClickAction
from playground.interventions import Flip, Noise, Scale, Steer, Zero, activation_kinds, parse, weight_kinds
from playground.models import Site

SITE, STATES = Site(1, 2), ((0, 0), (1, 1))


class Doubtful(Scale):
    """A kind with an amount of its own, above 0."""

    positive_amount = True
    default_amount = 0.25


@pytest.mark.parametrize("kind", activation_kinds().values())
def test_a_click_on_a_part_makes_every_kind(kind):
    made = ClickAction(kind=kind, seed=7).on_activation(SITE, STATES)
    assert type(made) is kind
    assert parse(str(made)) == made


@pytest.mark.parametrize("kind", weight_kinds().values())
def test_a_click_on_a_weight_makes_every_kind(kind):
    made = ClickAction(weight_kind=kind, seed=7).on_weight(SITE, STATES)
    assert type(made) is kind
    assert parse(str(made)) == made
    assert made.seed == (7 if kind is Noise else 0)


def test_an_amount_that_was_chosen_stays_while_the_next_kind_can_have_it():
    assert ClickAction().with_kind(Scale).with_kind(Steer) == ClickAction(kind=Steer)
    assert ClickAction(amount=3.0).with_kind(Scale).amount == 3.0
    assert ClickAction(amount=-3.0).with_kind(Doubtful).amount == 0.25
    assert ClickAction(kind=Zero).with_kind(Doubtful).amount == 0.25
    assert replace(ClickAction(), noise=2.0).with_kind(Noise).with_kind(Flip).noise == 2.0
