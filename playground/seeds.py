"""Seeds: one check for all random generators, wherever a seed comes from."""

from __future__ import annotations

import re
from typing import Any

from playground.errors import Fault, RequestError, quote

LARGEST_SEED = 2**53 - 1
"""JSON and the browser carry whole numbers up to here exactly; so does every generator that is seeded."""

SEEDS = f"a whole number from 0 to {LARGEST_SEED:,}"
"""What a seed is, in words."""


def check_seed(seed: Any, where: str = "") -> int:
    """Return a seed.

    Args:
        seed: as it was given, or as it stood in a document.
        where: the option or the file in which it stands, to be named in the fault.

    Raises:
        RequestError: if it is no whole number, negative or too large. (`random.Random` takes -1 for 1.)
    """
    if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= LARGEST_SEED:
        return seed
    # Python refuses to write out whole numbers of thousands of digits.
    long = isinstance(seed, int) and abs(seed) >= 10**40
    raise RequestError(_fault("a number of more than 40 digits" if long else quote(str(seed)), where))


def read_seed(text: str, where: str = "") -> int:
    """Return the seed that stands in a text, such as `7`.

    Raises:
        RequestError: if there is none.
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
