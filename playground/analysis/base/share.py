"""A share kept as two counts, because a percentage alone would hide the total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True)
class Share:
    """In how many of some texts something holds.

    Args:
        holds: number of texts.
        of: total number of texts.
    """

    holds: int
    of: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; None if there are no texts."""
        return self.holds / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.holds} of {self.of}"


def share_of(holds: Bool[np.ndarray, " text"], among: Bool[np.ndarray, " text"]) -> Share:
    """Return in how many of the texts `among` something holds."""
    return Share(int((holds & among).sum()), int(among.sum()))


def share_document(share: Share) -> dict[str, Any]:
    """Return a share as JSON, with its two counts."""
    return {"holds": share.holds, "of": share.of, "share": share.share}
