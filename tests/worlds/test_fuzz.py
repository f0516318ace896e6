"""Ten thousand texts, few of them right: each is answered or explained, within a second."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import RequestError
from playground.worlds import World, derivations, parse_world

pytestmark = pytest.mark.slow

OPERATORS = ["AND", "NAND", "XOR", "XNOR", "OR", "NOR", "IMPLIES"]
TOKENS = [
    *OPERATORS,
    *("A", "B", "Z", "NOT", "newA", "x", "sum", "sum2", "inputs", "inputs:", "__class__", "_", "end"),
    *"012()+-=,:#",
    "and",
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
]
ODD = [
    *"\0\ufeff\r\x0b\x0c\x1c\x85\u00a0\u2028\u2029\u200b\u202e\u200f\ud800\udfff",
    *"０１ＡＮＤ١é\u0301𝐀😀\U0010ffff",
]
RIGHT = [
    "newA = A XOR C\nnewD = A OR newA\nsum(A+C) - sum2(newA+newD)\n",
    "inputs: temperature, X2, noise_level\r\nhot = X2 AND NOT noise_level # so\r\n",
    "b = A NAND (B NOR 0)\nc = ((A)) XNOR NOT NOT b\nn(A)",
    f"inputs: {', '.join(f'X{index}' for index in range(10))}\ny = X0 XOR X9\nz = y OR X3\nn(X0+y) - m(X1+X2)",
]

# A text is answered while it is typed; nothing is kept, so that the tests leave no files.
quickly = settings(
    deadline=1000,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def of(texts: int) -> settings:
    return settings(quickly, max_examples=texts)


def check(text: str) -> None:
    """A text is a world that can be used, or every fault is told in one line, at a place that there is."""
    try:
        world = parse_world(text)
    except RequestError as error:
        check_faults(text, error)
    else:
        check_world(world)


def check_faults(text: str, error: RequestError) -> None:
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    assert 0 < len(error.faults) <= 21
    for fault in error.faults:
        said = str(fault)
        assert len(said.splitlines()) == 1
        assert said.isprintable()
        assert len(said) < 2000
        if fault.where:
            found = re.fullmatch(r"line (\d+), column (\d+)", fault.where)
            assert found, fault.where
            line, column = int(found[1]), int(found[2])
            assert 1 <= line <= len(lines)
            # What is missing at the end of a line is missing behind its last character.
            assert 1 <= column <= len(lines[line - 1]) + 1


def check_world(world: World) -> None:
    table = world.truth_table
    assert 2 <= len(world.inputs) <= 10
    assert 1 <= len(world.outputs) <= 10
    assert table.shape == (2 ** len(world.inputs), len(world.answers))
    outputs = table[:, : len(world.outputs)]
    assert ((outputs == 0) | (outputs == 1)).all()
    columns = np.concatenate([np.array(world.states), table], axis=1)
    values = dict(zip((*world.inputs, *world.answers), columns.T, strict=True))
    for count in world.counts:
        assert (values[count.name] == sum(values[name] for name in count.variables)).all()
    again = parse_world(written_again(world))
    assert again == world
    assert (again.truth_table == table).all()


def written_again(world: World) -> str:
    """Write the rules as the world's expressions say them, with all parentheses."""
    rules = [f"{rule.name} = {rule.expression}" for rule in world.rules]
    counts = " - ".join(f"{count.name}({'+'.join(count.variables)})" for count in world.counts)
    return "\n".join([f"inputs: {', '.join(world.inputs)}", *rules, counts])


@given(st.text(alphabet=st.characters(), max_size=100))
@of(5000)
def test_any_characters(text):
    check(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=25), st.sampled_from(["", " "]))
@of(3150)
def test_words_of_the_language_in_any_order(tokens, between):
    check(between.join(tokens))


def right_rules(seed: int) -> str:
    """Return the text of a world as somebody may write it, with what may be left out and what need not be there."""
    drawn = Random(seed)
    inputs = drawn.sample("ABCDEFGHIJ", drawn.randint(2, 10))
    known, lines = list(inputs), ["inputs: " + ", ".join(inputs)]
    for index in range(drawn.randint(1, 6)):
        lines.append(f"out{index} = {expression(drawn, known, 5)}" + drawn.choice(["", " # so", "\t", "\n"]))
        known.append(f"out{index}")
    terms = [drawn.sample(known, drawn.randint(1, len(known))) for _ in range(drawn.randint(0, 5))]
    lines.append(" - ".join(f"n{index}({'+'.join(names)})" for index, names in enumerate(terms)))
    return drawn.choice(["\n", "\r\n", "\r"]).join(lines)


