"""Interventions on activations, and what they may read of the unedited model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from playground.interventions.kinds.base.intervention import SiteIntervention
from playground.models import HookLocation
from playground.worlds import State

MEAN: Literal["mean"] = "mean"

Change = Callable[[Tensor, Sequence[int]], Tensor]
"""Takes an activation as computed, row x position x ..., and its token positions; returns the one that replaces it."""


@runtime_checkable
class Values(Protocol):
    """The values at a hook point of the unedited model, on the texts that it writes itself."""

    def __call__(self, hook: str, of: State | Literal["mean"] | None = None) -> Tensor:
        """Return the values, token x ..., or state x token x ... for all states.

        Args:
            hook: name of the hook point.
            of: a state; "mean" for the mean over all states; None for all states.
        """
        ...


@dataclass(frozen=True)
class Baseline:
    """What a site computes in the unedited model, on the texts that it writes itself.

    Args:
        values: of the model.
        location: where the site's activation, or a part of it, is found.
    """

    values: Values
    location: HookLocation

    def mean(self) -> Float[Tensor, "token ..."]:
        """Return the mean over all states."""
        return self.values(self.location.hook, MEAN)[(slice(None), *self.location.index)]

    def in_state(self, state: State | None) -> Float[Tensor, "token ..."]:
        """Return the values in one state; None is a mistake in the kind, which has to list the state in `needs`."""
        assert state is not None, "the kind reads a state that it does not list in `needs`"
        return self.values(self.location.hook, state)[(slice(None), *self.location.index)]

    def in_all_states(self) -> Float[Tensor, "state token ..."]:
        """Return the values in all states, in the world's order."""
        return self.values(self.location.hook)[(slice(None), slice(None), *self.location.index)]


class ActivationIntervention(SiteIntervention):
    """A change of what a part of the model computes.

    A head's output is `z`, the weighted average of its values, before the output matrix. The output of an
    attention or MLP is what it adds to the residual stream; that of a recurrent layer is its state.

    Attributes:
        reads_all_states: whether it reads a mean or anything else over all states, which takes a while in a
            large world; the app then shows progress.
    """

    noun: ClassVar[str] = "activation"
    positive_amount: ClassVar[bool] = False
    default_amount: ClassVar[float] = 2.0
    reads_all_states: ClassVar[bool] = False

    @abstractmethod
    def change(self, baseline: Baseline) -> Change:
        """Return the change of an activation, a function that does not modify its argument.

        Called before the model runs, since the baseline cannot be computed while it runs.

        Args:
            baseline: what the site computes in the unedited model.
        """
