"""How a model is trained."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import create_model

from playground.errors import Fault, RequestError
from playground.models import ARCHITECTURES
from playground.schema import Document, read_document

_MOST_EPOCHS = 1_000_000
_HIGHEST_RATE = 1.0
_SNAPSHOTS, _OFTEN, _DOUBLINGS = 40, 10, 8
_EARLY = 5
"""How many times as many snapshots are kept of a training that may end long before its epochs have passed."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that determines a training, besides the data and the model.

    The optimizer is AdamW (Loshchilov and Hutter 2019) with PyTorch's betas and epsilon; the learning
    rate falls linearly over the epochs, from the first step on.

    Args:
        epochs: passes over the training samples; may be a fraction.
        cap: if the model does not write every seen state correctly by then, the training continues until
            it does, up to that many epochs in all; None if it always ends after `epochs`.
        until_learned: whether the training ends as soon as the model writes every seen state correctly,
            even before `epochs` have passed.
        evaluations_running: at how many consecutive evaluations it has to do so.
        batch_size: samples per step.
        learning_rate: of the first step.
        learning_rate_floor: share of the learning rate that remains from the end of `epochs` on.
        weight_decay: of all parameters.
        gradient_norm: a gradient with a larger norm is scaled down to this one.
        dropout: dropout rate, in multiples of 2⁻¹⁶, for an architecture with dropout.
        evaluate_every: steps between two boards.
        threads: CPU threads; the order of additions, and so the last digits, depend on their number.
    """

    epochs: float = 3.0
    cap: float | None = None
    until_learned: bool = False
    evaluations_running: int = 2
    batch_size: int = 16
    learning_rate: float = 5e-4
    learning_rate_floor: float = 0.0
    weight_decay: float = 0.0
    gradient_norm: float = 1.0
    dropout: float = 0.0
    evaluate_every: int = 100
    threads: int = 2

    def __post_init__(self) -> None:
        above_zero = (
            "epochs",
            "evaluations_running",
            "batch_size",
            "learning_rate",
            "gradient_norm",
            "evaluate_every",
            "threads",
        )
        faults = [
            self._fault(name, "a finite number above 0")
            for name in above_zero
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0)
        ]
        if self.epochs > _MOST_EPOCHS or (self.cap or 0) > _MOST_EPOCHS:
            faults.append(self._fault("epochs", f"at most {_MOST_EPOCHS:,}"))
        if self.learning_rate > _HIGHEST_RATE:
            faults.append(self._fault("learning_rate", f"at most {_HIGHEST_RATE:g}"))
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            faults.append(self._fault("weight_decay", "a finite number, 0 or above"))
        if self.cap is not None and not (math.isfinite(self.cap) and self.cap >= self.epochs):
            faults.append(self._fault("cap", f"a finite number, at least the {self.epochs:g} epochs"))
        if not 0 <= self.learning_rate_floor <= 1:
            faults.append(self._fault("learning_rate_floor", "a share from 0 to 1"))
        if not 0 <= self.dropout < 1:
            faults.append(self._fault("dropout", "a share from 0 up to, but not, 1"))
        if faults:
            raise RequestError(*faults)

    def _fault(self, name: str, expected: str) -> Fault:
        default = {field.name: field.default for field in fields(self)}[name]
        return Fault(
            message=f"invalid {name.replace('_', ' ')}",
            expected=expected,
            got=str(getattr(self, name)),
            hint=f"The default is {default}.",
        )

    def steps(self, samples: int) -> int:
        """Return the number of steps of `epochs` for that many training samples, at least one."""
        return max(1, round(self.epochs * self.steps_per_epoch(samples)))

    def most_steps(self, samples: int) -> int:
        """Return the largest number of steps that a training can take."""
        capped = 0 if self.cap is None else round(self.cap * self.steps_per_epoch(samples))
        return max(self.steps(samples), capped)

    def samples(self, steps: int, samples: int) -> int:
        """Return how many samples that many steps see, counting repetitions; the last batch may be short."""
        epochs, rest = divmod(steps, self.steps_per_epoch(samples))
        return epochs * samples + rest * self.batch_size

    def learning_rate_at(self, share: float) -> float:
        """Return the learning rate once that share of `epochs` has passed."""
        return self.learning_rate * max(1 - share, self.learning_rate_floor)

    def steps_per_epoch(self, samples: int) -> int:
        """Return the number of steps that see each of that many training samples once."""
        return math.ceil(samples / self.batch_size)

    def is_snapshot(self, step: int, samples: int) -> bool:
        """Return whether to keep a snapshot after that many steps: often at first, more rarely later.

        A training of at least 40 steps has 20 snapshots or more; one of 3,750 steps has them at 50, 100 ... 500,
        600 ... 1,000, 1,200 ... 2,000 and so on. In a training that ends as soon as it can, they are five times as close
        together. Those before the first step and after the last are kept as well.
        """
        spacing = _round_number(self.steps(samples) / _SNAPSHOTS / (_EARLY if self.until_learned else 1))
        for _ in range(_DOUBLINGS):
            if step <= _OFTEN * spacing:
                break
            spacing *= 2
        return step % spacing == 0

    def to_json(self) -> dict:
        """Return the recipe as it stands in `run.json`."""
        return {"optimizer": "AdamW", "schedule": "linear", **asdict(self)}

    @classmethod
    def from_json(cls, document: object) -> Recipe:
        """Return the recipe that `to_json` described.

        Raises:
            RequestError: if a number is missing, is not a number, or is refused by `Recipe`.
        """
        hint = "Train it from the beginning."
        return cls(**read_document(_recipe_document(), document, "the recipe", hint).model_dump())


@cache
def _recipe_document() -> type[Document]:
    """Return the schema of a recipe, which requires every field of `Recipe`."""
    kinds = get_type_hints(Recipe)
    required: dict[str, Any] = {each.name: (kinds[each.name], ...) for each in fields(Recipe)}
    return create_model("RecipeDocument", __base__=Document, **required)


def _round_number(most: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50 ... that is not above `most`, at least 1."""
    power = 10 ** math.floor(math.log10(max(most, 1)))
    return max(times * power for times in (1, 2, 5) if times * power <= max(most, 1))


def default_recipe(architecture: str) -> Recipe:
    """Return the default recipe of an architecture.

    The learning rates of the baselines gave the lowest loss on the validation samples, see docs/models.md.

    Raises:
        RequestError: if an architecture of another package declares invalid values.
    """
    return Recipe(**vars(ARCHITECTURES[architecture].training))
