"""Direct logit attribution: what each part of a model adds to the logit of the right answer minus a wrong one.

The logit difference right - wrong is linear in what the unembedding reads, so it is the sum of what each part adds. A
final LayerNorm is not linear, but becomes linear with its scale s held at its value in that run (Elhage et al. 2021,
"A Mathematical Framework for Transformer Circuits"). For the residual stream x = sum_i x_i:

    logit[right] - logit[wrong] = sum_i (x_i - mean(x_i)) w / s . d + b . d        d = W_U[right] - W_U[wrong]

Only the direct path is measured: a part that acts only through later parts adds nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.base.answers import find_answers, mean_over, scores_of
from playground.analysis.base.measurement import Measurement
from playground.analysis.residual.stream import START, blocks_of, hook_of, stream_sites
from playground.inference import Model, Run, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.models import Network, Site, WeightEdit
from playground.worlds import state_text

SCALE = "ln_final.hook_scale"
"""The hook point of the final LayerNorm's scale, in a model that has one."""

W_E, W_POS, W_U, UNEMBED, BIAS, NORM_W, NORM_B = (
    Site(part=part)
    for part in ("W_E", "W_pos", "W_U", "unembed.weight", "unembed.bias", "ln_final.w", "ln_final.b")
)


@dataclass(frozen=True)
class Attribution(Measurement):
    """What each component adds to the logit difference right - wrong, at the position that writes an answer.

    The right token is the one that the world's rules give for the state, as on a board, even if the model has written
    something wrong before, or was forced to. The wrong one is the other bit, or for a count the wrong token with the
    highest score.

    Components are named after sites and weights. GPT-2: `W_E` and `W_pos` (embeddings), heads, each layer's
    `attn.b_O`, its MLP with its biases, `ln_final.b`. CNN: `embed`, each layer's feature maps, `unembed.bias`. RNN:
    the units of its last layer, and the bias. MANN: these, and the vector that it has `read`. Where an intervention
    changes the residual stream, or what a whole attention layer adds, `change of SITE` is what it put in minus what
    it took away; heads and layers before it still show what they had added.

    Args:
        answers: the answers measured.
        states: the world's states, in its order.
        held_out: which states were held out.
        components: names of the components.
        right: token ids of the right answers.
        wrong: token ids that they are compared with.
        values: what each component adds, in logits; sums to `difference` over the components, up to rounding.
        difference: the model's logit of the right token minus that of the wrong one.
    """

    answers: tuple[str, ...]
    states: tuple[str, ...]
    held_out: Bool[np.ndarray, " state"]
    components: tuple[str, ...]
    right: Int[np.ndarray, "answer state"]
    wrong: Int[np.ndarray, "answer state"]
    values: Float[np.ndarray, "answer state component"]
    difference: Float[np.ndarray, "answer state"]

    @property
    def mean(self) -> Float[np.ndarray, "answer component"]:
        """The mean over all states."""
        return self.values.mean(1)

    @property
    def mean_seen(self) -> Float[np.ndarray, "answer component"]:
        """The mean over the seen states."""
        return self.values[:, ~self.held_out].mean(1)

    @property
    def mean_held_out(self) -> Float[np.ndarray, "answer component"] | None:
        """The mean over the held-out states; None if there are none."""
        return mean_over(self.values, self.held_out, axis=1)


@dataclass(frozen=True)
class _Moment:
    """A model's activations and weights at one position, in all states.

    Args:
        network: the model.
        run: the run, with its recorded activations.
        position: the token's position.
        weights: the weight edits in force there.
        changed: hook points that interventions change, at any position.
    """

    network: Network
    run: Run
    position: int
    weights: tuple[WeightEdit, ...]
    changed: frozenset[str]

    def at(self, hook: str) -> Float[Tensor, "state ..."]:
        """Return the activation at a hook point."""
        return self.run.recorded[hook][:, self.position].double()

    def value(self, site: Site) -> Float[Tensor, "state ..."]:
        """Return a part's activation."""
        return self.at(hook_of(self.network, site))

    def weight(self, site: Site) -> Float[Tensor, ...]:
        """Return a weight with the edits in force."""
        return self.network.edited_weight(site, self.weights).double()

    def add_change(self, site: Site, terms: dict[str, Tensor]) -> None:
        """Add to a part's terms the change that interventions make to it, if any."""
        if hook_of(self.network, site) in self.changed:
            terms[f"change of {site}"] = self.value(site) - sum(terms.values())


