"""A GPT-2 to be computed layer by layer under interventions, and a clear answer where that cannot be."""

from __future__ import annotations

from playground.errors import Fault, RequestError
from playground.inference import Model, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import TokenIntervention, check
from playground.models import Gpt2Layers, Gpt2Network


def layers_of(model: Model, interventions: InterventionsLike, question: str) -> Gpt2Layers:
    """Return what a GPT-2 computes layer by layer on texts that are given, under `interventions`.

    Args:
        model: stays as it is.
        interventions: values, or their text form.
        question: what is asked, in the plural, for the faults ("circuits").

    Raises:
        RequestError: for another architecture, for interventions that the model has no part for, that force
            tokens to be written, or that have weights be others at some tokens only.
    """
    asked, network = as_values(interventions), model.network
    if not isinstance(network, Gpt2Network):
        raise RequestError(
            Fault(
                where=model.name,
                message=f"{question} need a model with attention heads",
                expected="a GPT-2",
                got=f"a model whose parts are {network.element_noun}s, without attention heads that write to one",
                hint="Choose gpt2, or ablate elements one by one.",
            )
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
    return network.layers(plan.edits, plan.weights)
