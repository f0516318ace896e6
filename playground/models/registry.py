"""The architectures that there are: the built-in ones, and those that other packages offer as entry points.

A package offers one by naming, in the group `the_experiment.architectures` of its entry points, an `Architecture` or a
function that returns one. See docs/extending.md.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from loguru import logger
from typing_extensions import override

from playground.begun import ALL
from playground.models.cnn import Cnn
from playground.models.gpt2.model import Gpt2
from playground.models.interface.architecture import Architecture, TrainingDefaults
from playground.models.recurrent.mann import Mann
from playground.models.recurrent.rnn import Rnn

GROUP = "the_experiment.architectures"
BUILT_IN: tuple[Architecture, ...] = (Gpt2(), Rnn(), Cnn(), Mann())


class Registry(Mapping[str, Architecture]):
    """All architectures by name: the built-in ones first, then those of other packages.

    Other packages are imported when an architecture is first asked for, not before: they need `playground.models`
    themselves.
    """

    def __init__(self) -> None:
        self._known: dict[str, Architecture] = {}
        # Reentrant: a package may ask for the architectures while it is imported, and gets those known so far.
        self._lock = threading.RLock()

    @override
    def __getitem__(self, name: str) -> Architecture:
        return self._all()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    @override
    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Architecture]:
        with self._lock:
            if not self._known:
                self._known |= {each.name: each for each in BUILT_IN}
                for entry in _offered():
                    self._add(entry)
            return self._known

    def _add(self, entry: EntryPoint) -> None:
        """Add what a package offers; if that is unusable, leave it out with a warning."""
        try:
            found = _load(entry)
            if found.name in self._known:
                raise ValueError(f"the name {found.name} is taken already")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  Whatever a package of somebody else raises.
            package = entry.dist.name if entry.dist else entry.value
            reason = " ".join(str(error).split()) or type(error).__name__
            text = "package {}: architecture {} ({}) is left out: {}"
            logger.warning(text, package, entry.name, entry.value, reason)
        else:
            self._known[found.name] = found


ARCHITECTURES: Mapping[str, Architecture] = Registry()


def _offered() -> list[EntryPoint]:
    """Return what other packages offer, by name; nothing, with a warning, if their metadata cannot be read."""
    try:
        return sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value))
    except Exception as error:  # noqa: BLE001  Whatever the metadata of somebody else's package leads to.
        logger.warning(
            "architectures of other packages are left out: their metadata cannot be read: {}", error
        )
        return []


def _load(entry: EntryPoint) -> Architecture:
    """Return the architecture that an entry point stands for.

    Raises:
        ValueError: if it is none, or does not declare what every architecture has to.
    """
    found = entry.load()
    if callable(found):
        found = found()
    if not isinstance(found, Architecture):
        raise ValueError(f"expected an Architecture, or a function that returns one, got {found!r:.80}")  # noqa: TRY004
    if not re.fullmatch(r"[a-z][a-z0-9_]*", found.name) or found.name == ALL:
        raise ValueError(
            f"expected a name of lower-case letters, digits and _ that is not {ALL}, got {found.name!r}"
        )
    if not (isinstance(found.title, str) and isinstance(found.training, TrainingDefaults)):
        raise ValueError("expected a title (str) and training (TrainingDefaults)")  # noqa: TRY004
    return found
