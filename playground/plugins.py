"""Registries of one kind of thing, such as methods: built-in, and declared by other packages as entry points."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from loguru import logger
from typing_extensions import override

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Everything of one kind by name: the built-in ones first, then those of other packages.

    Other packages are imported only on first use, because they import the playground themselves. A package
    that cannot be used is left out with a warning; everything else keeps working.

    Args:
        group: the group of the entry points, such as `the_experiment.methods`.
        built_in: those of the playground itself.
        noun: the word for one of them, such as `method`.
        name_of: returns the name of one of them.
        check: returns the object that an entry point gives if it is of this kind; otherwise raises ValueError.
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
        # Reentrant: a package may look things up while it is being imported, and finds what is known so far.
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
        except Exception as error:  # noqa: BLE001  Metadata of another package may raise anything.
            logger.warning(
                "cannot look for a {} in other packages: their metadata cannot be read: {}", self._noun, error
            )
            return []

    def _add(self, point: EntryPoint) -> None:
        try:
            found = self._check(point.load())
            name = self._name_of(found)
            if name in self._known:
                raise ValueError(f"the name {name} is taken already")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  Another package may raise anything.
            package = point.dist.name if point.dist else point.module
            reason = " ".join(str(error).split()) or type(error).__name__
            text = "package {}: {} {} ({}) is left out: {}"
            logger.warning(text, package, self._noun, point.name, point.value, reason)
        else:
            self._known[name] = found
