"""How a model is trained."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from playground.errors import Fault, RequestError

_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that a training follows from, beside the data and the model.

    The optimizer is AdamW (Loshchilov and Hutter 2019) with PyTorch's betas and epsilon; the learning
    rate decays linearly to zero, from the first step on.

    Args:
        epochs: passes over the training samples; fractions too.
        batch_size: samples of a step.
        learning_rate: of the first step.
        weight_decay: of all parameters.
        gradient_norm: the gradient is scaled down to this norm where it is larger.
        evaluate_every: steps between two boards.
        seed: of initial weights, order of samples and dropout.
        threads: of the processor; the order of additions, and so the last digits, depend on it.
    """

    epochs: float = 3.0
    batch_size: int = 16
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    gradient_norm: float = 1.0
    evaluate_every: int = 125
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        above_zero = ("epochs", "batch_size", "learning_rate", "gradient_norm", "evaluate_every", "threads")
        faults = [
            self._fault(name, "a finite number above 0")
            for name in above_zero
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0)
        ]
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            faults.append(self._fault("weight_decay", "a finite number, 0 or above"))
        if not 0 <= self.seed <= _LARGEST_SEED:
            faults.append(self._fault("seed", f"a whole number from 0 to {_LARGEST_SEED}"))
        if faults:
            raise RequestError(*faults)

    def _fault(self, name: str, expected: str) -> Fault:
        default = {field.name: field.default for field in fields(self)}[name]
        return Fault(
            rule=f"{name.replace('_', ' ')} of a training",
            expected=expected,
            got=str(getattr(self, name)),
            hint=f"The default is {default}.",
        )

    def steps(self, samples: int) -> int:
        """Return the number of steps for that many training samples, at least one."""
        return max(1, round(self.epochs * self.steps_per_epoch(samples)))

    def steps_per_epoch(self, samples: int) -> int:
        """Return the number of steps that see each of that many training samples once."""
        return math.ceil(samples / self.batch_size)

    def to_json(self) -> dict:
        """Return the recipe as it stands in `run.json`."""
        return {"optimizer": "AdamW", "schedule": "linear to zero", **asdict(self)}
