"""What page World shows of a text of rules: its faults or its world, what depends on what, all states."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from api import state_table
from playground.boolean.expressions import OPERATORS
from playground.errors import Fault, RequestError, count_of
from playground.plots import draw_dependencies
from playground.worlds import Balance, Structure, World, parse_world, structure_of

_parse = lru_cache(maxsize=64)(parse_world)
_structure_of = lru_cache(maxsize=64)(structure_of)
_draw = lru_cache(maxsize=64)(draw_dependencies)


def check(text: str) -> dict[str, Any]:
    """Return what is wrong with rules, each fault at its place, and their world if nothing is."""
    faults = faults_of(text)
    return {
        "faults": [_fault_data(fault) for fault in faults],
        "said": f"{count_of(len(faults), 'fault')}." if faults else "No faults.",
        "words": [*OPERATORS, "NOT", "inputs"],
        "world": None if faults else world_data(_parse(text)),
    }


def faults_of(text: str) -> tuple[Fault, ...]:
    """Return what is wrong with rules."""
    try:
        _parse(text)
    except RequestError as error:
        return error.faults
    return ()


def _fault_data(fault: Fault) -> dict[str, Any]:
    at = fault.passage
    return {
        "place": {"line": at.line, "column": at.column, "length": at.length} if at else None,
        "text": f"{fault.message}: expected {fault.expected}, got {fault.got}. {fault.hint}",
    }


def world_data(world: World) -> dict[str, Any]:
    """Return the structure of a world, and its truth table."""
    return {
        "structure": structure_data(world),
        "table": state_table.state_data(world, (), board=None, editable=False, caption="The truth table"),
    }


def structure_data(world: World) -> dict[str, Any]:
    """Return the diagram of a world, facts about it, and how balanced its answers are."""
    found = _structure_of(world)
    counts = tuple(count.name for count in world.counts)
    return {
        "svg": _draw(world.inputs, world.outputs, counts, found.edges, found.noise),
        "facts": list(_facts(world, found)),
        "balances": [_balance_data(each, is_count=each.answer in counts) for each in found.balances],
    }


def _facts(world: World, found: Structure) -> Iterator[tuple[str, str]]:
    """Yield facts about a world: a number or names, and what they are."""
    yield str(len(world.inputs)), "inputs"
    yield f"{len(world.states):,}", "states"
    yield str(len(world.outputs)), "output" if len(world.outputs) == 1 else "outputs"
    if world.counts:
        yield str(len(world.counts)), "count" if len(world.counts) == 1 else "counts"
    chained = len(found.chained)
    yield (
        str(chained),
        "output depends on other outputs" if chained == 1 else "outputs depend on other outputs",
    )
    if chained:
        yield " → ".join(found.chain), "is the deepest chain of outputs"
    if found.noise:
        yield ", ".join(found.noise), "without effect"


def _balance_data(balance: Balance, *, is_count: bool) -> dict[str, Any]:
    share = balance.guessed if is_count else balance.ones
    return {
        "name": balance.answer,
        "share": share,
        "text": f"is {balance.commonest} in" if is_count else "is 1 in",
        "guessed": f"easily guessed: {balance.commonest}" if balance.is_easily_guessed else "",
    }
