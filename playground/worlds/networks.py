"""Boolean networks as worlds, and worlds as Boolean networks: files in the `.bnet` form of BoolNet and pyboolnet.

    targets, factors
    A, B & !C
    B, A | C
    C, 1

A line defines the next value of a node from the current values of the nodes. As a world, the inputs are the current
values and the output `newA` is the next value of A, so one synchronous step of the network is one answer.
BoolNet: Müssel, Hopfensitz and Kestler, Bioinformatics 26 (2010) 1378.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, count, islice, takewhile
from pathlib import Path
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput

from playground.errors import Fault, Passage, RequestError, quote
from playground.worlds.spelling import (
    SYMBOLS,
    WORDS,
    constant,
    is_blank,
    operator_word,
    replace_blank,
    symbol_at,
)
from playground.worlds.syntax import Place, locate, place_of
from playground.worlds.world import DEEPEST_NESTING, LONGEST_NAME, RESERVED, number_fault

SUFFIX = ".bnet"
HEADER = "targets, factors"
NEXT = "new"
"""Prefix of a node's name that denotes its next value."""

MOST_JOINED = 40
"""A longer chain of operands is split into parenthesised halves, so that the rules are not nested too deeply."""

MOST_FAULTS = 20
_HEADER = re.compile(r"\s*targets\s*,\s*(?:factors|functions)\s*(,.*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPELLED = {"AND": "&", "OR": "|", "NOT": "!"}
_SYMBOLS = sorted(set(SYMBOLS) - set("+*/·⋅×"), key=len, reverse=True)
"""Symbols in a name that were probably meant as operators: `~B`, but not `Ca2+`."""


@dataclass(frozen=True)
class Factor:
    """The next value of a node as an expression of the current values.

    Args:
        target: the node.
        text: the expression, in the rules language.
        reads: the names in it.
    """

    target: Place
    text: str
    reads: tuple[Place, ...]


def is_network(name: str) -> bool:
    """Return whether a file name is that of a Boolean network."""
    return name.lower().endswith(SUFFIX)


def rules_of_network(text: str) -> str:
    """Return the rules of a Boolean network as a world: one step of the network is one answer.

    The inputs are the defined nodes, in the order of their definition, then the nodes that are only read, which nothing
    changes. Each defined node has an output, named `new` plus the node's name.

    Args:
        text: the content of a `.bnet` file.

    Raises:
        RequestError: with the faults of the text, each at its line and column; if the network has fewer than two or more
            than ten nodes; for names that rules do not allow.
    """
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    factors, faults = _read(lines)
    faults += islice(_faults_of(factors), MOST_FAULTS)
    if faults:
        raise RequestError(*sorted(faults, key=lambda fault: fault.place)[:MOST_FAULTS])
    inputs = _nodes(factors)
    shrink = "Use a part of the network, or replace nodes by the constants 0 or 1."
    if fault := number_fault("node", len(inputs), "Add a node.", shrink):
        raise RequestError(fault)
    rules = [f"{NEXT}{factor.target.name} = {factor.text}" for factor in factors]
    return "\n".join([*_comments(lines), f"inputs: {', '.join(inputs)}", *rules, ""])


def _nodes(factors: Sequence[Factor]) -> tuple[str, ...]:
    read = [place for factor in factors for place in factor.reads]
    return tuple(dict.fromkeys(place.name for place in [*(factor.target for factor in factors), *read]))


def _comments(lines: Sequence[str]) -> list[str]:
    """Return the comments above the first node, which describe the file."""
    stripped = (line.strip() for line in lines)
    above = takewhile(lambda line: not line or line.startswith("#") or _HEADER.fullmatch(line), stripped)
    return [line for line in above if line.startswith("#")]


def _read(lines: Sequence[str]) -> tuple[list[Factor], list[Fault]]:
    factors: list[Factor] = []
    faults: list[Fault] = []
    begun = False
    for number, line in enumerate(lines, start=1):
        said = line.split("#", maxsplit=1)[0]
        if not said.strip():
            continue
        header = None if begun else _HEADER.fullmatch(said)
        begun = True
        if header is None:
            read = _read_line(line, number)
            (faults if isinstance(read, Fault) else factors).append(read)  # pyright: ignore[reportArgumentType]
        elif header[1]:
            hint = "A network with probabilities has no unique next state. Keep one rule for each node."
            faults.append(_fault(Passage(number, 1, len(said)), HEADER, quote(said.strip()), hint))
        if len(faults) > MOST_FAULTS:
            break
    return factors, faults


def _read_line(text: str, number: int) -> Factor | Fault:
    try:
        name, part = cast("tuple[Token, _Part]", _parser().parse(text))
    except UnexpectedInput as error:
        return _syntax_fault(text, number, error)
    if part.depth > DEEPEST_NESTING:
        rest = Passage(number, 1, len(text))
        return _fault(
            rest,
            f"at most {DEEPEST_NESTING} levels of parentheses and !",
            f"{part.depth}",
            "Reduce the nesting.",
        )
    return Factor(place_of(name, number), part.text, tuple(place_of(token, number) for token in part.reads))


@dataclass(frozen=True)
class _Part:
    """An expression in the rules language, and its outermost operator, if any."""

    text: str
    operator: str
    depth: int
    reads: tuple[Token, ...]


class _Build(Transformer):
    """Builds expressions while parsing, so that no tree has to be walked."""

    def variable(self, children: list[Token]) -> _Part:
        return _Part(str(children[0]), "", 1, (children[0],))

    def constant(self, children: list[Token]) -> _Part:
        return _Part(str(children[0]), "", 1, ())

    def group(self, children: list[_Part]) -> _Part:
        return children[0]

    def negation(self, children: list[_Part]) -> _Part:
        part = children[0]
        return _Part(f"NOT {_inside(part, 'NOT')}", "NOT", part.depth + 1, part.reads)

    def conjunction(self, children: list[_Part]) -> _Part:
        return _joined(children, "AND")

    def disjunction(self, children: list[_Part]) -> _Part:
        return _joined(children, "OR")

    def start(self, children: list) -> tuple[Token, _Part]:
        name, part = children
        return name, part


def _inside(part: _Part, operator: str) -> str:
    """Return an operand of an operator, in parentheses if it binds less tightly."""
    loosest = ("OR", "AND", "NOT", "")
    return f"({part.text})" if loosest.index(part.operator) < loosest.index(operator) else part.text


def _joined(parts: list[_Part], operator: str) -> _Part:
    if len(parts) == 1:
        return parts[0]
    texts = [_inside(part, operator) for part in parts]
    if len(parts) > MOST_JOINED:
        middle = len(parts) // 2
        parts = [_joined(parts[:middle], operator), _joined(parts[middle:], operator)]
        texts = [f"({half.text})" for half in parts]
    depth = max(part.depth for part in parts) + len(parts) - 1
    reads = tuple(token for part in parts for token in part.reads)
    return _Part(f" {operator} ".join(texts), operator, depth, reads)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("network.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Build())


def _faults_of(factors: list[Factor]) -> Iterator[Fault]:
    """Yield conflicts between lines, and faults of names."""
    defined: dict[str, Place] = {}
    for node in (factor.target for factor in factors):
        if first := defined.get(node.name):
            hint = "A node with several rules has no unique next value. Keep one of them."
            got = f"{quote(node.name)} again, defined at {first}"
            yield _fault(node.passage, "one line for each node", got, hint)
        defined.setdefault(node.name, node)
    places: dict[str, Place] = {}
    for factor in factors:
        for place in (factor.target, *factor.reads):
            places.setdefault(place.name, place)
    taken = set(places)
    for place in places.values():
        yield from _name_faults(place.name, place.passage, defined, taken)


def _name_faults(name: str, at: Passage, defined: dict[str, Place], taken: set[str]) -> Iterator[Fault]:
    """Yield the faults of a name; a suggested replacement is added to `taken`."""
    longest = LONGEST_NAME - len(NEXT) if name in defined else LONGEST_NAME
    if name not in defined and constant(name) is not None:
        yield _fault(at, "0 or 1", quote(name), f"Write {constant(name)}.")
    elif name not in defined and (word := _operator(name)):
        yield _fault(at, "a node", quote(name), _operator_hint(word))
    elif not _NAME.fullmatch(name) or name in RESERVED:
        hint = f"Rename it in the whole file, for example to {quote(_free_name(name, longest, taken))}."
        if symbol := next((each for each in _SYMBOLS if each in name), None):
            hint = _operator_hint(SYMBOLS[symbol])
        if blank := next(filter(is_blank, name), None):
            hint = replace_blank(blank)
        if "[" in name:
            hint = "The rules of a world can look back one step only."
        yield _fault(
            at,
            f"letters A to Z and a to z, digits and '_', beginning with a letter; not {', '.join(RESERVED)}",
            f"the name {quote(name)}",
            hint,
        )
    elif len(name) > longest:
        yield _fault(
            at,
            f"a name of at most {longest} characters",
            f"{quote(name)}, {len(name)} characters long",
            "Choose a shorter one.",
        )
    if name.startswith(NEXT) and name.removeprefix(NEXT) in defined:
        node = name.removeprefix(NEXT)
        yield _fault(
            at,
            "another name",
            quote(name),
            f"The next value of {node} is also named {name}. Rename one of the two nodes.",
        )


def _free_name(name: str, longest: int, taken: set[str]) -> str:
    """Return a valid name close to an invalid one, and add it to `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[: longest - len("n_99")]
    plain = plain if _NAME.fullmatch(plain) and plain not in RESERVED else f"n{plain}"
    free = next(
        each for each in chain([plain], (f"{plain}_{number}" for number in count(2))) if each not in taken
    )
    taken.add(free)
    return free


def _syntax_fault(text: str, number: int, error: UnexpectedInput) -> Fault:
    passage, got, word = locate(text, number, error)
    expected = "NAME, EXPRESSION with names, 0, 1, &, |, ! and parentheses"
    return _fault(passage, expected, got, _syntax_hint(text, passage.column, word))


def _syntax_hint(text: str, column: int, word: str) -> str:
    before = (text[: column - 1].split() or [""])[-1]
    symbol = symbol_at(text, column)
    if word and is_blank(word[0]):
        return replace_blank(word[0])
    if operator := _operator(word) or _operator(before):
        return _operator_hint(operator)
    if symbol and symbol not in _SPELLED.values():
        return _operator_hint(SYMBOLS[symbol])
    if word == "(" and _NAME.fullmatch(before):
        return f"Functions such as {before}(...) are not supported. Write them out with &, | and !."
    return f"A network is the line '{HEADER}', then one line for each node, such as: A, B & !C."


def _operator(word: str) -> str:
    """Return the operator of rules that `word` spells, in any case of letters; empty if there is none."""
    return operator_word(word) or (word if word in WORDS else "")


def _operator_hint(word: str) -> str:
    if word in _SPELLED:
        return f"For {word} write {_SPELLED[word]}."
    return f"{word} is not available. Write it with &, | and !, as in (A & !B) | (!A & B) for A XOR B."


def _fault(at: Passage, expected: str, got: str, hint: str) -> Fault:
    return Fault(
        passage=at, message="this Boolean network cannot be read", expected=expected, got=got, hint=hint
    )
