"""Parsing of rules: all lines are read, then checked against one another, and every fault is reported.

    newA = A XOR C
    newB = NOT D
    newD = A OR newB
    sum(A+C+D) - sum2(newA+newB+newD)

A rule uses inputs and outputs defined above it. Inputs are the single capital letters that the text
uses, in alphabetical order; a first line `inputs: X1, X2, X3` names and orders them instead.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from playground.errors import Fault, Passage, RequestError, count_of, quote
from playground.worlds.files import check_length, read_rules
from playground.worlds.spelling import constant, operator_word
from playground.worlds.syntax import CountsLine, CountTerm, InputsLine, Line, Place, RuleLine, read_line
from playground.worlds.world import (
    LONGEST_NAME,
    MOST_COUNTS,
    MOST_LINES,
    MOST_OUTPUTS,
    RESERVED,
    Count,
    Rule,
    World,
    number_fault,
)

MOST_FAULTS = 20

_DEFINES = re.compile(r"^\s*([A-Za-z]\w*)\s*=")


def load_world(path: Path) -> World:
    """Return the world whose rules are in the file `path`.

    Raises:
        RequestError: if there is no such file, if it is not UTF-8 text or too large, or for faults in the rules.
    """
    return parse_world(read_rules(path))


def parse_world(text: str) -> World:
    """Return the world that `text` describes.

    Raises:
        RequestError: with the faults of the text, each at its line and column; only the first ones if there are very many.
    """
    text = text.removeprefix("\ufeff")
    lines: list[Line] = []
    faults: list[Fault] = []
    unread: list[Place] = []
    for number, line in _lines_of(text):
        read = read_line(line, number)
        if isinstance(read, Fault):
            faults.append(read)
            unread += [Place(found[1], number, found.start(1) + 1) for found in _DEFINES.finditer(line)]
        else:
            lines.append(read)
    reader = _Reader(lines, unread=unread)
    faults += islice(reader.faults(), MOST_FAULTS + 1)
    faults = faults or list(reader.size_faults())
    if faults:
        raise RequestError(*_first(sorted(faults, key=lambda fault: fault.place)))
    return World(
        inputs=reader.inputs,
        rules=tuple(Rule(rule.defined.name, rule.expression) for rule in reader.rules),
        counts=tuple(
            Count(term.defined.name, tuple(place.name for place in term.reads)) for term in reader.terms
        ),
        text=text,
    )


def _lines_of(text: str) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor comments, with their numbers.

    Raises:
        RequestError: if there are far more than a world can have.
    """
    check_length(text, "")
    lines = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    said = [(number, line) for number, line in lines if line.split("#")[0].strip()]
    if len(said) > MOST_LINES:
        raise RequestError.of(
            passage=Passage(said[MOST_LINES][0], 1, 1),
            message="too many lines",
            expected=f"at most {MOST_OUTPUTS} rules, one per line",
            got=count_of(len(said), "line"),
            hint="Lines that begin with '#' are comments.",
        )
    return said


def _first(faults: list[Fault]) -> list[Fault]:
    """Return the first faults, and one that says there are more."""
    if len(faults) <= MOST_FAULTS:
        return faults
    more = Fault(
        message="too many errors; the first ones are shown",
        expected=f"at most {MOST_FAULTS}",
        got="more",
        hint="Fix these first.",
    )
    return [*faults[:MOST_FAULTS], more]


