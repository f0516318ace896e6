"""The kinds of intervention, one file each, and the list of all.

An intervention on an activation replaces only what its site computes at its positions. One on a weight changes the
weight while the tokens at its positions are read. `force` makes the model write another token. Everything that
depends on the change, there and later, changes with it, as if a decoder with a key-value cache were changed before
the first of the positions and restored after the last. Weights are changed first, then the activations that result,
then the written tokens; within each family, interventions act in their order.
"""

from __future__ import annotations

from playground.interventions.kinds.base.intervention import Intervention
from playground.interventions.kinds.flip import Flip
from playground.interventions.kinds.force import Force
from playground.interventions.kinds.mean import Mean
from playground.interventions.kinds.noise import Noise
from playground.interventions.kinds.nuke import Nuke
from playground.interventions.kinds.patch import Patch, Resample
from playground.interventions.kinds.scale import Scale
from playground.interventions.kinds.steer import Steer
from playground.interventions.kinds.zero import Zero

KINDS: dict[str, type[Intervention]] = {
    kind.kind: kind for kind in (Zero, Mean, Resample, Scale, Steer, Patch, Flip, Nuke, Noise, Force)
}
"""This project's kinds, by their word, in the order in which they are offered. Add a new kind here."""
