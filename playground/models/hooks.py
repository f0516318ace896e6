"""Hooks at points that whole texts pass at once, row x token x ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from playground.models.sites import Edit

Hook = tuple[str | Callable, Callable]
"""Name of a hook point, and what TransformerLens calls there."""


def hooks_for(
    edits: Sequence[Edit], record: Sequence[str], recorded: dict[str, Tensor], first: int = 0
) -> list[Hook]:
    """Return the hooks that carry out `edits` and then keep what passes at `record`.

    Args:
        edits: what is changed; positions that a text does not have are none of its.
        record: names of hook points.
        recorded: where the values are put, by name.
        first: position of the first token that passes.
    """

    def keep(name: str) -> Callable:
        def hook(value: Tensor, hook: object) -> None:
            recorded[name] = value

        return hook

    return [*((edit.hook, _change(edit, first)) for edit in edits), *((name, keep(name)) for name in record)]


def _change(edit: Edit, first: int) -> Callable:
    def hook(value: Tensor, hook: object) -> Tensor:
        positions = [position for position in edit.positions if first <= position < first + value.shape[1]]
        columns = [position - first for position in positions]
        changed = value.clone()
        changed[:, columns] = edit.change(value[:, columns], positions)
        return changed

    return hook
