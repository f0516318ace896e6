"""Seeds as they are asked for: one, a range, or a list."""

from __future__ import annotations

import re

from playground.errors import Fault, RequestError, quote

MOST_SEEDS = 100_000
LARGEST_SEED = 2**63 - 1


def read_seeds(seed: int | None, seeds: str | None) -> tuple[int, ...]:
    """Return the seeds that were asked for.

    Raises:
        RequestError: if they are no seeds, or too many.
    """
    if seeds is None:
        numbers = (0 if seed is None else seed,)
    elif found := re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", seeds, re.ASCII):
        first, end = (int(number) for number in found.groups())
        numbers = range(first, min(end, first + MOST_SEEDS + 1))
    elif re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*", seeds, re.ASCII):
        numbers = tuple(dict.fromkeys(int(number) for number in seeds.split(",")))
    else:
        numbers = ()
    faults = []
    if seed is not None and seeds is not None:
        faults.append(_seeds_fault("one of --seed and --seeds", "both", "Leave one of them out."))
    if not 1 <= len(numbers) <= MOST_SEEDS or not all(0 <= each <= LARGEST_SEED for each in numbers):
        expected = f"FIRST:END or numbers with commas, 1 to {MOST_SEEDS:,} seeds from 0 to {LARGEST_SEED}"
        got = quote(str(seed) if seeds is None else seeds)
        faults.append(_seeds_fault(expected, got, "0:256 stands for the 256 seeds from 0 to 255."))
    if faults:
        raise RequestError(*faults)
    return tuple(numbers)


def seeds_text(seeds: tuple[int, ...]) -> str:
    """Return how `--seeds` asks for them."""
    in_a_row = seeds == tuple(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]}:{seeds[-1] + 1}" if in_a_row else ",".join(map(str, seeds))


def _seeds_fault(expected: str, got: str, hint: str) -> Fault:
    return Fault(rule="a model is trained for each seed", expected=expected, got=got, hint=hint)
