"""The one text form of interventions, for the command line, the app's URL, logs and generated code.

    zero:L1H2                          a head, everywhere
    mean:L2.mlp@newB                   what an MLP adds to the residual stream, at one token
    zero:L3@>newB..                    a whole layer, from the writing of newB on
    scale:L0.h[17]~2.5                 a unit of a recurrent layer
    patch:L2.resid@newB<1,0,1,0,1      an activation from another state's run
    flip:L0.mlp.W_in[12,40]            a weight
    nuke:L1H2.W_O~5%#7                 a random share of a matrix
    force:newB=!                       a token

Several are joined by `;` and act in order. `str` of an intervention returns its text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from playground.errors import RequestError, quote
from playground.interventions.kinds.base.intervention import Intervention, SiteIntervention, example_of
from playground.interventions.kinds.base.written import TokenIntervention
from playground.interventions.positions import EVERYWHERE, Anchor, Span
from playground.interventions.registry import ALL_KINDS
from playground.limits import SEPARATOR, check_number
from playground.models import Site, Slice
from playground.seeds import read_seed
from playground.worlds import State

FORM = "KIND:SITE[~AMOUNT][#SEED][@POSITIONS][<STATE[>STATE]]"
EXAMPLES = "zero:L1H2, mean:L2.mlp@NAME, flip:L0.mlp.W_in[12,40], force:OUTPUT=!"


def parse(text: str) -> Intervention:
    """Return the intervention that `text` names, such as `zero:L1H2@>newB..`.

    Whether a model has that site and position is up to `check`.

    Raises:
        RequestError: if it is not in the text form.
    """
    kind, kinds = text.split(":", maxsplit=1)[0], ALL_KINDS
    if ":" in text and kind not in kinds:
        close = difflib.get_close_matches(kind, kinds, n=1)
        hint = f"Did you mean {close[0]}?" if close else "Write it like zero:L1H2."
        raise _fault(text, f"kind {', '.join(kinds)}", f"{quote(kind)}", hint)
    try:
        return cast("Intervention", _parser().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, RequestError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        column = error.column if 0 < error.column <= len(text) else len(text) + 1
        rest = text[column - 1 :]
        got = f"{quote(rest)} at column {column}" if rest else f"the end after {quote(text)}"
        if "@" in text[: column + 1]:
            hint = "Positions have names: @NAME is where NAME stands, @>NAME where it is written, @NAME.. all from there on."
            raise _fault(text, "@NAME, @NAME..NAME, @NAME.. or @..NAME", got, hint) from error
        hint = f"Kinds are {', '.join(kinds)}; sites are such as L1H2, L2.mlp, L0.h[17], memory[0:4], L0.mlp.W_in."
        raise _fault(text, f"{FORM}, as in {EXAMPLES}", got, hint) from error


def split_interventions(text: str) -> list[str]:
    """Return the texts that are joined by `;`; spaces around them and empty texts are ignored."""
    return [part.strip() for part in text.split(SEPARATOR) if part.strip()]


def parse_all(text: str) -> tuple[Intervention, ...]:
    """Return the interventions in `text`, joined by `;`; none if it is empty.

    Raises:
        RequestError: listing every one that is not in the text form, or if there are too many.
    """
    check_number([text])
    parts = split_interventions(text)
    interventions, faults = [], []
    for part in parts:
        try:
            interventions.append(parse(part))
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
    return parse(f"zero:L0{text}").positions


def parse_site(text: str) -> Site:
    """Return the part of a model that `text` names, such as `L0.mlp.W_in[12,40]`.

    Raises:
        RequestError: if it is not in the text form.
    """
    intervention = parse(f"zero:{text}")
    if not isinstance(intervention, SiteIntervention) or str(intervention.site) != text:
        raise _fault(text, "a site, as in L1H2, L2.mlp[3:8] or W_E[0,:]", quote(text), "Leave out all else.")
    return intervention.site


def _fault(text: str, expected: str, got: str, hint: str) -> RequestError:
    return RequestError.of(
        where=text.strip(),
        message="this is not an intervention",
        expected=expected,
        got=got,
        hint=hint,
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

    def one(self, children: list[Token]) -> Slice:
        return Slice(int(children[0]), int(children[0]) + 1)

    def several(self, children: list[Token | None]) -> Slice:
        start, _, stop = children
        return Slice(None if start is None else int(start), None if stop is None else int(stop))

    def index(self, children: list[Slice]) -> tuple[Slice, ...]:
        return tuple(children)

    def site(self, children: list) -> Site:
        path, index = children
        return _site(str(path), index or ())

    def output(self, children: list[Token]) -> tuple[str, str]:
        return str(children[0]), str(children[1])

    def amount(self, children: list[Token | None]) -> dict[str, float]:
        number, percent = children
        return {"share" if percent else "amount": float(number or 0)}

    def seed(self, children: list[Token]) -> dict[str, int]:
        return {"seed": read_seed(str(children[0]), f"#{children[0]}")}

    def states(self, children: list[Token | None]) -> dict[str, State]:
        source, _, minus = children
        named = {"source": source, "minus": minus}
        return {name: tuple(map(int, text.split(","))) for name, text in named.items() if text}

    def start(self, children: list) -> Intervention:
        kind, target, amount, seed, positions, states = children
        made = ALL_KINDS[str(kind)]
        options = {**(amount or {}), **(seed or {}), **(states or {})}
        named = str(target) if isinstance(target, Site) else "=".join(target)
        if isinstance(target, Site) and issubclass(made, SiteIntervention):
            return made(site=target, positions=positions or EVERYWHERE, **options)
        if isinstance(target, Site) or not issubclass(made, TokenIntervention):
            raise _fault(f"{kind}:{named}", made.target, named, f"Write it like {example_of(made)}.")
        if positions or options:
            got = str(positions or next(iter(options)))
            hint = "It acts where the output is written."
            raise _fault(f"{kind}:{named}", "nothing behind the value", got, hint)
        return made(*target)


def _site(path: str, index: tuple[Slice, ...]) -> Site:
    first, _, rest = path.partition(".")
    found = re.fullmatch("L([0-9]+)(?:H([0-9]+))?", first)
    if not found:
        return Site(part=path, index=index)
    head = None if found[2] is None else int(found[2])
    return Site(int(found[1]), head, rest or None, index)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("intervention.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Build(), maybe_placeholders=True)
