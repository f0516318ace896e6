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
from playground.models import Site

SITES = st.one_of(
    st.builds(Site, st.integers(0, 99), head=st.integers(0, 99)),
    st.builds(Site, st.integers(0, 99), part=st.sampled_from(["attn", "mlp"])),
    st.builds(Site, st.integers(0, 99)),
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
        ("zero:L1.foo", "'foo' at column 9"),
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
        parse_all("zero:L1H2;burn:L1;zero:x")
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
        ("zero:L1H7", "expected one of L1H0, L1H1, L1, got L1H7"),
        ("zero:L1.mlp", "got L1.mlp"),
        ("zero:L1H0@newZ", "Did you mean new"),
        ("zero:L1H0@>A", "the first token"),
        ("zero:L1H0@newB..A", "begins before it ends"),
    ],
)
def test_what_a_model_lacks_is_explained(default_world, text, said):
    sites = [Site(layer, head=head) for layer in (0, 1) for head in (0, 1)] + [Site(0), Site(1)]
    with pytest.raises(RequestError) as caught:
        check([parse(text), parse("zero:L0H0")], sites, Template(default_world))
    assert said in str(caught.value)
    assert text in str(caught.value)
    assert len(caught.value.faults) == 1
