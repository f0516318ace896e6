"""The residual stream: which parts of a model add to it, in what order, and where it can be hooked."""

from __future__ import annotations

from dataclasses import dataclass

from playground.models import Network, Site

START = Site(part="embed")
"""The stream before the first layer."""


@dataclass(frozen=True)
class Block:
    """A layer of a model with a residual stream.

    Args:
        adds: what it adds, part by part.
        end: the stream after it.
    """

    adds: tuple[Site, ...]
    end: Site


def blocks_of(network: Network) -> tuple[Block, ...]:
    """Return the layers that add to the residual stream, in order; empty for a model without one."""
    ends = sorted((site for site in network.sites if site.part == "resid"), key=lambda site: site.layer or 0)
    adding = [each.site for each in network.maps if each.adds]
    return tuple(Block(tuple(site for site in adding if site.layer == end.layer), end) for end in ends)


def stream_sites(network: Network) -> tuple[Site, ...]:
    """Return the sites of the stream at its start, and of each layer's additions and the stream after it, in order."""
    return (START, *(site for block in blocks_of(network) for site in (*block.adds, block.end)))


def hook_of(network: Network, site: Site) -> str:
    """Return the hook point of a part that is a single activation."""
    (place,) = network.hook_locations(site)
    return place.hook


def what_it_has(network: Network) -> str:
    """Return in words which model this is and what it computes, for errors about something that it lacks."""
    titles = dict.fromkeys(each.title for each in network.maps if not each.detail)
    return f"{network.architecture}, which has: {'; '.join(titles)}"
