"""Hooks for points whose values cover whole texts, row x token x ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from playground.models.interface.sites import Edit

Hook = tuple[str | Callable, Callable]
"""Name of a hook point, and the function that TransformerLens calls there."""


def hooks_for(
    edits: Sequence[Edit], record: Sequence[str], recorded: dict[str, Tensor], first: int = 0
) -> list[Hook]:
    """Return the hooks that make `edits` and then record the values at `record`.

    Args:
        edits: what is changed; positions beyond the end of a text are ignored.
        record: names of hook points.
        recorded: where the values are put, by name.
        first: position of the first token of the values.
    """

    def keep(name: str) -> Callable:
        def hook(value: Tensor, hook: object) -> None:
            recorded[name] = value

        return hook

    changes = ((name, _change(each, first)) for name, each in by_hook(edits).items())
    return [*changes, *((name, keep(name)) for name in record)]


def by_hook(edits: Sequence[Edit]) -> dict[str, list[Edit]]:
    """Return the edits at each hook point, in their order."""
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        found.setdefault(edit.hook, []).append(edit)
    return found


def _change(edits: Sequence[Edit], first: int) -> Callable:
    return lambda value, hook: changed_by(edits, value, range(first, first + value.shape[1]))


def changed_by(edits: Sequence[Edit], value: Tensor, at: Sequence[int]) -> Tensor:
    """Return a copy of the value at a hook point, with the edits made in order.

    Args:
        edits: all edits at that hook point.
        value: row x position x ...
        at: the positions along the second axis of `value`.
    """
    changed = value.clone()
    for edit in edits:
        inside = [column for column, position in enumerate(at) if position in edit.positions]
        if not inside:
            continue
        # Adjacent positions are changed through a slice; others are copied out and back.
        together = inside[-1] - inside[0] + 1 == len(inside)
        columns = slice(inside[0], inside[-1] + 1) if together else inside
        where = (slice(None), columns, *edit.index)
        changed[where] = edit.change(changed[where], [at[column] for column in inside])
    return changed
