"""All architectures: the built-in ones and those of other packages.

A package offers one through an entry point in the group `the_experiment.architectures` that names an `Architecture` or
a function that returns one. See docs/extending.md.
"""

from __future__ import annotations

import re

from playground.begun import ALL
from playground.models.cnn import Cnn
from playground.models.gpt2.model import Gpt2
from playground.models.interface.architecture import Architecture, TrainingDefaults
from playground.models.recurrent.mann import Mann
from playground.models.recurrent.rnn import Rnn
from playground.plugins import Registry

GROUP = "the_experiment.architectures"
BUILT_IN: tuple[Architecture, ...] = (Gpt2(), Rnn(), Cnn(), Mann())


def _check(found: object) -> Architecture:
    """Return the architecture that an entry point names.

    Raises:
        ValueError: if it is no architecture, or lacks a required declaration.
    """
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


ARCHITECTURES: Registry[Architecture] = Registry(
    GROUP, BUILT_IN, noun="architecture", name_of=lambda each: each.name, check=_check
)
