"""Interventions as values: what is replaced, where, with what. They run nothing and change nothing.

What an intervention replaces is what its site computes at its positions, and nothing else; what follows
from that, at these and at later positions, follows. This is what happens in a decoder with a key-value
cache whose weights are changed before the first of the positions and put back after the last.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from playground.datasets import Template
from playground.errors import Fault, RequestError
from playground.interventions.positions import EVERYWHERE, Span
from playground.models import Site


@dataclass(frozen=True)
class Intervention(ABC):
    """A change to a running model.

    Args:
        site: the part that is changed.
        positions: the tokens at which it is changed.
    """

    site: Site
    positions: Span = EVERYWHERE

    kind: ClassVar[str]
    effect: ClassVar[str]
    caution: ClassVar[str]

    def __str__(self) -> str:
        return f"{self.kind}:{self.site}{self.positions}"


@dataclass(frozen=True)
class Zero(Intervention):
    """Zero ablation: the site's output is set to zero, biases included.

    A head's output is `z`, the average of its values, before the output matrix; that of an attention or
    an MLP is what it adds to the residual stream.
    """

    kind: ClassVar[str] = "zero"
    effect: ClassVar[str] = "its output is set to zero"
    caution: ClassVar[str] = (
        "Zero lies off what the model ever computes, so answers may break that never needed this part; "
        "and where none break, another part may have taken over."
    )


@dataclass(frozen=True)
class Mean(Intervention):
    """Mean ablation: the site's output is set to its mean over all states, at each position.

    The mean is that of the unedited model on the texts that it writes itself.
    """

    kind: ClassVar[str] = "mean"
    effect: ClassVar[str] = "its output is set to its mean over all states"
    caution: ClassVar[str] = (
        "The mean takes away only what differs between states: what this part adds to all of them alike "
        "stays; and where no answer breaks, another part may have taken over."
    )


KINDS: dict[str, type[Intervention]] = {kind.kind: kind for kind in (Zero, Mean)}


def check(interventions: Sequence[Intervention], sites: Sequence[Site], template: Template) -> None:
    """Do nothing if every intervention can act on a model with these sites and this template.

    Raises:
        RequestError: with every site and position that the model does not have.
    """
    faults: list[Fault] = []
    for intervention in interventions:
        if intervention.site not in sites:
            faults.append(_site_fault(intervention, sites))
        try:
            intervention.positions.mask(template)
        except RequestError as error:
            faults += [_about(fault, intervention) for fault in error.faults]
    if faults:
        raise RequestError(*faults)


def _about(fault: Fault, intervention: Intervention) -> Fault:
    return replace(fault, where=str(intervention))


def _site_fault(intervention: Intervention, sites: Sequence[Site]) -> Fault:
    wanted = intervention.site
    layers = sorted({site.layer for site in sites})
    if wanted.layer not in layers:
        expected = f"a layer from L{layers[0]} to L{layers[-1]}"
    else:
        expected = "one of " + ", ".join(str(site) for site in sites if site.layer == wanted.layer)
    return Fault(
        where=str(intervention),
        rule="an intervention acts on a part that the model has",
        expected=expected,
        got=str(wanted),
        hint="Layers and heads count from 0.",
    )
