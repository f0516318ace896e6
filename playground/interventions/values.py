"""Interventions as values: what is replaced, where, with what. They run nothing and change nothing.

What an intervention replaces is what its site computes at its positions, and nothing else; what follows
from that, at these and at later positions, follows. This is what happens in a decoder with a key-value
cache whose weights are changed before the first of the positions and put back after the last.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
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
    an MLP is what it adds to the residual stream; that of a recurrent layer is what it carries on.
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


@dataclass(frozen=True)
class Fit:
    """Which interventions a model can carry out.

    Args:
        applied: those that it can, in their order.
        left_out: those that it cannot.
        faults: why not, at least one for each that is left out.
    """

    applied: tuple[Intervention, ...]
    left_out: tuple[Intervention, ...]
    faults: tuple[Fault, ...]


def fit(interventions: Sequence[Intervention], sites: Mapping[Site, int], template: Template) -> Fit:
    """Return which interventions can act on a model with these sites and this template.

    Args:
        interventions: what is asked for.
        sites: see `Network.sites`.
        template: of the model's texts.
    """
    applied, left_out, faults = [], [], []
    for intervention in interventions:
        found = _site_faults(intervention.site, sites)
        try:
            intervention.positions.mask(template)
        except RequestError as error:
            found += error.faults
        (left_out if found else applied).append(intervention)
        faults += [replace(fault, where=str(intervention)) for fault in found]
    return Fit(tuple(applied), tuple(left_out), tuple(faults))


def check(interventions: Sequence[Intervention], sites: Mapping[Site, int], template: Template) -> None:
    """Do nothing if every intervention can act on a model with these sites and this template; see `fit`.

    Raises:
        RequestError: with every site and position that the model does not have.
    """
    faults = fit(interventions, sites, template).faults
    if faults:
        raise RequestError(*faults)


def _site_faults(wanted: Site, sites: Mapping[Site, int]) -> list[Fault]:
    if wanted.whole not in sites:
        expected, got, hint = _known(wanted, sites), str(wanted), "Layers, heads and units count from 0."
    elif wanted.units is None or wanted.units.fit(sites[wanted.whole]):
        return []
    elif not sites[wanted.whole]:
        expected = f"{wanted.whole}, which has no units that can be named"
        got, hint = str(wanted), "Leave the brackets out."
    else:
        expected = f"units of {wanted.whole} from [0] to [{sites[wanted.whole] - 1}]"
        got, hint = str(wanted), "Units count from 0; in [3:8] the 8 is the first that is not meant."
    return [
        Fault(rule="an intervention acts on a part that the model has", expected=expected, got=got, hint=hint)
    ]


def _known(wanted: Site, sites: Mapping[Site, int]) -> str:
    """Return, in words, the sites of a model that come nearest to one that it does not have."""
    layers = sorted({site.layer for site in sites if site.layer is not None})
    free = [str(site) for site in sites if site.layer is None]
    if wanted.layer is not None and wanted.layer not in layers:
        return f"a layer from L{layers[0]} to L{layers[-1]}" if len(layers) > 1 else f"layer L{layers[0]}"
    shown = layers[0] if wanted.layer is None else wanted.layer
    of_layer = [str(site) for site in sites if site.layer == shown]
    if wanted.layer is not None:
        return "one of " + ", ".join(of_layer)
    others = f" (likewise to L{layers[-1]})" if len(layers) > 1 else ""
    return "one of " + ", ".join([*free, *of_layer]) + others
