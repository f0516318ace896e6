"""Seeds: one check for all random generators, wherever a seed comes from."""

from __future__ import annotations

import re
from typing import Any

from playground.errors import Fault, RequestError, quote

LARGEST_SEED = 2**53 - 1
"""JSON, the browser and every random generator handle whole numbers up to this one exactly."""

SEEDS = f"a whole number from 0 to {LARGEST_SEED:,}"
"""The definition of a seed, for messages."""


def check_seed(seed: Any, where: str = "") -> int:
    """Return a seed, checked.

    Args:
        seed: as given, or as found in a document.
        where: the option or file to name in the fault.

    Raises:
        RequestError: if it is not a whole number, is negative or is too large. (`random.Random` treats -1 as 1.)
    """
    if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= LARGEST_SEED:
        return seed
    # Python refuses to print whole numbers of thousands of digits.
    long = isinstance(seed, int) and abs(seed) >= 10**40
    raise RequestError(_fault("a number of more than 40 digits" if long else quote(str(seed)), where))


def read_seed(text: str, where: str = "") -> int:
    """Return the seed in a text such as `7`.

    Raises:
        RequestError: if the text is not a valid seed.
    """
    digits = re.fullmatch(r"\s*(\d{1,40})\s*", text, re.ASCII)
    if digits is None:
        raise RequestError(_fault(quote(text), where))
    return check_seed(int(digits[1]), where)


def _fault(got: str, where: str) -> Fault:
    return Fault(
        where=where,
        message="not a seed",
        expected=SEEDS,
        got=got,
        hint="The same seed draws the same again.",
    )