class _Reader:
    """The lines of one text, and the faults found by comparing them.

    Args:
        lines: the lines that could be read.
        unread: names defined in lines that could not be read; using them is not another fault.
    """

    def __init__(self, lines: list[Line], *, unread: list[Place]) -> None:
        self.lines = lines
        self.unread = unread
        self.rules = [line for line in lines if isinstance(line, RuleLine)]
        self.terms = [term for line in lines if isinstance(line, CountsLine) for term in line.terms]
        self.declared = next((list(line.declared) for line in lines if isinstance(line, InputsLine)), [])
        self.defined = [rule.defined for rule in self.rules] + [term.defined for term in self.terms]
        self.inputs = self._inputs()

    def _inputs(self) -> tuple[str, ...]:
        if self.declared:
            return tuple(dict.fromkeys(place.name for place in self.declared))
        named = {place.name for place in self.defined}
        used = {place.name for item in (*self.rules, *self.terms) for place in item.reads}
        return tuple(sorted(name for name in used - named if re.fullmatch("[A-Z]", name)))

    def faults(self) -> Iterator[Fault]:
        yield from self._order_of_lines()
        yield from self._names_that_cannot_be()
        yield from self._names_defined_twice()
        yield from self._names_read()

    def _order_of_lines(self) -> Iterator[Fault]:
        for index, line in enumerate(self.lines):
            if isinstance(line, InputsLine) and index > 0:
                yield Fault(
                    passage=line.declared[0].passage,
                    message="inputs may only be declared once, on the first line",
                    expected="no declaration here",
                    got=f"inputs: {line.declared[0].name}…",
                    hint="Move or remove it.",
                )
            if isinstance(line, CountsLine) and index < len(self.lines) - 1:
                yield Fault(
                    passage=line.terms[0].defined.passage,
                    message="counts must be on the last line",
                    expected="no line after the counts",
                    got="more lines",
                    hint="Move the counts to the end, all terms on one line, joined by ' - '.",
                )

    def _names_that_cannot_be(self) -> Iterator[Fault]:
        for place in self.declared + self.defined:
            if place.name in RESERVED:
                yield Fault(
                    passage=place.passage,
                    message="this name is reserved",
                    expected=f"another name than {', '.join(RESERVED)}",
                    got=quote(place.name),
                    hint="Choose another name.",
                )
            if len(place.name) > LONGEST_NAME:
                yield Fault(
                    passage=place.passage,
                    message="this name is too long",
                    expected=f"at most {LONGEST_NAME} characters",
                    got=f"{quote(place.name)}, {len(place.name):,} characters long",
                    hint="Choose a shorter name.",
                )

    def _names_defined_twice(self) -> Iterator[Fault]:
        first: dict[str, Place] = {}
        defined = sorted(self.defined + self.unread, key=lambda place: (place.line, place.column))
        for place in self.declared + defined:
            if place.name in first:
                yield Fault(
                    passage=place.passage,
                    message="this name is already defined",
                    expected="a name that is not yet taken",
                    got=f"{quote(place.name)}, defined at {first[place.name]}",
                    hint="Choose another name for one of the two.",
                )
            first.setdefault(place.name, place)

    def _names_read(self) -> Iterator[Fault]:
        above = set(self.inputs) | {place.name for place in self.unread}
        for rule in self.rules:
            unknown = [place for place in rule.reads if place.name not in above]
            towards = self._towards(rule.defined.name) if unknown else {}
            for place in unknown:
                yield self._read_fault(rule.defined, place, above, towards)
            above.add(rule.defined.name)
        for term in self.terms:
            yield from self._count_faults(term, above)

    def _read_fault(self, defined: Place, place: Place, above: set[str], towards: dict[str, str]) -> Fault:
        if place.name in {rule.defined.name for rule in self.rules}:
            circle = _circle(defined.name, place.name, towards)
            return Fault(
                passage=place.passage,
                message="circular definition" if circle else "this name is defined further down",
                expected="an input or an output defined above",
                got=f"{quote(place.name)}" + (f", in the circle {circle}" if circle else ", defined below"),
                hint="Break the circle." if circle else f"Move the rule for {place.name} up.",
            )
        return self._unknown(place, above)

    def _towards(self, output: str) -> dict[str, str]:
        """Return, for every name whose rule depends on an output, the next name on the shortest path to it."""
        reads = {rule.defined.name: {place.name for place in rule.reads} for rule in self.rules}
        towards: dict[str, str] = {}
        reached = deque([output])
        while reached:
            read = reached.popleft()
            for name, names in reads.items():
                if name not in towards and read in names:
                    towards[name] = read
                    reached.append(name)
        return towards

    def _count_faults(self, term: CountTerm, known: set[str]) -> Iterator[Fault]:
        counted: set[str] = set()
        for place in term.reads:
            if place.name in {other.defined.name for other in self.terms} - known:
                yield Fault(
                    passage=place.passage,
                    message="a count cannot include another count",
                    expected="an input or an output",
                    got=f"{quote(place.name)}, which is a count",
                    hint="List the variables themselves.",
                )
            elif place.name not in known:
                yield self._unknown(place, known)
            elif place.name in counted:
                yield Fault(
                    passage=place.passage,
                    message="this variable is counted twice",
                    expected="another variable",
                    got=f"{quote(place.name)} again",
                    hint="Remove one of the two.",
                )
            counted.add(place.name)

    def _unknown(self, place: Place, known: Collection[str]) -> Fault:
        # With thousands of names, which no sensible text has, the search would take seconds.
        close = difflib.get_close_matches(place.name, known, n=1) if len(known) <= MOST_LINES else []
        if (value := constant(place.name)) is not None:
            hint = f"For {place.name} write {value}."
        elif word := operator_word(place.name):
            hint = f"Operators are written in capitals: {word}."
        elif close:
            hint = f"Did you mean {close[0]}?"
        elif self.declared:
            hint = f"Add it to the inputs on the first line, or define it above: {place.name} = ..."
        else:
            hint = "A single capital letter is an input; to use longer names, declare them: inputs: X1, X2."
        return Fault(
            passage=place.passage,
            message="unknown name",
            expected="an input or an output defined above",
            got=f"the unknown name {quote(place.name)}",
            hint=hint,
        )

    def size_faults(self) -> Iterator[Fault]:
        if fault := number_fault("input", len(self.inputs), "Use more inputs in the rules.", "Use fewer."):
            yield fault
        if not 1 <= len(self.rules) <= MOST_OUTPUTS:
            yield Fault(
                message="wrong number of rules",
                expected=f"1 to {MOST_OUTPUTS} rules",
                got=count_of(len(self.rules), "rule"),
                hint="A rule is a line like newA = A XOR C." if not self.rules else "Leave some out.",
            )
        if len(self.terms) > MOST_COUNTS:
            yield Fault(
                message="too many counts",
                expected=f"at most {MOST_COUNTS} counts on the last line",
                got=f"{len(self.terms):,}",
                hint="Leave some out.",
            )


def _circle(defined: str, read: str, towards: dict[str, str]) -> str:
    """Return, in words, the cycle by which an output depends on itself; empty if there is none."""
    if read not in towards:
        return ""
    names = [defined]
    while read != defined:
        names.append(read)
        read = towards[read]
    if len(names) > MOST_OUTPUTS:
        names = [*names[: MOST_OUTPUTS - 1], "…", names[-1]]
    return " -> ".join([*names, defined])
