"""The data of page World: the faults of the rules, what depends on what, how balanced the answers are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from playground.boolean.expressions import OPERATORS
from playground.errors import Fault, count_of
from playground.plots import draw_dependencies
from playground.worlds import Balance, Structure, World, structure_of
from state.rules_editor import Draft

EARLIER = "of the last text without faults"

_structure_of = lru_cache(maxsize=64)(structure_of)
_draw = lru_cache(maxsize=64)(draw_dependencies)


def editor_data(draft: Draft, address: str | None) -> dict[str, Any]:
    """Return the data of the editor.

    Args:
        draft: the text, as far as the server knows it.
        address: of the page, if the browser has to set it.
    """
    return {
        "text": draft.text,
        "loaded": draft.loaded,
        "number": draft.number,
        "faults": [_fault_data(fault) for fault in draft.faults],
        "said": f"{count_of(len(draft.faults), 'fault')}." if draft.faults else "No faults.",
        "words": [*OPERATORS, "NOT", "inputs"],
        "address": address,
    }


def _fault_data(fault: Fault) -> dict[str, Any]:
    at = fault.passage
    return {
        "place": {"line": at.line, "column": at.column, "length": at.length} if at else None,
        "text": f"{fault.message}: expected {fault.expected}, got {fault.got}. {fault.hint}",
    }


def structure_data(world: World, *, stale: bool) -> dict[str, Any]:
    """Return the diagram of a world, facts about it, and how balanced its answers are.

    Args:
        world: the world that is shown.
        stale: whether the text has changed since.
    """
    found = _structure_of(world)
    counts = tuple(count.name for count in world.counts)
    return {
        "svg": _draw(world.inputs, world.outputs, counts, found.edges, found.noise),
        "facts": list(_facts(world, found)),
        "balances": [_balance_data(each, is_count=each.answer in counts) for each in found.balances],
        "stale": EARLIER if stale else "",
    }


def _facts(world: World, found: Structure) -> Iterator[tuple[str, str]]:
    """Yield facts about a world: a number or names, and what they are."""
    yield str(len(world.inputs)), "inputs"
    yield f"{len(world.states):,}", "states"
    yield str(len(world.outputs)), "output" if len(world.outputs) == 1 else "outputs"
    if world.counts:
        yield str(len(world.counts)), "count" if len(world.counts) == 1 else "counts"
    chained = len(found.chained)
    yield str(chained), "output depends on outputs" if chained == 1 else "outputs depend on outputs"
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
