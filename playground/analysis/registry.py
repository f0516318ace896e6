"""All that is asked about a mechanism, one method after another: command, page and report go through this list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from playground.analysis.base.method import Measure, Method
from playground.analysis.base.store import Store
from playground.analysis.circuits.circuits import Circuits, measure_circuits
from playground.analysis.documents import (
    attention_document,
    attribution_document,
    circuits_document,
    edges_document,
    formulas_document,
    interchange_document,
    lens_document,
    patching_document,
    routes_document,
)
from playground.analysis.edges.edges import Edges, measure_edges
from playground.analysis.emergence import Emergence, measure_emergence
from playground.analysis.interchange.free import FreeRunningInterchange, measure_free, nothing_known
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.mechanism import Mechanism, make_verdict
from playground.analysis.neurons.formulas import Formulas, measure_formulas
from playground.analysis.residual.attention import Attention, measure_attention
from playground.analysis.residual.attribution import Attribution, measure_attribution
from playground.analysis.residual.lens import Lens, measure_lens
from playground.analysis.routes.route import Routes, grow_routes
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values
from playground.models import Network, Site, snapshots_digest


def _once(measure: Callable[[Model, InterventionsLike], Any]) -> Measure:
    """Return what yields the one result of a method that is done at once."""

    def measured(
        model: Model, interventions: InterventionsLike, begun: object, store: Store | None
    ) -> Iterator[Any]:
        yield measure(model, interventions)

    return measured


def _growing(result: Any) -> tuple[int, int]:
    return result.progress


def _tokens(
    model: Model, interventions: InterventionsLike, begun: Interchange | None, store: Store | None
) -> Iterator[Interchange]:
    names = [*model.world.inputs, *model.world.outputs]
    last = model.template.positions[model.world.answers[-1]]
    tokens = [name for name in names if model.template.positions[name] < last]
    return measure_interchange(model, interventions, sites=[Site(part="embed")], tokens=tokens, begun=begun)


def _free(
    model: Model, interventions: InterventionsLike, begun: FreeRunningInterchange | None, store: Store | None
) -> Iterator[FreeRunningInterchange]:
    begun = None if begun is None or begun.waiting else begun
    for step in method_called("interchange").run(model, interventions, store):
        if step.done == step.of:
            yield from measure_free(model, step.result, interventions, begun=begun)
        else:
            # Whoever asks may stop here, too: what has been exchanged is kept.
            yield nothing_known(model, interventions)


def _no_attention(network: Network) -> str | None:
    return None if network.pattern_hooks else "it has no attention"


def _no_layers(network: Network) -> str | None:
    return _no_attention(network) or (
        None if network.layers() else "its layers of attention heads cannot be computed one by one"
    )


def _no_stream(network: Network) -> str | None:
    has = any(site.part == "resid" for site in network.sites)
    return None if has else "it has no residual stream that layer after layer adds to"


_TOKENS = _INTERCHANGE = 1
_ROUTES = 2
"""Versions of methods that others rest on."""

METHODS: tuple[Method, ...] = (
    Method(
        name="routes",
        title="Route",
        question="Is an answer read from what stands written, or computed from the inputs again?",
        long=False,
        version=_ROUTES,
        kind=Routes,
        measure=lambda model, asked, begun, store: grow_routes(model, asked, begun=begun),
        progress=_growing,
        document=routes_document,
    ),
    Method(
        name="tokens",
        title="Exchange of tokens",
        question="Which tokens does an answer come from, if one alone is exchanged for that of another state?",
        long=False,
        version=_TOKENS,
        kind=Interchange,
        measure=_tokens,
        progress=_growing,
        document=interchange_document,
    ),
    Method(
        name="attention",
        title="Attention",
        question="Where do heads look while an answer is written, in states that were seen and held out?",
        long=False,
        version=1,
        kind=Attention,
        measure=_once(measure_attention),
        unavailable_reason=_no_attention,
        document=attention_document,
    ),
    Method(
        name="lens",
        title="Logit lens",
        question="From which layer on does the right answer stand in the residual stream?",
        long=False,
        version=1,
        kind=Lens,
        measure=_once(measure_lens),
        unavailable_reason=_no_stream,
        document=lens_document,
    ),
    Method(
        name="attribution",
        title="Direct logit attribution",
        question="What does each part add to the right answer's score, less a wrong one's?",
        long=False,
        version=1,
        kind=Attribution,
        measure=_once(measure_attribution),
        document=attribution_document,
    ),
    Method(
        name="formulas",
        title="Formulas for parts",
        question="Which formula over the inputs does each part compute, and how well?",
        long=False,
        version=1,
        kind=Formulas,
        measure=_once(measure_formulas),
        document=formulas_document,
    ),
    Method(
        name="patching",
        title="Activation patching",
        question="Which part at which token carries the difference between two states that differ in one input?",
        long=True,
        version=1,
        kind=Interchange,
        measure=lambda model, asked, begun, store: measure_interchange(
            model, asked, neighbours_only=True, begun=begun
        ),
        progress=_growing,
        document=patching_document,
    ),
    Method(
        name="interchange",
        title="Interchange accuracy",
        question="Which part at which token stands for which variable of a causal model?",
        long=True,
        version=_INTERCHANGE,
        kind=Interchange,
        measure=lambda model, asked, begun, store: measure_interchange(model, asked, begun=begun),
        progress=_growing,
        document=interchange_document,
    ),
    Method(
        name="free",
        title="Interchange, decoded freely",
        question="Does what follows from an exchange still follow once the model reads what it then writes?",
        long=True,
        version=1,
        kind=FreeRunningInterchange,
        measure=_free,
        progress=_growing,
        rests_on=(_INTERCHANGE,),
    ),
    Method(
        name="circuits",
        title="Circuits of heads",
        question="Which sets of heads suffice, of all there are, and what is each head worth?",
        long=True,
        version=2,
        kind=Circuits,
        measure=lambda model, asked, begun, store: measure_circuits(model, asked, begun),
        progress=_growing,
        unavailable_reason=_no_layers,
        document=circuits_document,
    ),
    Method(
        name="edges",
        title="Edge attribution",
        question="Along which edges does the difference between two states come, and do these suffice?",
        long=True,
        version=1,
        kind=Edges,
        measure=lambda model, asked, begun, store: measure_edges(model, asked, begun=begun),
        progress=_growing,
        unavailable_reason=_no_layers,
        document=edges_document,
    ),
    Method(
        name="emergence",
        title="Emergence",
        question="When in the training did the route appear?",
        long=True,
        version=1,
        kind=Emergence,
        measure=lambda model, asked, begun, store: measure_emergence(model, asked, begun=begun),
        progress=_growing,
        rests_on=(_ROUTES, _TOKENS),
        beside=lambda model: snapshots_digest(model.checkpoint.folder),
    ),
)


def method_called(name: str) -> Method:
    """Return a method by its name.

    Raises:
        RequestError: if there is none of that name.
    """
    for method in METHODS:
        if method.name == name:
            return method
    raise RequestError(
        Fault(
            message="unknown method",
            expected=", ".join(method.name for method in METHODS),
            got=name,
            hint="Leave --method out for those that take seconds.",
        )
    )


def measure_mechanism(
    model: Model, interventions: InterventionsLike = (), *, store: Store | None = None
) -> Mechanism:
    """Return the verdict on a model: by which route each answer comes about that reads others.

    Args:
        model: stays as it is.
        interventions: values, or their text form, that stay in force.
        store: of that model and these interventions, where what was measured is kept.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    *_, routes = METHODS[0].run(model, interventions, store)
    *_, tokens = METHODS[1].run(model, interventions, store)
    return make_verdict(model.world, routes.result, tokens.result)


def store_of(model: Model, interventions: InterventionsLike = ()) -> Store:
    """Return where results of a model under some interventions are kept."""
    return Store(model, tuple(map(str, as_values(interventions))))
