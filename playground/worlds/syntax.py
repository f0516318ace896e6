"""Parsing one line of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from playground.boolean.expressions import OPERATORS, Constant, Expression, Gate, Not, Variable
from playground.errors import Fault, Passage, quote
from playground.worlds.spelling import (
    SYMBOLS,
    constant,
    describe_character,
    is_blank,
    operator_word,
    plain_form,
    replace_blank,
    symbol_at,
    word_before,
)
from playground.worlds.world import DEEPEST_NESTING

_DEFINING = re.compile(r"\s*\w+\s*(:=|==|＝|:\s*=)")
"""Other ways to write the '=' of a rule."""
_OPERAND = {"NAME", "BIT", "LPAR"}
_SPELLING = {
    "NAME": "a name",
    "BIT": "0 or 1",
    "EQUAL": "'='",
    "LPAR": "'('",
    "RPAR": "')'",
    "PLUS": "'+'",
    "MINUS": "'-'",
    "COMMA": "','",
    "COLON": "':'",
    "INPUTS": "'inputs'",
    "$END": "the end of the line",
}


@dataclass(frozen=True)
class Place:
    """A name and its position; lines and columns count from 1."""

    name: str
    line: int
    column: int

    @property
    def passage(self) -> Passage:
        """The passage of the text that is the name."""
        return Passage(self.line, self.column, len(self.name))

    def __str__(self) -> str:
        return str(self.passage)


def place_of(token: Token, line: int = 1) -> Place:
    """Return the name in a token, with its position in the given line."""
    assert token.column is not None, "every token of a text has a column"
    return Place(str(token), line, token.column)


@dataclass(frozen=True)
class RuleLine:
    """`NAME = EXPRESSION`."""

    defined: Place
    expression: Expression
    reads: tuple[Place, ...]


@dataclass(frozen=True)
class CountTerm:
    """`NAME(NAME+NAME+...)`, one term of the counts line."""

    defined: Place
    reads: tuple[Place, ...]


@dataclass(frozen=True)
class CountsLine:
    """The terms of the last line."""

    terms: tuple[CountTerm, ...]


@dataclass(frozen=True)
class InputsLine:
    """`inputs: NAME, NAME, ...`."""

    declared: tuple[Place, ...]


Line = RuleLine | CountsLine | InputsLine


def read_line(text: str, number: int) -> Line | Fault:
    """Parse line `number` (from 1) of a rules text; return the line or its first fault."""
    try:
        line, depth = cast("tuple[Line, int]", _parser().parse(text))
    except UnexpectedInput as error:
        return _syntax_fault(text, number, error)
    if depth > DEEPEST_NESTING:
        return Fault(
            passage=Passage(number, 1, len(text)),
            message="this expression is nested too deeply",
            expected=f"at most {DEEPEST_NESTING} levels",
            got=f"{depth}",
            hint="Define a part of it as an output above.",
        )
    return _numbered(line, number)


def _numbered(line: Line, number: int) -> Line:
    """Set the line number of every place, because the parser sees only one line at a time."""

    def moved(places: tuple[Place, ...]) -> tuple[Place, ...]:
        return tuple(Place(place.name, number, place.column) for place in places)

    match line:
        case RuleLine(defined, expression, reads):
            return RuleLine(moved((defined,))[0], expression, moved(reads))
        case CountsLine(terms):
            return CountsLine(tuple(CountTerm(moved((t.defined,))[0], moved(t.reads)) for t in terms))
        case InputsLine(declared):
            return InputsLine(moved(declared))


@dataclass(frozen=True)
class _Part:
    expression: Expression
    depth: int
    reads: tuple[Place, ...]


class _Build(Transformer):
    """Builds expressions while parsing, so that no tree has to be walked: the depth is known before any recursion."""

    def variable(self, children: list) -> _Part:
        place = place_of(children[0])
        return _Part(Variable(place.name), 1, (place,))

    def constant(self, children: list) -> _Part:
        return _Part(Constant(int(children[0])), 1, ())

    def group(self, children: list) -> _Part:
        return children[0]

    def negation(self, children: list) -> _Part:
        _, operand = children
        return _Part(Not(operand.expression), operand.depth + 1, operand.reads)

    def gate(self, children: list) -> _Part:
        left, operator, right = children
        gate = Gate(str(operator), left.expression, right.expression)
        return _Part(gate, max(left.depth, right.depth) + 1, left.reads + right.reads)

    def rule(self, children: list) -> tuple[Line, int]:
        name, part = children
        return RuleLine(place_of(name), part.expression, part.reads), part.depth

    def count(self, children: list) -> CountTerm:
        name, *reads = children
        return CountTerm(place_of(name), tuple(place_of(token) for token in reads))

    def counts(self, children: list) -> tuple[Line, int]:
        return CountsLine(tuple(children)), 1

    def declaration(self, children: list) -> tuple[Line, int]:
        return InputsLine(tuple(place_of(token) for token in children)), 1

    def start(self, children: list) -> tuple[Line, int]:
        return children[0]


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("rules.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Build())


def _syntax_fault(text: str, number: int, error: UnexpectedInput) -> Fault:
    passage, got, word = locate(text, number, error)
    is_token = isinstance(error, UnexpectedToken)
    follow = error.accepts or error.expected if is_token else cast("UnexpectedCharacters", error).allowed
    expected = set(follow or ())
    return Fault(
        passage=passage,
        message="this line is neither a rule (NAME = EXPRESSION) nor counts (NAME(NAME+NAME) - NAME(...))",
        expected=_spell(expected),
        got=got,
        hint=next(_syntax_hints(text, passage.column, word, expected)),
    )


def locate(text: str, number: int, error: UnexpectedInput) -> tuple[Passage, str, str]:
    """Return where parsing a line failed, a description of the text there, and the word itself; empty at the line's end.

    Args:
        text: the line.
        number: the line number, from 1.
        error: the error raised by the parser.
    """
    match error:
        case UnexpectedToken(token=token) if token.type == "$END":
            column = len(text.split("#", maxsplit=1)[0].rstrip()) + 1
            return Passage(number, column, 0), "the end of the line", ""
        case UnexpectedToken(token=token):
            return place_of(token, number).passage, quote(str(token)), str(token)
        case UnexpectedCharacters():
            word = text[error.column - 1]
            return Passage(number, error.column, 1), f"the character {describe_character(word)}", word
    raise error


def _spell(expected: set[str]) -> str:
    """Return the terminals that could come next, in words."""
    words = []
    if expected >= _OPERAND:
        expected = expected - _OPERAND - {"NOT"}
        words.append("a name, 0, 1, NOT or '('")
    if operators := [name for name in OPERATORS if name in expected]:
        expected = expected - set(operators)
        words.append("an operator" if len(operators) == len(OPERATORS) else " or ".join(operators))
    words += sorted(_SPELLING.get(name, name) for name in expected)
    return " or ".join(words) or "nothing"


def _syntax_hints(text: str, column: int, word: str, expected: set[str]) -> Iterator[str]:
    """Yield hints for a word or character at a column of a line, the best first.

    Args:
        text: the line.
        column: the column of the word, from 1.
        word: the word found there.
        expected: the terminals allowed there.
    """
    if len(word) == 1 and is_blank(word):
        yield replace_blank(word)
    if operator := operator_word(word):
        yield f"Operators are written in capitals: {operator}."
    if operator := operator_word(before := word_before(text, column)):
        yield f"Operators are written in capitals: {operator}, not {before}."
    yield from _hints_by_line(text, column, word, expected)
    if (value := constant(word)) is not None:
        yield f"For {word} write {value}."
    if symbol := symbol_at(text, column):
        yield f"For {symbol} write {SYMBOLS[symbol]}."
    if plain := plain_form(word):
        yield f"For {word} write {plain}."
    if not word.isascii():
        yield "Names consist of the letters A to Z and a to z, digits and '_'."
    if word.startswith("_"):
        yield "A name begins with a letter."
    yield f"Operators are NOT, {', '.join(OPERATORS)}; a comment begins with '#'."


def _hints_by_line(text: str, column: int, word: str, expected: set[str]) -> Iterator[str]:
    """Yield hints about the structure of a line, whatever the word is."""
    if (defining := _DEFINING.match(text)) and column <= defining.end():
        yield "Write a single '=' between a name and its expression."
    if word == "=" and "INPUTS" in expected:
        yield "Write the name that the rule defines before '='."
    if "MINUS" in expected and expected <= {"MINUS", "$END"}:
        yield "Counts are joined by ' - ', as in sum(A+B) - total(A+newC)."
    if expected == {"PLUS", "RPAR"}:
        yield "A count lists names, joined by '+'."
