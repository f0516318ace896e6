"""Seeds on the command line: one, a range, or a list."""

from __future__ import annotations

import re

from playground.cli.requests import both_given
from playground.errors import RequestError, quote
from playground.seeds import LARGEST_SEED, check_seed, read_seed

MOST_SEEDS = 100_000
_NUMBER = r"\s*(-?\d{1,40})\s*"


def read_seeds(seed: str | None, seeds: str | None) -> tuple[int, ...]:
    """Return the requested seeds.

    Raises:
        RequestError: if they are no seeds, or too many.
    """
    if seed is not None and seeds is not None:
        raise both_given("choose --seed or --seeds", "--seed", "--seeds")
    if seeds is None:
        return (read_seed("0" if seed is None else seed, "--seed"),)
    if found := re.fullmatch(rf"{_NUMBER}:{_NUMBER}", seeds, re.ASCII):
        first, end = (int(number) for number in found.groups())
        numbers = range(first, min(end, first + MOST_SEEDS + 1))
    elif re.fullmatch(rf"{_NUMBER}(,{_NUMBER})*", seeds, re.ASCII):
        numbers = tuple(dict.fromkeys(int(number) for number in seeds.split(",")))
    else:
        numbers = ()
    if not 1 <= len(numbers) <= MOST_SEEDS:
        raise RequestError.of(
            where="--seeds",
            message="invalid seeds",
            expected=f"FIRST:END or numbers with commas, 1 to {MOST_SEEDS:,} seeds from 0 to {LARGEST_SEED:,}",
            got=quote(seeds),
            hint="0:256 stands for the 256 seeds from 0 to 255.",
        )
    for each in (min(numbers), max(numbers)):
        check_seed(each, "--seeds")
    return tuple(numbers)
