"""`generate`, and the dataset that a training asks for."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from playground.errors import Fault, RequestError, count_of
from playground.files import (
    default_rules,
    folder_to_write,
    folders_to_read,
    names_in_use,
)
from playground.worlds import load_world


def generate(
    *,
    omit: str | None,
    omit_random: int | None,
    seed: int,
    world_file: Path | None,
    name: str,
    replace_shipped: bool,
) -> Path:
    """Draw a dataset and return its folder.

    Raises:
        RequestError: for a world, hold-out or name that is not right; nothing is written then.
    """
    from playground.datasets import DatasetSpec, parse_hold_out, random_hold_out
    from playground.datasets import generate as draw

    folder = folder_to_write("data", name, replace_shipped=replace_shipped)
    world = load_world(world_file or default_rules())
    if omit is not None and omit_random is not None:
        raise RequestError(
            Fault(
                rule="states to hold out are named or drawn",
                expected="one of --omit and --omit-random",
                got="both",
                hint="Leave one of them out.",
            )
        )
    held_out = ()
    if omit is not None:
        held_out = parse_hold_out(omit, world)
    elif omit_random is not None:
        held_out = random_hold_out(world, omit_random, seed)
    spec = DatasetSpec(world=world, held_out=held_out)
    draw(spec, folder)
    logger.info(
        "{}: {:,} samples to train on, {:,} to validate and {:,} to test, of {}; {} held out",
        folder,
        spec.sizes.train,
        spec.sizes.valid,
        spec.sizes.test,
        count_of(len(world.states) - len(held_out), "state"),
        len(held_out),
    )
    return folder


def find_dataset(name: str) -> Path | None:
    """Return the folder of the dataset `name`, or None if there is none yet."""
    for folder in folders_to_read("data", name):
        if folder.exists():
            if folder.name != name:
                logger.info("no data/{}: training on {}", name, folder)
            return folder
    return None


def make_shipped_dataset(name: str, *, replace_shipped: bool) -> Path:
    """Draw the default world's samples with the shipped hold-out as dataset `name`; return its folder."""
    from playground.datasets import SHIPPED_HOLD_OUT

    others = [other for other in names_in_use("data") if other != name]
    logger.warning(
        "no data/{}{}: making the shipped dataset there first, the default world with six states held out",
        name,
        f" (there are: {', '.join(others)})" if others else "",
    )
    return generate(
        omit=SHIPPED_HOLD_OUT,
        omit_random=None,
        seed=0,
        world_file=None,
        name=name,
        replace_shipped=replace_shipped,
    )
