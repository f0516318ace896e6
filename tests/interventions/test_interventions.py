"""Interventions: values, positions and their text form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.datasets import Template
from playground.errors import RequestError
from playground.interventions import (
    EVERYWHERE,
    KINDS,
    Anchor,
    Mean,
    Span,
    Zero,
    check,
    format_all,
    parse,
    parse_all,
)
from playground.models import Site, Units

NUMBERS = st.integers(0, 999)
UNITS = st.none() | st.builds(Units, st.none() | NUMBERS, st.none() | NUMBERS)
PARTS = st.sampled_from(["attn", "mlp", "h", "c", "conv", "memory", "read_weights"])
SITES = st.one_of(
    st.builds(Site, NUMBERS, head=NUMBERS),
    st.builds(Site, st.none() | NUMBERS, part=PARTS, units=UNITS),
    st.builds(Site, NUMBERS),
)
ANCHORS = st.builds(Anchor, st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True), st.booleans())
SPANS = st.builds(Span, st.none() | ANCHORS, st.none() | ANCHORS)
INTERVENTIONS = st.builds(
    lambda kind, *rest: kind(*rest), st.sampled_from(list(KINDS.values())), SITES, SPANS
)


@given(st.lists(INTERVENTIONS, max_size=6))
def test_text_and_value_say_the_same(interventions):
    assert parse_all(format_all(interventions)) == tuple(interventions)
    assert [parse(str(each)) for each in interventions] == interventions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zero:L1H2", Zero(Site(1, head=2))),
        ("mean:L2.mlp@newB", Mean(Site(2, part="mlp"), Span(Anchor("newB"), Anchor("newB")))),
        ("zero:L3@>newB..", Zero(Site(3), Span(Anchor("newB", writing=True)))),
        ("zero:L0.attn@newA..newC", Zero(Site(0, part="attn"), Span(Anchor("newA"), Anchor("newC")))),
        ("mean:L0@..A", Mean(Site(0), Span(None, Anchor("A")))),
        ("zero:L0.h[17]", Zero(Site(0, part="h", units=Units(17, 18)))),
        ("zero:L2.conv[5]", Zero(Site(2, part="conv", units=Units(5, 6)))),
        (
            "zero:memory[3]@newB",
            Zero(Site(part="memory", units=Units(3, 4)), Span(Anchor("newB"), Anchor("newB"))),
        ),
        ("mean:read_weights", Mean(Site(part="read_weights"))),
        ("zero:L0.h[:8]", Zero(Site(0, part="h", units=Units(None, 8)))),
        ("zero:L1.mlp[8:]", Zero(Site(1, part="mlp", units=Units(8, None)))),
        ("zero:L1.mlp[8:12]", Zero(Site(1, part="mlp", units=Units(8, 12)))),
    ],
)
def test_the_forms(text, value):
    assert parse(text) == value
    assert str(value) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got the end"),
        ("zero", "KIND:SITE"),
        ("zero:", "KIND:SITE"),
        ("zeero:L1", "Did you mean zero"),
        ("burn:L1", "expected kind zero or mean, got 'burn'"),
        ("zero:L1H", "at column 8"),
        ("zero:L1.", "'.' at column 8"),
        ("zero:L0.h[", "KIND:SITE"),
        ("zero:L0.h[]", "KIND:SITE"),
        ("zero:L0.h[1,2]", "',2]' at column 12"),
        ("zero:L0.h[-1]", "'-1]' at column 11"),
        ("zero:L0[3]", "'[3]' at column 8"),
        ("zero:L1H2@", "KIND:SITE"),
        ("zero:L1@..", "KIND:SITE"),
        ("zero:L1H2@A@B", "'@B' at column 12"),
        ("zero:L123456", "KIND:SITE"),
        ("zero:L1H2@5", "'5'"),
    ],
)
def test_what_is_malformed_is_explained(text, said):
    with pytest.raises(RequestError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_all_that_is_malformed_is_told_at_once():
    with pytest.raises(RequestError) as caught:
        parse_all("zero:L1H2;burn:L1;zero:X")
    assert len(caught.value.faults) == 2
    with pytest.raises(RequestError, match="at most 100"):
        parse_all(";".join(["zero:L0"] * 101))


def test_masks_are_the_named_positions(default_world):
    template = Template(default_world)

    def positions(text: str) -> list[int]:
        return [i for i, meant in enumerate(parse(f"zero:L0{text}").positions.mask(template)) if meant]

    assert positions("") == list(range(22))
    assert positions("@newB") == [12]
    assert positions("@>newB") == [11]
    assert positions("@newA..newC") == [10, 11, 12, 13, 14]
    assert positions("@>newB..") == list(range(11, 22))
    assert positions("@..A") == [0]
    assert EVERYWHERE.mask(template).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zero:L9H0", "expected a layer from L0 to L1, got L9H0"),
        ("zero:L1H7", "expected one of L1H0, L1H1, L1.h, L1, got L1H7"),
        ("zero:L1.mlp", "got L1.mlp"),
        ("zero:L1.foo", "expected one of L1H0, L1H1, L1.h, L1, got L1.foo"),
        ("zero:memory[3]", "expected one of slots, L0H0, L0H1, L0.h, L0 (likewise to L1), got memory[3]"),
        ("zero:L0.h[24]", "units of L0.h from [0] to [23]"),
        ("zero:L0.h[20:25]", "units of L0.h from [0] to [23]"),
        ("zero:L0.h[5:5]", "units of L0.h from [0] to [23]"),
        ("zero:L0.h[9:5]", "units of L0.h from [0] to [23]"),
        ("zero:slots[0]", "no units that can be named"),
        ("zero:L1H0@newZ", "Did you mean new"),
        ("zero:L1H0@>A", "the first token"),
        ("zero:L1H0@newB..A", "begins before it ends"),
    ],
)
def test_what_a_model_lacks_is_explained(default_world, text, said):
    sites = {Site(layer, head=head): 0 for layer in (0, 1) for head in (0, 1)}
    sites |= {Site(part="slots"): 0}
    for layer in (0, 1):
        sites |= {Site(layer, part="h"): 24, Site(layer): 0}
    with pytest.raises(RequestError) as caught:
        check([parse(text), parse("zero:L0H0")], sites, Template(default_world))
    assert said in str(caught.value)
    assert text in str(caught.value)
    assert len(caught.value.faults) == 1
