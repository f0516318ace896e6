"""Rules text -> World, and every fault of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import RequestError
from playground.worlds import load_world, parse_world

PYTHON = {
    "NOT": lambda a: not a,
    "AND": lambda a, b: a and b,
    "NAND": lambda a, b: not (a and b),
    "XOR": lambda a, b: a != b,
    "XNOR": lambda a, b: a == b,
    "OR": lambda a, b: a or b,
    "NOR": lambda a, b: not (a or b),
    "IMPLIES": lambda a, b: not a or b,
}


def faults(text: str) -> list[str]:
    with pytest.raises(RequestError) as caught:
        parse_world(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("operator", [name for name in PYTHON if name != "NOT"])
def test_every_operator_has_its_truth_table(operator):
    world = parse_world(f"out = A {operator} B")
    for state in world.states:
        assert world.evaluate(state)["out"] == int(PYTHON[operator](*map(bool, state)))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("NOT A AND B", "(NOT A) AND B"),
        ("A AND B XOR C", "(A AND B) XOR C"),
        ("A XOR B OR C", "(A XOR B) OR C"),
        ("A OR B IMPLIES C", "(A OR B) IMPLIES C"),
        ("A IMPLIES B IMPLIES C", "A IMPLIES (B IMPLIES C)"),
        ("A NAND B NAND C", "(A NAND B) NAND C"),
        ("A NOR B NOR C", "(A NOR B) NOR C"),
        ("A OR NOT B AND C", "A OR ((NOT B) AND C)"),
    ],
)
def test_precedence(text, same):
    inputs = "inputs: A, B, C\n"
    assert parse_world(f"{inputs}out = {text}").rules == parse_world(f"{inputs}out = {same}").rules


EXPRESSIONS = st.recursive(
    st.sampled_from(["A", "B", "C", "0", "1"]),
    lambda inner: st.one_of(
        st.tuples(st.just("NOT"), inner),
        st.tuples(st.sampled_from([name for name in PYTHON if name != "NOT"]), inner, inner),
    ),
    max_leaves=12,
)


def write(tree) -> str:
    match tree:
        case ("NOT", operand):
            return f"NOT ({write(operand)})"
        case (operator, left, right):
            return f"({write(left)}) {operator} ({write(right)})"
        case name:
            return name


def compute(tree, values) -> bool:
    match tree:
        case ("NOT", operand):
            return not compute(operand, values)
        case (operator, left, right):
            return bool(PYTHON[operator](compute(left, values), compute(right, values)))
        case "0" | "1":
            return tree == "1"
        case name:
            return bool(values[name])


@given(EXPRESSIONS)
@settings(max_examples=200, deadline=None)
def test_any_expression_means_what_python_computes(tree):
    world = parse_world(f"inputs: A, B, C\nout = {write(tree)}")
    for state, row in zip(world.states, world.truth_table, strict=True):
        expected = int(compute(tree, dict(zip("ABC", state, strict=True))))
        assert world.evaluate(state)["out"] == expected == row[0]


def test_all_faults_are_told_at_once_with_line_and_column():
    found = faults("newA = A XOR\nnewB = NOT foo\nnewB = B\nnewC = newD OR A\nnewD = newC AND B")
    assert [line.split(":")[0] for line in found] == [
        "line 1, column 13",
        "line 2, column 12",
        "line 3, column 1",
        "line 4, column 8",
    ]
    assert "the end of the line" in found[0]
    assert "unknown name 'foo'" in found[1]
    assert "'newB', defined at line 2, column 1" in found[2]
    assert "newC -> newD -> newC" in found[3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 rules"),
        ("out = A", "1 input"),
        ("out = A and B", "AND"),
        ("out = A AND B\nout = A OR B", "line 2, column 1"),
        ("a = b AND A\nb = A OR B", "defined below"),
        ("a = a AND A OR B", "a -> a"),
        ("__class__ = A AND B", "begins with a letter"),
        ("ä = A AND B", "letters A to Z"),
        ("a = (A AND B", "')'"),
        ("a = A AND B)", "got ')'"),
        ("a = A B", "an operator"),
        ("NOT = A AND B", "this name is reserved"),
        ("inputs: AND, OR\nx = AND AND OR", "this name is reserved"),
        ("a = A AND 2", "'2'"),
        ("a = A AND B\nn(A+B)\nb = A", "last line"),
        ("a = A AND B\nn(A+A)", "'A' again"),
        ("a = A AND B\nn(A+m) - m(A)", "is a count"),
        ("a = A AND B\nA = B OR a", "circular definition"),
        ("inputs: X, X\na = X AND X", "'X'"),
        ("a = A AND B\ninputs: A, B", "first line"),
        ("inputs: X, Y\na = X AND A", "unknown name 'A'"),
        ("new = A AND B\nb = nev OR A", "Did you mean new?"),
        ("\n".join(f"x{i} = A AND B" for i in range(11)), "11 rules"),
        (
            "inputs: " + ", ".join(f"X{i}" for i in range(30)) + "\na = X1 AND X2",
            "30 inputs, that is 2^30 = 1,073,741,824",
        ),
        ("a = A AND B\n" + " - ".join(f"n{i}(A)" for i in range(101)), "at most 100 counts"),
        (f"a = A AND {'b' * 50}", "unknown name"),
        (f"{'b' * 41} = A AND B", "at most 40 characters"),
        ("end = A AND B", "this name is reserved"),
        ("x" * 20_001, "at most 20,000 characters"),
        ("\n".join(f"x{i} = A" for i in range(101)), "line 101, column 1"),
        ("a = " + "NOT " * 2400 + "A", "100 levels"),
    ],
)
def test_every_fault_is_explained(text, said):
    assert said in "\n".join(faults(text))


def test_of_many_faults_the_first_are_told():
    found = faults("\n".join(f"x{i} = y{i}" for i in range(60)))
    assert [line.split(",")[0] for line in found[:-1]] == [f"line {number}" for number in range(1, 21)]
    assert "at most 20, got more" in found[-1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a = A AND B".encode("utf-16"), "not UTF-8"),
        (b"", "0 rules"),
        (b"#" * 1_000_001, "more than 1,000,000 bytes"),
        (None, "Is a directory"),
        (b"\xef\xbb\xbfa = A AND B\r\nb = A AND\r\n", "line 2, column 10"),
    ],
)
def test_files_that_hold_no_world_are_explained(tmp_path, content, said):
    path = tmp_path / "my.rules"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=said):
        load_world(path)


def test_a_file_with_windows_line_ends_and_a_byte_order_mark(tmp_path):
    (tmp_path / "my.rules").write_bytes(b"\xef\xbb\xbfa = A AND B\r\nn(A+a)\r\n")
    assert load_world(tmp_path / "my.rules").answers == ("a", "n")


def test_a_long_text_is_answered_at_once():
    started = time.process_time()
    faults("a = " + "(" * 9_990)
    world = parse_world("a = " + " XOR ".join(["A", "B"] * 45))
    assert world.evaluate((1, 0))["a"] == 1
    assert time.process_time() - started < 5, "a hang, not a matter of speed"


def test_comments_windows_line_ends_and_blank_lines():
    world = parse_world("\ufeff# a world\r\n\r\nout = A AND B # both\r\nn(A+B)\r\n")
    assert world.inputs == ("A", "B")
    assert world.answers == ("out", "n")


def test_declared_inputs_keep_their_order_and_may_matter_to_nothing():
    world = parse_world("inputs: Zed, A1, noise\nout = A1 XOR Zed")
    assert world.inputs == ("Zed", "A1", "noise")
    assert world.evaluate((1, 0, 1)) == world.evaluate((1, 0, 0)) == {"out": 1}


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("newA = A XOR\r\nout = B", ["1:13 ''"]),
        ("# é\n  newA = foo AND bar # c", ["2:10 'foo'", "2:18 'bar'"]),
        ("newA = A and B", ["1:10 'and'"]),
        ("newA = A ü B", ["1:10 'ü'"]),
        ("newA = A\rnewA = B", ["2:1 'newA'"]),
        ("inputs: X1, X2\n\nnewA = X1 X2", ["3:11 'X2'"]),
        ("inputs: A\n__class__ = A", ["2:1 '_'"]),
        ("a = (A OR b)\nsum(A+A+foo)", ["1:11 'b'", "2:7 'A'", "2:9 'foo'"]),
        ("out = 0", [""]),
    ],
)
def test_a_fault_says_what_of_the_text_it_marks(text, marked):
    with pytest.raises(RequestError) as caught:
        parse_world(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = []
    for fault in caught.value.faults:
        if (at := fault.passage) is None:
            found.append(fault.where)
            continue
        assert fault.where == f"line {at.line}, column {at.column}"
        found.append(f"{at.line}:{at.column} {lines[at.line - 1][at.column - 1 :][: at.length]!r}")
    assert found == marked
