"""The limit on the number of interventions, checked before any slow import.

Importing PyTorch and a model's library takes seconds; the texts alone are enough to count interventions.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from playground.errors import Fault, RequestError, count_of

CONDITIONS_FILE = Path("conditions.json")
"""The file of named conditions, in the working directory."""
SEPARATOR = ";"
"""Separates interventions."""
MOST_INTERVENTIONS = 100
"""As many as fit into a URL; to ablate more units, use a range."""


def check_number(texts: Iterable[str]) -> None:
    """Check that several texts together do not name too many interventions.

    Args:
        texts: interventions, joined by `;` in each text.

    Raises:
        RequestError: if there are too many.
    """
    count = sum(bool(part.strip()) for text in texts for part in text.split(SEPARATOR))
    if count > MOST_INTERVENTIONS:
        raise RequestError(too_many(count, "Leave some out, or name several units at once: L0.mlp[0:100]."))


def too_many(count: int, hint: str) -> Fault:
    """Return the fault of too many interventions."""
    return Fault(
        message="too many interventions",
        expected=f"at most {MOST_INTERVENTIONS}",
        got=count_of(count, "intervention"),
        hint=hint,
    )


def check_number_with_conditions(
    names: Iterable[str], texts: Iterable[str], path: Path = CONDITIONS_FILE
) -> None:
    """Check that named conditions and texts together do not name too many interventions.

    Args:
        names: the names of conditions.
        texts: as in `check_number`.
        path: the file of conditions; its faults are reported when it is read in full.

    Raises:
        RequestError: if there are too many.
    """
    names = tuple(names)
    try:
        known = texts_in(path.read_bytes()) if names else {}
    except OSError:
        known = {}
    named = (text for name in names for text in known.get(unicodedata.normalize("NFC", name), ()))
    check_number((*named, *texts))


def texts_in(content: str | bytes) -> Mapping[str, tuple[str, ...]]:
    """Return the interventions under each name in a file of conditions, unchecked; empty for any other file."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    conditions = document.get("conditions") if isinstance(document, dict) else None
    if not isinstance(conditions, dict):
        return {}
    return {
        name: tuple(text for text in entry["interventions"] if isinstance(text, str))
        for name, entry in conditions.items()
        if isinstance(entry, dict) and isinstance(entry.get("interventions"), list)
    }
