"""Whether an intervention can change anything: whether any written token depends on what it changes.

The model writes after each token from the last given one to the second-to-last, so the scores at these tokens matter.
Those at the last token, the line break after the answers, do not.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from playground.datasets import Template
from playground.errors import Fault
from playground.interventions.kinds.base.intervention import SiteIntervention
from playground.interventions.positions import RANGE, anchor_at
from playground.models import Network


def effect_faults(
    intervention: SiteIntervention,
    network: Network,
    mask: Bool[np.ndarray, " token"],
    meant: Bool[np.ndarray, ...] | None,
    *,
    any_text: bool,
) -> list[Fault]:
    """Return why no written token, and no score that is shown, can depend on an intervention.

    This follows from how the model is built and where the intervention acts, not from what the model has learnt.

    Args:
        intervention: the model has its site and positions.
        network: the model.
        mask: the tokens at which it acts.
        meant: which numbers of a weight's part are changed; None for an activation.
        any_text: whether the text is free and the scores of all its tokens are shown, given ones included;
            otherwise the texts are those of the states.
    """
    template, site = network.template, intervention.site
    deciding = range(0 if any_text else template.prompt_length - 1, template.length - 1)
    acting = np.zeros(template.length, dtype=bool)
    for position in deciding:
        acting[list(network.acting_tokens(site, meant, position))] = True
    if site.whole == network.embedding and meant is not None and not any_text:
        rows = np.arange(len(template.vocabulary))[site.slices[:1] or slice(None)]
        acting &= _may_stand(template)[:, rows[meant.reshape(len(rows), -1).any(1)]].any(1)
    if not (acting & mask).any():
        return [_nowhere(intervention, template, acting, mask)]
    tokens = np.flatnonzero(mask).tolist()
    if meant is not None and all(network.cancels(site, tokens, position) for position in deciding):
        return [
            Fault(
                message="this change cancels out when made at all tokens",
                expected=f"some of the positions for {site}",
                got=str(intervention.positions) or "all positions",
                hint="It adds the same to all scores of a query, which softmax ignores. Name positions, such as "
                f"@{template.world.answers[0]}.",
            )
        ]
    return []


def _may_stand(template: Template) -> Bool[np.ndarray, "token vocabulary"]:
    """Return the tokens that can occur at each position of the states' texts: in a prompt those that do, after it any."""
    found = np.ones((template.length, len(template.vocabulary)), dtype=bool)
    for position in range(template.prompt_length):
        found[position] = np.isin(np.arange(found.shape[1]), template.truth[:, position])
    return found


def _nowhere(
    intervention: SiteIntervention,
    template: Template,
    acting: Bool[np.ndarray, " token"],
    mask: Bool[np.ndarray, " token"],
) -> Fault:
    site, got = intervention.site, str(intervention.positions) or "all positions"
    what = str(site) if intervention.share is None else f"what is drawn of {site}"
    if not acting.any():
        return Fault(
            message="nothing is written after this token",
            expected="a part that is used before the last token",
            got=f"{what}, which is used at the last token alone",
            hint="Choose another index.",
        )
    return Fault(
        message="nothing that is written depends on this part at these tokens",
        expected=f"positions with {_names(template, acting)} for {what}",
        got=got,
        hint="Leave the positions out to change it wherever it is used.",
    )


def _names(template: Template, meant: Bool[np.ndarray, " token"]) -> str:
    """Return the names of positions; adjacent ones are joined to a range."""
    found, positions = [], np.flatnonzero(meant)
    for part in np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1):
        first, last = (str(anchor_at(template, int(index))) for index in (part[0], part[-1]))
        found.append(first if first == last else f"{first}{RANGE}{last}")
    return ", ".join(found)
