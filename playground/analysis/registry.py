"""The list of all methods, used by the command, the page and the report. A new method is one file and one line here."""

from __future__ import annotations

import re

from playground.analysis.base.method import Method
from playground.analysis.base.store import Store
from playground.analysis.circuits.circuit_blocks import CIRCUITS
from playground.analysis.edges.edge_blocks import EDGES
from playground.analysis.edges.path_blocks import PATHS
from playground.analysis.emergence import EMERGENCE
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.free import FREE
from playground.analysis.interchange.patching import PATCHING
from playground.analysis.interchange.subspaces.blocks import SUBSPACES
from playground.analysis.interchange.tokens import TOKENS
from playground.analysis.mechanism import Mechanism, make_verdict
from playground.analysis.neurons.formula_blocks import FORMULAS
from playground.analysis.residual.attention import ATTENTION
from playground.analysis.residual.attribution_blocks import ATTRIBUTION
from playground.analysis.residual.lens import LENS
from playground.analysis.routes.route_blocks import ROUTES
from playground.errors import RequestError
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values
from playground.plugins import Registry

BUILT_IN: tuple[Method, ...] = (
    ROUTES,
    TOKENS,
    ATTENTION,
    LENS,
    ATTRIBUTION,
    FORMULAS,
    PATCHING,
    INTERCHANGE,
    FREE,
    SUBSPACES,
    CIRCUITS,
    EDGES,
    PATHS,
    EMERGENCE,
)
VERDICT_METHODS = (ROUTES, TOKENS)
"""The methods that the verdict on a model rests on."""


def _check(found: object) -> Method:
    if not isinstance(found, Method):
        raise ValueError(f"expected a Method, got {found!r:.80}")  # noqa: TRY004  As Registry wants it.
    if not re.fullmatch("[a-z][a-z0-9_]*", found.name):
        raise ValueError(f"expected a name of lower-case letters, digits and _, got {found.name!r}")
    return found


METHODS: Registry[Method] = Registry(
    "the_experiment.methods", BUILT_IN, noun="method", name_of=lambda method: method.name, check=_check
)
"""All methods by name, the built-in ones first."""


def method_called(name: str) -> Method:
    """Return a method by its name.

    Raises:
        RequestError: if there is none of that name.
    """
    if name in METHODS:
        return METHODS[name]
    raise RequestError.of(
        message="unknown method",
        expected=", ".join(METHODS),
        got=name,
        hint="Leave --method out for those that take seconds.",
    )


def measure_mechanism(
    model: Model, interventions: InterventionsLike = (), *, store: Store | None = None
) -> Mechanism:
    """Return the verdict on a model: the route of each answer that reads others.

    Args:
        model: stays as it is.
        interventions: values, or their text form, applied throughout.
        store: where the results for this model and these interventions are kept.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    *_, routes = ROUTES.run(model, interventions, store)
    *_, tokens = TOKENS.run(model, interventions, store)
    return make_verdict(model.world, routes.result, tokens.result)


def store_of(model: Model, interventions: InterventionsLike = ()) -> Store:
    """Return the store of a model's results under some interventions."""
    return Store(model, tuple(map(str, as_values(interventions))))
