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
    Flip,
    Force,
    Intervention,
    Mean,
    Noise,
    Nuke,
    Patch,
    Resample,
    Scale,
    Span,
    Steer,
    Zero,
    example_of,
    format_all,
    parse,
    parse_all,
    parse_positions,
    parse_site,
    weight_kinds,
)
from playground.models import Site, Slice

NUMBERS = st.integers(0, 999)
RANGES = st.one_of(
    NUMBERS.map(lambda number: (number, number + 1)), st.tuples(st.none() | NUMBERS, st.none() | NUMBERS)
)
INDICES = st.lists(RANGES, max_size=3)
OF_HEADS = st.none() | st.sampled_from(["W_Q", "W_O", "b_K"])
OF_LAYERS = st.sampled_from(["attn", "mlp", "h", "conv.weight", "mlp.W_in", "attn.b_O", "ln1.w", "weight_ih"])
OF_NONE = st.sampled_from(
    ["memory", "W_E", "W_pos", "read_head.first_weights", "unembed.weight", "ln_final.b"]
)
SITES = st.one_of(
    st.tuples(NUMBERS, NUMBERS, OF_HEADS, INDICES),
    st.tuples(NUMBERS, st.none(), OF_LAYERS, INDICES),
    st.tuples(st.none(), st.none(), OF_NONE, INDICES),
    st.tuples(NUMBERS, st.none(), st.none(), st.just([])),
)
VARIABLES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
ANCHORS = st.none() | st.tuples(VARIABLES, st.booleans())
SPANS = st.tuples(ANCHORS, ANCHORS)
STATES = st.lists(st.integers(0, 1), min_size=1, max_size=6).map(tuple)
AMOUNTS = st.floats(-1e6, 1e6) | st.integers(-999, 999).map(float)
SEEDS = st.integers(0, 999_999_999)
SHARED = {"share": st.none() | st.floats(1e-9, 100.0), "seed": SEEDS}
OPTIONS = {
    Zero: {},
    Mean: {},
    Resample: {"source": STATES},
    Patch: {"source": STATES},
    Scale: {"amount": AMOUNTS},
    Steer: {"amount": AMOUNTS, "source": STATES, "minus": STATES},
    Flip: SHARED,
    Nuke: SHARED,
    Noise: {"amount": st.floats(1e-9, 1e6), "seed": SEEDS},
}
AT_SITES = st.one_of(
    st.tuples(st.just(kind), SITES, SPANS, st.fixed_dictionaries(options))
    for kind, options in OPTIONS.items()
)
FORCES = st.tuples(VARIABLES, st.sampled_from(["0", "1", "!"]))


def make_site(plain) -> Site:
    layer, head, part, ranges = plain
    return Site(layer, head, part, tuple(Slice(*each) for each in ranges))


def make_span(plain) -> Span:
    return Span(*(None if anchor is None else Anchor(*anchor) for anchor in plain))


def make(plain) -> Intervention:
    """Return a value; not made while it is drawn, because the check of types draws random numbers, too."""
    if len(plain) == len(("output", "value")):
        return Force(*plain)
    kind, site, span, options = plain
    return kind(make_site(site), make_span(span), **options)


def test_every_kind_is_drawn():
    assert {*OPTIONS, Force} == set(KINDS.values())


@given(st.lists(AT_SITES | FORCES, max_size=3))
def test_text_and_value_say_the_same(drawn):
    interventions = [make(plain) for plain in drawn]
    assert parse_all(format_all(interventions)) == tuple(interventions)
    assert [parse(str(each)) for each in interventions] == interventions


@given(SITES, SPANS)
def test_sites_and_positions_have_a_text_of_their_own(site, span):
    assert parse_site(str(make_site(site))) == make_site(site)
    assert parse_positions(str(make_span(span))) == make_span(span)


@given(st.text(max_size=30) | st.text("zeroflip:L0H1.mlp[,~%#@<>=!;]", max_size=30))
def test_any_text_is_an_intervention_or_a_request_error(text):
    try:
        interventions = parse_all(text)
    except RequestError as error:
        faults = error.faults
    else:
        faults = ()
        assert parse_all(format_all(interventions)) == interventions
    assert all(fault.expected and fault.got and fault.hint for fault in faults)


