"""How many interventions there may be at once: asked before anything is imported that could carry them out.

Importing PyTorch and a model's library takes seconds. Whether there are too many can be told from the texts alone.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from playground.errors import RequestError, count_of

CONDITIONS_FILE = Path("conditions.json")
"""Where named conditions are kept, in the working directory."""
SEPARATOR = ";"
"""Between interventions."""
MOST_INTERVENTIONS = 100
"""So many fit into an address; more units than that are ablated as a range."""


def check_number(texts: Iterable[str]) -> None:
    """Do nothing if several texts together name as many interventions as there may be.

    Args:
        texts: each of interventions joined by `;`.

    Raises:
        RequestError: if there are too many.
    """
    count = sum(bool(part.strip()) for text in texts for part in text.split(SEPARATOR))
    if count > MOST_INTERVENTIONS:
        raise RequestError.of(
            message="too many interventions",
            expected=f"at most {MOST_INTERVENTIONS}",
            got=count_of(count, "intervention"),
            hint="Leave some out, or name several units at once: L0.mlp[0:100].",
        )


def check_number_with_conditions(
    names: Iterable[str], texts: Iterable[str], path: Path = CONDITIONS_FILE
) -> None:
    """Do the same for named conditions and texts together.

    Args:
        names: of conditions.
        texts: as in `check_number`.
        path: the file that has the conditions; what is wrong with it is for those to say who read it in full.

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
    """Return what stands under each name in a file of conditions, unchecked; nothing of another file."""
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
