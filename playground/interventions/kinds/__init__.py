"""The kinds of intervention: a file each, and the list of all.

What an intervention on an activation replaces is what its site computes at its positions, and nothing else; one on
a weight changes it while the tokens at its positions are read; `force` has another token written. All that follows
from it, there and later, follows. It is as if a decoder with a key-value cache were changed before the first of
the positions and restored after the last. Weights come first, activations see what these lead to, tokens are
written last; within each of the three, interventions act in their order.
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
"""Those of this project, by their word, in the order in which they are offered. A new one is added here."""
