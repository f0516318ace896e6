"""`generate`, and the dataset that a training needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from playground.cli.options import Name, Omit, OmitHardest, OmitRandom, OmitSeed, ReplaceShipped, WorldAsked
from playground.errors import RequestError, count_of, nearest
from playground.files import (
    default_rules,
    folder_to_write,
    folders_to_read,
    names_in_use,
)
from playground.seeds import read_seed
from playground.worlds import State, World, find_rules, load_world

if TYPE_CHECKING:
    from playground.datasets import DatasetSpec


@dataclass(frozen=True, kw_only=True)
class HoldOut:
    """The requested states to hold out; none if nothing was requested.

    Args:
        omit: the states, as text.
        omit_random: how many states to draw.
        omit_hardest: how many of the states that simple predictors miss most.
        seed: of the draw.
    """

    omit: str | None = None
    omit_random: int | None = None
    omit_hardest: int | None = None
    seed: int = 0

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        options = {
            "--omit": self.omit,
            "--omit-random": self.omit_random,
            "--omit-hardest": self.omit_hardest,
        }
        return [option for option, value in options.items() if value is not None]

    def states(self, world: World) -> tuple[State, ...]:
        """Return the states.

        Raises:
            RequestError: for states that the world does not have, too many of them, or two ways to choose them.
        """
        from playground.datasets import hardest_hold_out, parse_hold_out, random_hold_out

        if len(self.given) > 1:
            raise RequestError.of(
                message="choose one way to hold out states",
                expected="one of --omit, --omit-random and --omit-hardest",
                got=" and ".join(self.given),
                hint="Leave all but one of them out.",
            )
        if self.omit is not None:
            return parse_hold_out(self.omit, world)
        if self.omit_random is not None:
            return random_hold_out(world, self.omit_random, self.seed)
        if self.omit_hardest is not None:
            return hardest_hold_out(world, self.omit_hardest)
        return ()


def generate(
    omit: Omit = None,
    omit_random: OmitRandom = None,
    omit_hardest: OmitHardest = None,
    seed: OmitSeed = "0",
    world: WorldAsked = None,
    name: Name = "default",
    replace_shipped: ReplaceShipped = False,
) -> None:
    """Draw a dataset from a world, without the states that are held out."""
    hold_out = HoldOut(
        omit=omit, omit_random=omit_random, omit_hardest=omit_hardest, seed=read_seed(seed, "--seed")
    )
    folder = folder_to_write("data", name, replace_shipped=replace_shipped)
    from playground.datasets import DatasetSpec, guess
    from playground.datasets import generate as draw

    chosen = open_world(world)
    spec = DatasetSpec(world=chosen, held_out=hold_out.states(chosen))
    draw(spec, folder)
    logger.info(
        "{}: {:,} samples to train on, {:,} to validate and {:,} to test, of {}; {} held out",
        folder,
        spec.sizes.train,
        spec.sizes.valid,
        spec.sizes.test,
        count_of(len(chosen.states) - len(spec.held_out), "state"),
        len(spec.held_out),
    )
    if spec.held_out:
        # Tells whether the held-out states will be evidence.
        logger.info(
            "whole answers right in held-out states, {}; see the-experiment guess", guess(spec).words()
        )
        say_undetermined(spec)


def open_world(asked: str | None) -> World:
    """Return the world of a path or a name, or the default one.

    Raises:
        RequestError: if there is none, or for faults in its rules.
    """
    if asked is None:
        return load_world(default_rules())
    path = find_rules(asked)
    if path != Path(asked):
        logger.info("--world {}: {}", asked, path)
    return load_world(path)


def say_undetermined(spec: DatasetSpec) -> None:
    """Log which answers the seen states do not determine, and whether another hold-out would."""
    from playground.datasets import explain_undetermined

    for each, why in explain_undetermined(spec.world, spec.held_out):
        logger.warning("{} {}", each, why)


def find_dataset(name: str) -> Path | None:
    """Return the folder of the dataset `name`, or None if there is none yet."""
    for folder in folders_to_read("data", name):
        if folder.exists():
            if folder.name != name:
                logger.info("no data/{}: training on {}", name, folder)
            return folder
    return None


def make_shipped_dataset(name: str, *, replace_shipped: bool) -> None:
    """Draw the default world's samples with the shipped hold-out as dataset `name`."""
    from playground.datasets import SHIPPED_HOLD_OUT

    others = [other for other in names_in_use("data") if other != name]
    logger.warning(
        "no data/{}{}: making the shipped dataset there first, the default world with six states held out",
        name,
        f" (there are: {nearest(name, others).removeprefix('one of ')})" if others else "",
    )
    generate(omit=SHIPPED_HOLD_OUT, name=name, replace_shipped=replace_shipped)
