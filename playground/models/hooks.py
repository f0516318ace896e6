"""Hooks at points that whole texts pass at once, row x token x ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from playground.models.sites import Edit

Hook = tuple[str | Callable, Callable]
"""Name of a hook point, and what TransformerLens calls there."""


def hooks_for(edits: Sequence[Edit], record: Sequence[str], recorded: dict[str, Tensor]) -> list[Hook]:
    """Return the hooks that carry out `edits` and then keep what passes at `record`.

    Args:
        edits: what is changed; positions that a text does not have are none of its.
        record: names of hook points.
        recorded: where the values are put, by name.
    """

    def keep(name: str) -> Callable:
        def hook(value: Tensor, hook: object) -> None:
            recorded[name] = value

        return hook

    return [*((edit.hook, _change(edit)) for edit in edits), *((name, keep(name)) for name in record)]


def _change(edit: Edit) -> Callable:
    def hook(value: Tensor, hook: object) -> Tensor:
        positions = [position for position in edit.positions if position < value.shape[1]]
        changed = value.clone()
        changed[:, positions] = edit.change(value[:, positions], positions)
        return changed

    return hook