def expression(drawn: Random, known: list[str], deepest: int) -> str:
    kind = drawn.randint(0, 5) if deepest else 0
    if kind <= 1:
        return drawn.choice([*known, "0", "1"])
    inside = expression(drawn, known, deepest - 1)
    if kind == 2:
        return f"NOT {inside}"
    if kind == 3:
        return f"( {inside})"
    return f"{inside} {drawn.choice(OPERATORS)} {expression(drawn, known, deepest - 1)}"


@given(st.integers(0, 2**32))
@of(250)
def test_right_rules_are_a_world(seed):
    check_world(parse_world(right_rules(seed)))


@given(st.integers(0, 2**32))
@of(30)
def test_all_ways_to_compute_an_answer_agree_in_right_texts(seed):
    world = parse_world(right_rules(seed))
    columns = np.concatenate([np.array(world.states), world.truth_table], axis=1)
    values = dict(zip((*world.inputs, *world.answers), columns.T, strict=True))
    for answer in world.answers:
        ways = derivations(world, answer)
        for way in ways[:: max(1, len(ways) // 8)]:
            assert (way.evaluate(values) == values[answer]).all()


@st.composite
def changed(draw: st.DrawFn) -> str:
    """Return a right text with some characters taken out, put in or exchanged."""
    text = draw(st.sampled_from(RIGHT))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 3)))
        put = draw(st.sampled_from([*TOKENS, *ODD, "", text[stop : stop + 2]]))
        text = text[:start] + put + text[stop:]
    return text


@given(changed())
@of(1500)
def test_right_rules_with_something_changed(text):
    check(text)


LONG = {
    "a chain": lambda size: "a = A" + " AND B" * size,
    "a chain from the right": lambda size: "a = A" + " IMPLIES B" * size,
    "parentheses": lambda size: "a = " + "(" * size + "A" + ")" * size + " OR B",
    "parentheses that stay open": lambda size: "a = " + "(" * size,
    "negations": lambda size: "a = B OR " + "NOT " * size + "A",
    "a name": lambda size: f"{'a' * size} = A AND B",
    "a name that is read": lambda size: f"a = A AND {'b' * size}",
    "a comment": lambda size: "a = A AND B #" + "x" * size,
    "empty lines": lambda size: "\n" * size + "a = A AND B",
    "rules": lambda size: "\n".join(f"x{index} = A AND B" for index in range(size)),
    "wrong lines": lambda size: "a = \n" * size,
    "names that nobody defines": lambda size: "\n".join(f"x{index} = y{index}" for index in range(size)),
    "names much like others": lambda size: (
        "inputs: " + ", ".join(f"name{index}" for index in range(size)) + "\na = name_1 AND " * 3
    ),
    "a circle": lambda size: "\n".join(f"x{index} = x{(index + 1) % size}" for index in range(size)),
    "circles": lambda size: "\n".join(
        f"x{index} = {' OR '.join(f'x{other}' for other in range(min(size, 60)))}" for index in range(size)
    ),
    "inputs": lambda size: "inputs: " + ", ".join(f"X{index}" for index in range(size)) + "\na = X0",
    "counts": lambda size: "a = A AND B\n" + " - ".join(f"n{index}(A)" for index in range(size)),
    "a count": lambda size: "a = A AND B\nn(A" + "+A" * size + ")",
    "outputs that read all above": lambda size: "\n".join(
        f"o{index} = A" + "".join(f" XOR o{above} AND B" for above in range(index))
        for index in range(min(size, 10))
    ),
    "outputs that read the one above often": lambda size: "\n".join(
        f"o{index} = A AND B" + f" OR o{index - 1}" * (min(size, 98) if index else 0) for index in range(10)
    ),
}


@given(st.sampled_from(list(LONG)), st.one_of(st.integers(1, 130), st.integers(1, 10_000)))
@settings(quickly, max_examples=100, deadline=5000)  # Checks of types multiply the time that it takes.
def test_long_and_deep_texts(kind, size):
    check(LONG[kind](size))


@pytest.mark.parametrize("kind", list(LONG))
def test_the_longest_texts_that_are_read(kind):
    check(
        next(text for size in (10_000, 5_000, 1_000, 500, 98, 50) if len(text := LONG[kind](size)) <= 20_000)
    )
