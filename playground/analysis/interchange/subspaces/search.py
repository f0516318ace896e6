"""A subspace for every variable: learned where interchange accuracy is best, behind the embeddings.

The embedding of a token is one of a few vectors, so any variable that a token stands for is trivially a direction there,
and no state is left that the search has not seen. The subspace is therefore looked for in what the model computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from playground.analysis.base.measurement import Measurement
from playground.analysis.base.store import Store
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.alignment import Alignment, align
from playground.analysis.interchange.interchange import Interchange
from playground.analysis.interchange.patching import tokens_read as tokens_of_exchanges
from playground.analysis.interchange.subspaces.learning import HALF_BATCH
from playground.analysis.interchange.subspaces.request import DIMENSIONS, STEPS, vector_size
from playground.analysis.interchange.subspaces.subspace import Subspace, measure_subspace
from playground.errors import RequestError
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import parse_site
from playground.models import Site
from playground.worlds import CausalVariable, causal_variables

BACK = 3
"""A pass with gradients takes about as long as so many without."""


@dataclass(frozen=True)
class Candidate:
    """A variable and an answer, where a subspace for them is looked for, and what became of it.

    Args:
        variable: the name of the variable.
        kind: see `CausalVariable`.
        answer: the answer that follows from it.
        site: the part with the best interchange accuracy; "" if there is none.
        token: at which it has that; "" if there is none.
        reason: why nothing can be learned; "" if something can, or if that is not known yet.
        subspace: that was learned; None if none was.
    """

    variable: str
    kind: str
    answer: str
    site: str
    token: str
    reason: str = ""
    subspace: Subspace | None = None

    @property
    def is_done(self) -> bool:
        """Whether a subspace was learned, or cannot be."""
        return bool(self.reason) or self.subspace is not None


@dataclass(frozen=True)
class Subspaces(Measurement):
    """The subspaces of a model, one for each variable and answer; some of them while they are measured.

    Args:
        candidates: variables and answers, in the order in which they are measured.
        waiting: whether nothing is known yet because interchange accuracy is still being measured.
    """

    candidates: tuple[Candidate, ...]
    waiting: bool = False

    @property
    def progress(self) -> tuple[int, int]:
        """How many have been measured, and how many there are; none of one while that is not known."""
        if self.waiting:
            return 0, 1
        return sum(each.is_done for each in self.candidates), len(self.candidates)


def measure_subspaces(
    model: Model,
    interventions: InterventionsLike = (),
    *,
    begun: Subspaces | None = None,
    store: Store | None = None,
) -> Iterator[Subspaces]:
    """Yield the subspaces of a model, again after each of them.

    Args:
        model: stays as it is.
        interventions: values, or their text form, in force in all passes.
        begun: what was yielded before with the same arguments, to be continued.
        store: where interchange accuracy is kept, on which this rests.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    asked = as_values(interventions)
    names = tuple(map(str, asked))
    if begun is not None and not begun.waiting:
        yield from _measure(model, interventions, begun)
        return
    for step in INTERCHANGE.run(model, interventions, store):
        if step.done < step.of:
            # Whoever asks may stop here, too: what has been exchanged is kept.
            yield Subspaces(model.name, names, (), waiting=True)
        else:
            start = Subspaces(model.name, names, _candidates(model, step.result))
            yield from _measure(model, interventions, start)


def _candidates(model: Model, measured: Interchange) -> tuple[Candidate, ...]:
    sites = tuple(map(parse_site, measured.sites))
    usable = np.array([_is_usable(model, site) for site in sites])
    return tuple(
        _candidate(model, measured, usable, each) for each in align(model.world, measured) if each.counted
    )


def _is_usable(model: Model, site: Site) -> bool:
    return site.part != "embed" and (vector_size(model.network, site) or 0) >= DIMENSIONS


def _candidate(model: Model, measured: Interchange, usable: np.ndarray, found: Alignment) -> Candidate:
    """Return the best of the usable parts, of equals the earliest token and of that the first part."""
    # Tokens are numbered from the first of the text; what comes after the answer cannot change it.
    before = np.arange(len(measured.tokens)) < model.template.positions[found.answer]
    meant = usable[:, None] & before
    site, token = found.best_among(meant)
    if not meant[site, token]:
        reason = f"no part behind the embeddings is one vector of at least {DIMENSIONS} numbers"
        return Candidate(found.variable, found.kind, found.answer, "", "", reason)
    return Candidate(found.variable, found.kind, found.answer, measured.sites[site], measured.tokens[token])


def _measure(model: Model, interventions: InterventionsLike, found: Subspaces) -> Iterator[Subspaces]:
    variables = {(each.name, each.kind): each for each in causal_variables(model.world)}
    yield found
    for index, candidate in enumerate(found.candidates):
        if candidate.is_done:
            continue
        variable = variables[candidate.variable, candidate.kind]  # pyright: ignore[reportArgumentType]
        learned = _learn(model, interventions, variable, candidate)
        found = replace(
            found, candidates=(*found.candidates[:index], learned, *found.candidates[index + 1 :])
        )
        yield found


def _learn(
    model: Model, interventions: InterventionsLike, variable: CausalVariable, candidate: Candidate
) -> Candidate:
    """Return the candidate with its subspace, or with the reason why there is none."""
    where = candidate.answer, candidate.site, candidate.token
    try:
        return replace(candidate, subspace=measure_subspace(model, variable, *where, interventions))
    except RequestError as error:
        # Of this variable and answer alone; all else was checked before anything was exchanged.
        return replace(candidate, reason="; ".join(fault.message for fault in error.faults))


def tokens_read(model: Model) -> float:
    """Return about how many tokens the model reads while all subspaces are learned, and all that this rests on."""
    wanted = sum(len(each.answers(model.world)) for each in causal_variables(model.world))
    # Subspace and control, each with pairs that must change and others that must stay. Computed anew is what lies between the
    # part and the answer, which the best part is close to.
    learning = STEPS * BACK * 4 * HALF_BATCH * model.template.length / 8
    return tokens_of_exchanges(model, neighbours_only=False) + wanted * learning
