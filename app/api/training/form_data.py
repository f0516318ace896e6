"""What the form of a training can choose from, and what its fields are by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api import state_table
from api.answers import faults_document
from api.training.form import NAME, NUMBERS, find_world, first_model
from playground.datasets import Template, default_hold_out
from playground.errors import RequestError
from playground.files import default_rules
from playground.models import ARCHITECTURES
from playground.training import TrainingOverrides, default_recipe
from playground.worlds import World, list_worlds, load_world, state_text

COUNT = 6
"""How many states are held out at random, unless somebody says how many."""


def form_data(rules: str | None) -> dict[str, Any]:
    """Return what a form can choose from, the world of a file of rules, and why that cannot be read.

    Args:
        rules: name of the file, without its ending; None for the default world.
    """
    faults, found = (), None
    try:
        found = _world_data(load_world(find_world(rules)))
    except RequestError as error:
        faults = error.faults
    return {
        "worlds": [path.stem for path in list_worlds()],
        "models": [[each.name, each.title] for each in ARCHITECTURES.values()],
        "numbers": [[name, label] for name, (label, _) in NUMBERS.items()],
        "defaults": {
            "rules": default_rules().stem,
            "name": NAME,
            "seed": "0",
            "models": first_model(),
            "count": str(COUNT),
        },
        "world": found,
        **faults_document(faults),
    }


def _world_data(world: World) -> dict[str, Any]:
    template = Template(world)
    return {
        "text": world.text,
        "table": state_table.state_data(
            world,
            (),
            board=None,
            editable=True,
            caption="All states, and which are held out of training",
        ),
        "held_out": [state_text(state) for state in default_hold_out(world)],
        "most": len(world.states) - 1,
        "usual": {name: _usual(name, template) for name in ARCHITECTURES},
    }


def _usual(architecture: str, template: Template) -> Mapping[str, Any]:
    """Return the default numbers of an architecture, as they are typed; None for heads that it does not have.

    `most_epochs` says how long it goes on if seen states are still wrong then: by default, and if it is to stop once
    all are right.
    """
    recipe = default_recipe(architecture)
    size = ARCHITECTURES[architecture].default_size(template)
    return {
        "epochs": f"{recipe.epochs:g}",
        "most_epochs": [
            f"{TrainingOverrides(until_learned=until).recipe(architecture).cap or recipe.epochs:g}"
            for until in (None, True)
        ],
        "learning_rate": f"{recipe.learning_rate:g}",
        "width": str(size.width),
        "layers": str(size.layers),
        "heads": None if ARCHITECTURES[architecture].limits.heads is None else str(size.heads),
    }
