"""What there is of a kind, such as methods: our own, and what other packages declare as entry points."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from loguru import logger
from typing_extensions import override

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Everything of one kind by its name: our own first, then that of other packages.

    Other packages are imported when something is first asked for, not before: they import the playground themselves. One
    that cannot be used is left out with a warning, and keeps nothing else from working.

    Args:
        group: of the entry points, such as `the_experiment.methods`.
        built_in: our own.
        noun: what one is called, such as `method`.
        name_of: returns the name of one.
        check: returns what an entry point gives as one of the kind, or raises ValueError.
    """

    def __init__(
        self,
        group: str,
        built_in: Sequence[T],
        *,
        noun: str,
        name_of: Callable[[T], str],
        check: Callable[[object], T],
    ) -> None:
        self._group, self._built_in, self._noun = group, built_in, noun
        self._name_of, self._check = name_of, check
        self._known: dict[str, T] = {}
        # Reentrant: a package may look things up while it is imported, and finds what is known so far.
        self._lock = threading.RLock()

    @override
    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    @override
    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, T]:
        with self._lock:
            if not self._known:
                self._known |= {self._name_of(each): each for each in self._built_in}
                for point in self._declared():
                    self._add(point)
            return self._known

    def _declared(self) -> list[EntryPoint]:
        try:
            return sorted(entry_points(group=self._group), key=lambda each: (each.name, each.value))
        except Exception as error:  # noqa: BLE001  Whatever the metadata of another package leads to.
            logger.warning("no {} of other packages: their metadata cannot be read: {}", self._noun, error)
            return []

    def _add(self, point: EntryPoint) -> None:
        try:
            found = self._check(point.load())
            name = self._name_of(found)
            if name in self._known:
                raise ValueError(f"the name {name} is taken already")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  Whatever another package raises.
            package = point.dist.name if point.dist else point.module
            reason = " ".join(str(error).split()) or type(error).__name__
            text = "package {}: {} {} ({}) is left out: {}"
            logger.warning(text, package, self._noun, point.name, point.value, reason)
        else:
            self._known[name] = found
