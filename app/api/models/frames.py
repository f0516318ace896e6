"""What a client has to know of a model once: its world, its texts, its parts, what a click can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.asked.activations import SORTS, choosable, chosen
from api.asked.condition import drawable, first_condition, lowest_amount, named_positions
from api.models import predictors
from api.probe.weight_data import default_weight, group_name, groups_of
from playground.datasets import never_seen
from playground.inference import FORMATS, Model, token_names
from playground.interventions import (
    ALL_KINDS,
    LARGEST_AMOUNT,
    Anchor,
    SiteIntervention,
    activation_kinds,
    anchor_at,
    example_of,
    weight_kinds,
)
from playground.seeds import LARGEST_SEED
from playground.worlds import state_text


def frame_data(model: Model) -> dict[str, Any]:
    """Return the description of a model; it does not depend on the condition."""
    template, network, world = model.template, model.network, model.world
    parts = choosable(model)
    held_out = set(model.dataset.held_out)
    return {
        "inputs": list(world.inputs),
        "outputs": list(world.outputs),
        "names": list(world.answers),
        "states": [state_text(state) for state in world.states],
        "held_out": [state in held_out for state in world.states],
        "first_state": state_text(first_condition(model).state),
        "vocabulary": [template.visible(token) for token in range(len(template.vocabulary))],
        "truth_tokens": template.truth.astype("uint8"),
        "slots": [
            {"name": slot.name or "", "given": index < template.prompt_length}
            for index, slot in enumerate(template.slots)
        ],
        "answer_positions": template.answer_positions.tolist(),
        "first_written": template.prompt_length,
        "written_at": [str(anchor_at(template, max(index - 1, 0))) for index in range(template.length)],
        "positions": [
            {"name": str(anchor), "index": anchor.index(template)} for anchor in named_positions(model)
        ],
        "token_names": list(token_names(template)),
        "single": model.texts.single,
        "predictor": predictors.tally(model.dataset),
        "never_seen": list(never_seen(world, model.dataset.held_out)),
        "cost": _cost(model),
        "noun": network.element_noun,
        "elements": [str(site) for site in network.elements],
        "has_attention": bool(network.pattern_hooks),
        "drawable": [str(site) for site in drawable(model)],
        "seen_from": str(Anchor(world.answers[-1], writing=True)),
        "activations": [
            {"site": str(part.site), "words": part.words, "can_be_changed": part.can_be_changed}
            for part in parts
        ],
        "first_activation": str(chosen(model, None).site),
        "sorts": SORTS,
        "formats": list(FORMATS),
        "weights": [
            {"site": str(site), "group": group_name(site.layer), "is_matrix": weight.dim() > 1}
            for site, weight in network.weights.items()
        ],
        "weight_groups": [group_name(layer) for layer in groups_of(network)],
        "first_weight": str(default_weight(network)),
        "kinds": [_kind_data(kind) for kind in activation_kinds().values()],
        "weight_kinds": [_kind_data(kind) for kind in weight_kinds().values()],
        "largest_seed": LARGEST_SEED,
        "all_kinds": {
            name: {"effect": kind.effect, "caution": kind.caution} for name, kind in ALL_KINDS.items()
        },
        "examples": [example_of(kind, world) for kind in ALL_KINDS.values()],
        "sites": [f"{site}{'[…]' if units else ''}" for site, units in network.sites.items()],
    }


def _kind_data(kind: type[SiteIntervention]) -> Mapping[str, Any]:
    """Return what a click needs to know of a kind of edit."""
    return {
        "kind": kind.kind,
        "effect": kind.effect,
        "caution": kind.caution,
        "options": sorted(kind.clicked_options()),
        "needs": bool(kind.needs),
        "amount_label": kind.amount_label,
        "default_amount": kind.default_amount,
        "lowest": lowest_amount(kind),
        "largest": LARGEST_AMOUNT,
    }


def _cost(model: Model) -> str:
    """Return in a sentence what the model is and what its training took, or which step of the training it is."""
    checkpoint = model.checkpoint
    if checkpoint.step is not None:
        steps = checkpoint.run.steps
        of = "" if steps is None else f" of {steps:,}"
        return f"As it was after {checkpoint.step:,}{of} steps of its training."
    parameters, seconds, samples, operations = checkpoint.cost.words()
    return f"{parameters} parameters; trained {seconds} s on {samples} samples, {operations}"
