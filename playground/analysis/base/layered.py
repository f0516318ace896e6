"""A transformer computed layer by layer under interventions, with a clear error where that is not possible."""

from __future__ import annotations

from playground.errors import Fault, RequestError
from playground.inference import Model, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import TokenIntervention, check
from playground.models import Network, TransformerLayers


def layers_of(model: Model, interventions: InterventionsLike, question: str) -> TransformerLayers:
    """Return a transformer, layer by layer, under `interventions`, for passes over given texts.

    Args:
        model: stays as it is.
        interventions: values, or their text form.
        question: what is measured, in the plural, for error messages ("circuits").

    Raises:
        RequestError: for an architecture without layers of attention heads, and for interventions on parts that the
            model lacks, that force written tokens, or that edit weights at some tokens only.
    """
    asked, network = as_values(interventions), model.network
    if network.layers() is None:
        raise RequestError.of(
            where=model.name,
            message=f"{question} need a model with attention heads",
            expected="layers of attention heads that write to a residual stream, as in gpt2",
            got=f"a model whose parts are {network.element_noun}s",
            hint="Choose gpt2, or ablate elements one by one.",
        )
    check(asked, network)
    plan = make_plan(asked, network, model.values)
    whole = model.template.length
    faults = [
        Fault(
            where=str(each),
            message=f"{question} take no intervention on what is written",
            expected="interventions on activations and weights",
            got=str(each),
            hint="Take it off.",
        )
        for each in asked
        if isinstance(each, TokenIntervention)
    ]
    faults += [
        Fault(
            where=str(edit.weight),
            message=f"{question} take no weight edit at some tokens only",
            expected="edits of weights without positions",
            got=f"an edit of {edit.weight} at {len(edit.positions)} of {whole} tokens",
            hint="Leave out what stands behind @.",
        )
        for edit in plan.weights
        if len(edit.positions) != whole
    ]
    if faults:
        raise RequestError(*faults)
    layers = network.layers(plan.edits, plan.weights)
    assert layers is not None, "it had layers just now"
    return layers


def no_layers(network: Network) -> str | None:
    """Return in words why a model cannot be computed layer by layer; None if it can."""
    if not network.pattern_hooks:
        return "it has no attention"
    return None if network.layers() else "its layers of attention heads cannot be computed one by one"
