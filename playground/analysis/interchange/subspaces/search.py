"""A subspace for every variable, learned where interchange accuracy is best, after the embeddings.

The embedding of a token is one of a few vectors, so any variable that the token stands for is trivially a direction
there, and no unseen values remain to test on. The search is therefore limited to what the model computes.
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
"""A pass with gradients costs about as much as this many without."""


@dataclass(frozen=True)
class Candidate:
    """A variable and an answer, where a subspace for them is searched for, and the outcome.

    Args:
        variable: the name of the variable.
        kind: see `CausalVariable`.
        answer: the answer that depends on it.
        site: the part with the best interchange accuracy; "" if there is none.
        token: the token at which it has that accuracy; "" if there is none.
        reason: why no subspace can be learned; "" if one can, or if that is not known yet.
        subspace: the learned subspace; None if there is none.
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
        """Whether a subspace was learned or is known to be impossible to learn."""
        return bool(self.reason) or self.subspace is not None


@dataclass(frozen=True)
class Subspaces(Measurement):
    """The subspaces of a model, one for each variable and answer; partial while being measured.

    Args:
        candidates: variables and answers, in the order in which they are measured.
        waiting: whether nothing is known yet because interchange accuracy is still being measured.
    """

    candidates: tuple[Candidate, ...]
    waiting: bool = False

    @property
    def progress(self) -> tuple[int, int]:
        """How many candidates have been measured, and how many there are; (0, 1) while that is unknown."""
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
    """Yield the subspaces of a model, updated after each one.

    Args:
        model: stays as it is.
        interventions: values, or their text form, in force in all passes.
        begun: a partial result yielded earlier with the same arguments, to resume from.
        store: where interchange accuracy, which this uses, is kept.

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
            # The caller may also stop here; exchanges made so far are saved.
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
    """Return the best of the usable parts; in a tie, the earliest token, then the first part."""
    # Token indices are positions in the text; tokens after the answer cannot change it.
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
        # The error concerns only this variable and answer; all else was checked before anything was exchanged.
        return replace(candidate, reason="; ".join(fault.message for fault in error.faults))


def tokens_read(model: Model) -> float:
    """Return about how many tokens the model reads to learn all subspaces and to measure what they rest on."""
    wanted = sum(len(each.answers(model.world)) for each in causal_variables(model.world))
    # 4 for subspace and control, each with pairs that must change and pairs that must stay. Only what lies between
    # the part and the answer is recomputed, and the best part is close to the answer.
    learning = STEPS * BACK * 4 * HALF_BATCH * model.template.length / 8
    return tokens_of_exchanges(model, neighbours_only=False) + wanted * learning