def test_examples_are_of_the_world_that_is_meant(world):
    texts = [example_of(kind, world) for kind in KINDS.values()]
    values = [parse(text) for text in texts]
    assert [value.kind for value in values] == list(KINDS)
    for value in values:
        if not isinstance(value, Force):
            assert {value.source, value.minus} <= {*world.states, None}
        value.positions.mask(Template(world))
    assert any(world.outputs[-1] in text for text in texts)


def test_every_kind_has_an_example_and_says_what_it_does():
    for name, kind in KINDS.items():
        value = parse(kind.example)
        assert type(value) is kind
        assert str(value) == kind.example
        assert kind.kind == name
        assert kind.effect
        assert kind.caution.endswith(".")
    assert set(weight_kinds()) == {"flip", "nuke", "noise"}


NEW_B = Span(Anchor("newB"), Anchor("newB"))
STATE = (1, 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("force:L1H2=1", Force("L1H2", "1")),
        ("force:L1_long=!", Force("L1_long", "!")),
        ("zero:L1H2", Zero(Site(1, head=2))),
        ("mean:L2.mlp@newB", Mean(Site(2, part="mlp"), NEW_B)),
        ("zero:L3@>newB..", Zero(Site(3), Span(Anchor("newB", writing=True)))),
        ("zero:L0.attn@newA..newC", Zero(Site(0, part="attn"), Span(Anchor("newA"), Anchor("newC")))),
        ("mean:L0@..A", Mean(Site(0), Span(None, Anchor("A")))),
        ("zero:L0.h[17]", Zero(Site(0, part="h").at(17))),
        ("zero:L1H2[3]", Zero(Site(1, 2, index=(Slice(3, 4),)))),
        ("zero:memory[3]@newB", Zero(Site(part="memory").at(3), NEW_B)),
        ("zero:memory[3,5]", Zero(Site(part="memory").at(3, 5))),
        ("mean:read_weights", Mean(Site(part="read_weights"))),
        ("zero:L1.mlp[:8]", Zero(Site(1, part="mlp", index=(Slice(None, 8),)))),
        ("zero:L1.mlp[8:]", Zero(Site(1, part="mlp", index=(Slice(8),)))),
        ("zero:L1.mlp[8:12]", Zero(Site(1, part="mlp", index=(Slice(8, 12),)))),
        ("resample:L1H2<1,0,1,0,1", Resample(Site(1, head=2), source=STATE)),
        ("patch:L2.resid@newB<1,0,1,0,1", Patch(Site(2, part="resid"), NEW_B, source=STATE)),
        ("scale:L1H2~2.5", Scale(Site(1, head=2), amount=2.5)),
        ("scale:L1H2~-1", Scale(Site(1, head=2), amount=-1.0)),
        ("scale:L1H2~0", Scale(Site(1, head=2), amount=0.0)),
        (
            "steer:L2.resid~1<1,0,1,0,1>0,0,0,0,0",
            Steer(Site(2, part="resid"), amount=1.0, source=STATE, minus=(0,) * 5),
        ),
        ("flip:L0.mlp.W_in[12,40]", Flip(Site(0, part="mlp.W_in").at(12, 40))),
        ("nuke:L0.mlp.W_in[12,:]", Nuke(Site(0, part="mlp.W_in", index=(Slice(12, 13), Slice())))),
        ("flip:L0.mlp.W_in~5%#7", Flip(Site(0, part="mlp.W_in"), share=5.0, seed=7)),
        ("noise:L1H2.W_Q[3,5]~0.5#7", Noise(Site(1, 2, "W_Q").at(3, 5), amount=0.5, seed=7)),
        (
            "nuke:read_head.linear.bias@>newB",
            Nuke(Site(part="read_head.linear.bias"), Span(*[Anchor("newB", True)] * 2)),
        ),
        ("force:newB=1", Force("newB", "1")),
        ("force:newB=!", Force("newB", "!")),
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
        (
            "burn:L1",
            "expected kind zero, mean, resample, scale, steer, patch, flip, nuke, noise, force, got 'burn'",
        ),
        ("zero:L1H", "at column 8"),
        ("zero:L1.", "'.' at column 8"),
        ("zero:L0.h[", "KIND:SITE"),
        ("zero:L0.h[]", "KIND:SITE"),
        ("zero:L0.h[1,]", "KIND:SITE"),
        ("zero:L0.h[-1]", "'-1]' at column 11"),
        ("zero:L1H2@", "@NAME..NAME"),
        ("zero:L1@..", "@NAME..NAME"),
        ("zero:L1H2@A@B", "'@B' at column 12"),
        ("zero:L123456", "KIND:SITE"),
        ("scale:L1H2", "expected an amount, ~2.5, got no amount"),
        ("scale:L1H2~", "KIND:SITE"),
        ("scale:L1H2~two", "'two' at column 12"),
        ("scale:L1H2~5%", "got no amount, share"),
        ("scale:L1H2~1e9", "a number from -1e+06 to 1e+06, got 1e+09"),
        ("scale:L1H2~1e999", "got inf"),
        ("zero:L1H2~2", "expected none, got amount"),
        ("zero:L1H2#3", "expected none, got seed"),
        ("zero:L1H2<1,0", "expected none, got source"),
        ("zero:L1H2<1,0>0,1", "expected none, got minus, source"),
        ("patch:L1H2", "expected a state, <1,0,1, got no source"),
        ("patch:L1H2<", "KIND:SITE"),
        ("patch:L1H2<1,x", "',x' at column 13"),
        ("steer:L1H2~1<1,0", "got no minus"),
        ("flip:W_E~101%", "invalid share for flip: expected a number above 0, up to 100, got 101%"),
        ("flip:W_E~0%", "got 0%"),
        ("flip:W_E~-5%", "got -5%"),
        ("flip:W_E~5", "got amount"),
        ("noise:W_E", "an amount, ~2.5 and perhaps a seed, #7, got no amount"),
        ("noise:W_E~0", "a number above 0, up to 1e+06, got 0"),
        ("noise:W_E~-1", "got -1"),
        ("noise:W_E~5%", "got no amount, share"),
        ("noise:W_E~1#x", "#x: not a seed"),
        ("noise:W_E~1#9007199254740992", "not a seed"),
        ("force:newB", "an output and its value, 0, 1 or !, got newB"),
        ("force:newB=2", "'2' at column 12"),
        ("force:newB=1@newC", "nothing behind the value"),
        ("force:newB=1~2", "nothing behind the value"),
        ("zero:newB=1", "expected a site, got newB=1"),
    ],
)
def test_what_is_malformed_is_explained(text, said):
    with pytest.raises(RequestError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_all_that_is_malformed_is_told_at_once():
    with pytest.raises(RequestError) as caught:
        parse_all("zero:L1H2;burn:L1;zero:X[;flip:W_E~500%")
    assert len(caught.value.faults) == 3
    with pytest.raises(RequestError, match="at most 100, got 101 interventions"):
        parse_all(";".join(["zero:L0"] * 101))
    assert len(parse_all(";".join(["zero:L0"] * 100))) == 100


@pytest.mark.parametrize(
    "text",
    ["zero:L1H2;flip:W_E;", "zero:L1H2 ; flip:W_E", "; zero:L1H2;\n;flip:W_E ; ", " zero:L1H2;flip:W_E"],
)
def test_spaces_around_interventions_and_a_last_semicolon_say_nothing(text):
    assert format_all(parse_all(text)) == "zero:L1H2;flip:W_E"
    assert parse_all(" ; ") == parse_all("") == ()


def test_positions_have_names_and_a_number_is_answered_with_the_one_that_is_meant(world):
    template = Template(world)
    for index in range(-template.length - 2, template.length + 3):
        with pytest.raises(RequestError) as caught:
            parse(f"zero:L0@{index}").positions.mask(template)
        said = str(caught.value)
        assert "unknown position" in said
        assert all(name in said for name in template.positions)
        meant = [name for name, at in template.positions.items() if at == index % template.length]
        if meant and -template.length <= index < template.length:
            assert f"write @{meant[0]}." in said
        write = said.split("rite @")[1].split(".", maxsplit=1)[0].split(",", maxsplit=1)[0]
        assert parse(f"zero:L0@{write}").positions.mask(template).sum() == 1


@pytest.mark.parametrize(
    "positions", ["@3:5", "@[3]", "@", "@newB+1", "@1.5", "@newB...", "@..", "@-", "@newA-newC", "@ newB"]
)
def test_positions_of_another_form_are_answered_with_their_form(positions):
    with pytest.raises(RequestError, match=r"expected @NAME, @NAME\.\.NAME.*Positions have names"):
        parse(f"zero:L0H1{positions}")


@pytest.mark.parametrize("text", ["", "L1H2@newB", "L1[", "W_E~5%", "newB=1", "L01", "memory<1,0"])
def test_what_is_no_site(text):
    with pytest.raises(RequestError):
        parse_site(text)


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
