"""`zero`: zero ablation."""

from __future__ import annotations

from typing import ClassVar

import torch

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change


class Zero(ActivationIntervention):
    """Zero ablation: the site's output is set to zero, biases included."""

    kind: ClassVar[str] = "zero"
    effect: ClassVar[str] = "its output is set to zero, biases included"
    caution: ClassVar[str] = (
        "Zero lies far from what the model ever computes, so answers may break that never needed this part; "
        "and where none break, another part may have taken over."
    )
    example: ClassVar[str] = "zero:L1H2"

    def change(self, baseline: Baseline) -> Change:
        """Return zeros."""
        return lambda computed, at: torch.zeros_like(computed)
