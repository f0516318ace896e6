"""For other notations and invisible characters, the message says what to write instead."""

from __future__ import annotations

import re
import unicodedata

import pytest

from playground.errors import RequestError
from playground.worlds import parse_world
from playground.worlds.spelling import SYMBOLS

BETWEEN = {
    "AND": "& && ∧ ⋀ * · ＆ and And aND",
    "OR": "| || ∨ ⋁ + ｜ or Or",
    "XOR": "^ ⊕ ⊻ != ≠ xor Xor",
    "XNOR": "== <-> <=> ↔ ⇔ ≡ xnor",
    "IMPLIES": "-> => → ⇒ implies",
    "NAND": "↑ ⊼ nand",
    "NOR": "↓ ⊽ nor Nor",
}
BLANKS = "\u00a0\u2007\u202f\u2003\u3000\u1680\u200b\u200c\u200d\u200e\u202e\u2060\ufeff\u00ad\u2028\u2029\x0b\x0c\x1c\x85\x00\x7f"


def said(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        parse_world(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("operator", "written"),
    [(operator, each) for operator, all_of in BETWEEN.items() for each in all_of.split()],
)
@pytest.mark.parametrize(
    "form", ["newA = A {} C", "newA = (A OR B) {} C", "newA = NOT A {} NOT C", "x = 1 {} A\ny = A AND B"]
)
def test_an_operator_of_another_notation_is_answered_with_the_one_of_rules(operator, written, form):
    answer = said(form.format(written))
    hint = rf"(For \S+ write {operator}\.|in capitals: {operator}\.)$"
    assert re.search(hint, answer.splitlines()[0])


@pytest.mark.parametrize("written", ["not ", "Not ", "¬", "~", "!", "！", "~ ", "! "])
@pytest.mark.parametrize(
    "form", ["newB = {}D", "newB = A AND {}D", "newB = ({}D OR A)", "newB = NOT {}D", "newB = {}(D OR A)"]
)
def test_a_negation_of_another_notation_is_answered_with_not(written, form):
    assert re.search(
        r"(For \S write NOT|in capitals: NOT(, not \w+)?)\.$", said(form.format(written)).splitlines()[0]
    )


@pytest.mark.parametrize(
    ("word", "value"),
    [("True", 1), ("true", 1), ("TRUE", 1), ("False", 0), ("false", 0), ("FALSE", 0), ("tRUE", 1)],
)
@pytest.mark.parametrize(
    "form",
    ["newA = {} AND B", "newA = A OR {}", "inputs: A, B\nnewA = NOT ({} XOR A)", "newA = A AND B\nn(A+{})"],
)
def test_a_word_for_true_or_false_is_answered_with_a_digit(word, value, form):
    answer = said(form.format(word))
    assert answer.endswith(f"For {word} write {value}.")
    assert "input" not in answer.split("write")[-1]
    assert parse_world("inputs: A, B\nx = A AND 1 OR B AND 0").outputs == ("x",)


def test_capital_letters_are_inputs_whatever_they_stand_for_elsewhere():
    assert parse_world("x = T AND F").inputs == ("F", "T")
    assert parse_world("inputs: true, False\nx = true AND False").inputs == ("true", "False")


@pytest.mark.parametrize("character", BLANKS)
@pytest.mark.parametrize(
    "form",
    ["newA = A{}AND B", "newA = A {}AND B", "newA ={} A AND B", "new{}A = A AND B", "newA = A AND B{}"],
)
def test_a_character_that_cannot_be_seen_is_named(character, form):
    answer = said(form.format(character))
    name = unicodedata.name(character, "")
    column = form.index("{") + 1
    assert answer.startswith(f"line 1, column {column}: ")
    assert f"U+{ord(character):04X}{' ' if name else ''}{name}" in answer
    assert re.search(r"(Replace .+ with a plain space|Remove the invisible character .+)\.$", answer)
    assert answer.isprintable()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("newA = Ａ AND B", "For Ａ write A."),
        ("newA = A AND （B OR C)", "For （ write (."),
        ("newA ＝ A AND B", "Write a single '=' between"),
        ("newA := A AND B", "Write a single '=' between"),
        ("newA == A AND B", "Write a single '=' between"),
        ("newA = А AND B", "'А', U+0410 CYRILLIC CAPITAL LETTER A"),
        ("newA = A – B", "U+2013 EN DASH"),
        ("newA = “A” AND B", "U+201C LEFT DOUBLE QUOTATION MARK"),
        ("newA = A AND nand", "Operators are written in capitals: NAND."),
        ("newA = A AND not", "Operators are written in capitals: NOT."),
        ("newA = ⊤ AND A", "For ⊤ write 1."),
        ("newA = A OR NOT ⊥", "For ⊥ write 0."),
        ("= A AND C", "Write the name that the rule defines before '='."),
        ("newA = A AND C\nsum(A+C) + all(A+newA)", "Counts are joined by ' - '"),
        ("newA = A AND C\nsum(A+C) − all(A+newA)", "Counts are joined by ' - '"),
        ("newA = A AND C\nsum(A+C), all(A+newA)", "Counts are joined by ' - '"),
        ("newA = A AND C\nsum(A, C)", "names, joined by '+'"),
        ("newA = A AND C\nsum(A AND C)", "names, joined by '+'"),
    ],
)
def test_other_things_that_are_written_elsewhere(text, hint):
    assert hint in said(text)


def test_no_symbol_is_part_of_the_language():
    for symbol in SYMBOLS:
        with pytest.raises(RequestError):
            parse_world(f"newA = A {symbol} B")
