"""What follows from a result alone: computed once, though blocks are made anew at every click."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Derived = TypeVar("Derived")

_KEY = "derived"


def derive(compute: Callable[..., Derived], result: Any, *given: Hashable) -> Derived:
    """Return what a function makes of a result, from the second time on without computing it.

    It is kept with the result itself, as `functools.cached_property` does, and goes with it: results hold arrays, so they
    are no keys of a cache.

    Args:
        compute: a function of a module, which is called with the result and what is given.
        result: a frozen dataclass.
        given: all else that the outcome follows from.
    """
    known: dict[Hashable, Derived] = vars(result).setdefault(_KEY, {})
    key = (compute, *given)
    if key not in known:
        known[key] = compute(result, *given)
    return known[key]
