"""`zero`: zero ablation."""

from __future__ import annotations

from typing import ClassVar

import torch

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change


class Zero(ActivationIntervention):
    """Zero ablation: the site's output is set to zero, biases included."""

    kind: ClassVar[str] = "zero"
    effect: ClassVar[str] = "the part's output is set to zero, biases included"
    caution: ClassVar[str] = (
        "Zero is far from any value that the model computes, so even answers that do not need this part "
        "may break. If none breaks, another part may have taken over."
    )
    example: ClassVar[str] = "zero:L1H2"

    def change(self, baseline: Baseline) -> Change:
        """Return zeros."""
        return lambda computed, at: torch.zeros_like(computed)
