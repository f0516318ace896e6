"""`world`: a world as text, as rules or as a Boolean network."""

from __future__ import annotations

from typing import Annotated

import typer

from playground.errors import RequestError, quote
from playground.worlds import find_rules, load_world, network_of_world

RULES, NETWORK = "rules", "bnet"


def world(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="WORLD",
            help="A file of rules, a Boolean network (.bnet), or the name of a world that comes along.",
        ),
    ] = "default",
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", help="rules, or bnet for a Boolean network.")
    ] = RULES,
) -> None:
    """Print a world as rules, or as a Boolean network for BoolNet, pyboolnet and the like."""
    if form not in (RULES, NETWORK):
        raise RequestError.of(
            where="--as",
            message="unknown form",
            expected=f"{RULES} or {NETWORK}",
            got=quote(form),
            hint=f"Write --as {NETWORK} for a Boolean network.",
        )
    found = load_world(find_rules(asked))
    text = network_of_world(found) if form == NETWORK else found.text
    print(text, end="" if text.endswith("\n") else "\n")
