"""The one text form of interventions, for the command line, the app's URL, logs and generated code.

    zero:L1H2              a head, everywhere
    mean:L2.mlp@newB       what an MLP adds to the residual stream, at one token
    zero:L3@>newB..        a whole layer, from the writing of newB on
    zero:L0.h[17]          a unit of a recurrent layer
    zero:memory[0:4]       some slots of a memory

Several are joined by `;` and act in order. `str` of an intervention gives its text back.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput

from playground.errors import Fault, RequestError, quote
from playground.interventions.positions import EVERYWHERE, Anchor, Span
from playground.interventions.values import KINDS, Intervention
from playground.models import Site, Units

SEPARATOR = ";"
MOST = 100
"""So many fit into an address; more units than that are ablated as a range."""


def parse(text: str) -> Intervention:
    """Return the intervention that `text` names, such as `zero:L1H2@>newB..`.

    Whether a model has such a site and position is not asked here: see `check`.

    Raises:
        RequestError: if it is not in the text form.
    """
    kind = text.split(":", maxsplit=1)[0]
    if ":" in text and kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f"Did you mean {close[0]}?" if close else "Write it like zero:L1H2."
        raise _fault(text, f"kind {' or '.join(KINDS)}", f"{quote(kind)}", hint)
    try:
        return cast("Intervention", _parser().parse(text))
    except UnexpectedInput as error:
        column = error.column if 0 < error.column <= len(text) else len(text) + 1
        rest = text[column - 1 :]
        got = f"{quote(rest)} at column {column}" if rest else f"the end after {quote(text)}"
        expected = "KIND:SITE[@POSITIONS], as in zero:L1H2, mean:L2.mlp@newB or zero:L3@>newB.."
        hint = f"Kinds are {', '.join(KINDS)}; sites are such as L1H2, L2.mlp, L3, L0.h[17], memory[0:4]."
        raise _fault(text, expected, got, hint) from error


def parse_all(text: str) -> tuple[Intervention, ...]:
    """Return the interventions in `text`, joined by `;`; none if it is empty.

    Raises:
        RequestError: with every one that is not in the text form, or if there are too many.
    """
    parts = text.split(SEPARATOR) if text else []
    if len(parts) > MOST:
        raise _fault("", f"at most {MOST} interventions", f"{len(parts)}", "Leave some out.")
    interventions, faults = [], []
    for part in parts:
        try:
            interventions.append(parse(part.strip()))
        except RequestError as error:
            faults += error.faults
    if faults:
        raise RequestError(*faults)
    return tuple(interventions)


def format_all(interventions: Iterable[Intervention]) -> str:
    """Return the text that `parse_all` reads."""
    return SEPARATOR.join(str(intervention) for intervention in interventions)


def parse_positions(text: str) -> Span:
    """Return the positions that `text` names, such as `@>newB..`; everywhere if it is empty.

    Raises:
        RequestError: if it is not in the text form.
    """
    if text and not text.startswith("@"):
        raise _fault(text, "@NAME, @NAME..NAME, @NAME.. or @..NAME", quote(text), "Put '@' before it.")
    return parse(f"{next(iter(KINDS))}:L0{text}").positions


def _fault(text: str, expected: str, got: str, hint: str) -> RequestError:
    return RequestError(
        Fault(
            where=text.strip(),
            rule="an intervention says what is changed, where and at which tokens",
            expected=expected,
            got=got,
            hint=hint,
        )
    )


class _Build(Transformer):
    def anchor(self, children: list[Token]) -> Anchor:
        return Anchor(str(children[-1]), writing=len(children) > 1)

    def single(self, children: list[Anchor]) -> Span:
        return Span(children[0], children[0])

    def closed(self, children: list[Anchor]) -> Span:
        return Span(children[0], children[1])

    def open_end(self, children: list[Anchor]) -> Span:
        return Span(children[0], None)

    def open_start(self, children: list[Anchor]) -> Span:
        return Span(None, children[0])

    def positions(self, children: list[Span]) -> Span:
        return children[0]

    def head(self, children: list[Token]) -> Site:
        return Site(int(children[0]), head=int(children[1]))

    def layer(self, children: list[Token]) -> Site:
        return Site(int(children[0]))

    def layer_part(self, children: list) -> Site:
        return replace(children[1], layer=int(children[0]))

    def part(self, children: list) -> Site:
        name, units = children
        return Site(part=str(name), units=units)

    def unit(self, children: list[Token]) -> Units:
        return Units(int(children[0]), int(children[0]) + 1)

    def range_of_units(self, children: list[Token | None]) -> Units:
        start, _, stop = children
        return Units(None if start is None else int(start), None if stop is None else int(stop))

    def start(self, children: list) -> Intervention:
        kind, site, positions = children
        return KINDS[str(kind)](site, positions or EVERYWHERE)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("intervention.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Build(), maybe_placeholders=True)