def measure_attribution(
    model: Model, interventions: InterventionsLike = (), answers: Sequence[str] | None = None
) -> Attribution:
    """Return what each component of a model adds to its answers, in all states.

    Args:
        model: a loaded model; it stays as it is.
        interventions: values, or their text form. Weights are those in force where the answer is written.
        answers: names of the answers to measure; those of `chained_answers` by default.

    Raises:
        RequestError: for answers that the world does not have, and as `Model.run_all` does.
    """
    network, asked = model.network, as_values(interventions)
    chosen = find_answers(model.template, answers)
    run = model.record(_hooks(network), asked)
    plan = make_plan(asked, network, model.values)
    changed = frozenset(edit.hook for edit in plan.edits)
    scores = scores_of(run.logits, chosen)
    wrong = chosen.wrong(scores)
    found: list[dict[str, Tensor]] = []
    for position, *tokens in zip(chosen.positions.tolist(), chosen.right, wrong, strict=True):
        in_force = tuple(edit for edit in plan.weights if position in edit.positions)
        moment = _Moment(network, run, position, in_force, changed)
        found.append(_attribute(moment, *(torch.from_numpy(each).to(network.device) for each in tokens)))
    values = [torch.stack(list(each.values()), -1) for each in found]
    return Attribution(
        model=model.name,
        interventions=tuple(map(str, asked)),
        answers=chosen.names,
        states=tuple(map(state_text, model.world.states)),
        held_out=model.baseline.held_out.copy(),
        components=tuple(found[0]),
        right=chosen.right,
        wrong=wrong,
        values=torch.stack(values).cpu().numpy(),
        difference=chosen.ahead(scores, wrong),
    )


def _attribute(
    moment: _Moment, right: Int[Tensor, " state"], wrong: Int[Tensor, " state"]
) -> dict[str, Float[Tensor, " state"]]:
    """Return what each component adds at one position."""
    weights = moment.network.weights
    rows = moment.weight(W_U).mT if W_U in weights else moment.weight(UNEMBED)
    direction = rows[right] - rows[wrong]
    constant = {}
    if BIAS in weights:
        bias = moment.weight(BIAS)
        constant[str(BIAS)] = bias[right] - bias[wrong]
    if NORM_W in weights:
        constant[str(NORM_B)] = direction @ moment.weight(NORM_B)
        direction = direction * moment.weight(NORM_W)
        # Centring what is added is the same as centring the direction.
        direction = (direction - direction.mean(-1, keepdim=True)) / moment.at(SCALE)
    if blocks_of(moment.network):
        added = {name: (term * direction).sum(-1) for name, term in _stream_terms(moment).items()}
    else:
        added = _unit_terms(moment, direction)
    return added | constant


def _stream_terms(moment: _Moment) -> dict[str, Float[Tensor, "state dimension"]]:
    """Return the terms that sum to the residual stream after the last layer."""
    weights, tokens = moment.network.weights, moment.run.tokens[:, moment.position]
    if W_POS in weights:
        place = moment.weight(W_POS)[moment.position]
        terms = {str(W_E): moment.weight(W_E)[tokens], str(W_POS): place.expand(len(tokens), -1)}
        moment.add_change(START, terms)
    else:
        terms = {str(START): moment.value(START)}
    for block in blocks_of(moment.network):
        for site in block.adds:
            if site.part == "attn":
                terms |= _head_terms(moment, site)
            else:
                terms[str(site)] = moment.value(site)
        moment.add_change(block.end, terms)
    return terms


def _head_terms(moment: _Moment, attention: Site) -> dict[str, Float[Tensor, "state dimension"]]:
    """Return the terms that sum to the output of a layer's attention."""
    layer, bias = attention.layer, Site(attention.layer, part="attn.b_O")
    values, output = moment.value(Site(layer, head=0)), moment.weight(Site(layer, part="attn.W_O"))
    added = torch.einsum("shc,hcd->hsd", values, output)
    terms = {str(Site(layer, head=head)): each for head, each in enumerate(added)}
    terms[str(bias)] = moment.weight(bias).expand(len(values), -1)
    moment.add_change(attention, terms)
    return terms


def _unit_terms(
    moment: _Moment, direction: Float[Tensor, "state unit"]
) -> dict[str, Float[Tensor, " state"]]:
    """Return what each part that the unembedding reads adds: unit by unit for the first, as a whole for the others."""
    hidden, *others = moment.network.readout
    units = moment.value(hidden)
    each = units * direction[:, : units.shape[1]]
    terms = {str(hidden.at(unit)): value for unit, value in enumerate(each.unbind(-1))}
    start = units.shape[1]
    for site in others:
        value = moment.value(site)
        stop = start + value.shape[1]
        terms[str(site)] = (value * direction[:, start:stop]).sum(-1)
        start = stop
    return terms


def _hooks(network: Network) -> tuple[str, ...]:
    """Return the hook points of all terms of the scores."""
    if blocks_of(network):
        sites = stream_sites(network)
        sites += tuple(Site(site.layer, head=0) for site in sites if site.part == "attn")
    else:
        sites = network.readout
    scale = (SCALE,) if NORM_W in network.weights else ()
    return (*(hook_of(network, site) for site in sites), *scale)
