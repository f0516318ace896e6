"""Values derived from a result, computed once although blocks are rebuilt at every click."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Derived = TypeVar("Derived")

_KEY = "derived"


def derive(compute: Callable[..., Derived], result: Any, *given: Hashable) -> Derived:
    """Return a function's value on a result, computed at the first call only.

    It is cached on the result itself, as `functools.cached_property` does, and freed with it. Results hold arrays, so
    they cannot be keys of a cache.

    Args:
        compute: a module-level function, called with the result and `given`.
        result: a frozen dataclass.
        given: all other arguments that the value depends on.
    """
    known: dict[Hashable, Derived] = vars(result).setdefault(_KEY, {})
    key = (compute, *given)
    if key not in known:
        known[key] = compute(result, *given)
    return known[key]
