"""Where within a part a variable lies: a subspace by which it alone can be exchanged, found by learning.

A part carries more than one variable, and no unit of it need be any of them: distributed alignment search
(Geiger et al. 2023, "Finding Alignments Between Interpretable Causal Variables and Distributed Neural
Representations", arXiv 2303.02536). A rotation of the values at a part and token is learnt such that the first few
of the rotated dimensions, taken from another state, have the model write what the causal model says:

    exchanged = base + Q Qᵀ (source - base)

The columns of Q are those of the rotation's rows that count; the others, which stay the base's, need not be known.
Q is the orthogonal factor of a matrix that gradient descent changes. The model stays as it is.

With as many numbers to be learnt as a part has units, much can be fitted. So it is judged on states that were not
learnt from: in training base and source are of three quarters of the states, in the test both are of the last
quarter, and pairs with one of each are left out. The whole part, exchanged in the same pairs, tells what was found
from what was made (see `Subspace.off_the_states`). One thing this cannot separate: states whose texts begin alike are
alike up to a token, so before the last input has been read the test has new texts, but not new values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from playground.analysis.base.share import Share
from playground.analysis.interchange.alignment import expect_of
from playground.analysis.interchange.exchange import choose_pairs
from playground.analysis.interchange.interchange import outputs_of
from playground.analysis.interchange.subspace_learning import LearningCase, Pairs, Part
from playground.analysis.interchange.subspace_request import DIMENSIONS, STEPS, check_request, no_pair
from playground.inference import Model, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import parse_site
from playground.models import Site, Trace
from playground.seeds import check_seed
from playground.worlds import CausalVariable

LEARNT = 0.75
"""Share of the states that training has. Half of 32 are too few: what is found then fits these alone."""
MOST_SPLITS = 100


@dataclass(frozen=True)
class Subspace:
    """A subspace of a part at a token, and how well it stands for a variable.

    What counts are pairs in which the causal model says another answer than the base's own.

    Args:
        model: the name of the model's run.
        interventions: under which it ran, each as text.
        variable: its name.
        kind: see `CausalVariable`.
        output: see `CausalVariable`.
        answer: the answer that was looked at.
        site: the part, as text.
        token: the name of the token.
        basis: orthonormal directions, in the order of the part's units.
        learnt_from: which states training had; the test has the others.
        train: in how many of the pairs of training that count the model writes what the causal model says.
        test: the same of the test's.
        kept: in how many of the test's pairs whose answer is to stay it does.
        whole: as `test`, with the whole part exchanged.
        unpatched: as `test`, with nothing exchanged.
        control: what comes of chance: expected answers are dealt out by lot among the pairs of training that count
            and among those of the test, and the same is done. About half, where the answer is a bit; less, of a model
            that seldom writes one.
    """

    model: str
    interventions: tuple[str, ...]
    variable: str
    kind: str
    output: str
    answer: str
    site: str
    token: str
    basis: Float[np.ndarray, "dimension component"]
    learnt_from: Bool[np.ndarray, " state"]
    train: Share
    test: Share
    kept: Share
    whole: Share
    unpatched: Share
    control: Share

    @property
    def off_the_states(self) -> bool:
        """Whether the directions change answers that the whole part leaves as they are.

        Exchanging some directions of a part gives values that no state has, and to those a model may answer anything:
        the illusion of Makelov, Lange and Nanda 2023, arXiv 2311.17030.
        """
        return self.test.holds > self.unpatched.holds >= self.whole.holds


def measure_subspace(
    model: Model,
    variable: CausalVariable,
    answer: str,
    site: Site | str,
    token: str,
    interventions: InterventionsLike = (),
    *,
    dimensions: int = DIMENSIONS,
    steps: int = STEPS,
    seed: int = 0,
) -> Subspace:
    """Return the subspace of a part at a token that stands for a variable, as well as one can be learnt.

    Args:
        model: stays as it is.
        variable: of a causal model of the world, see `causal_variables`.
        answer: one of `variable.answers`.
        site: the part, or its text; one that has a single vector at a token.
        token: the name of the token: `newB`, or `>newB` for the one before it.
        interventions: values, or their text form, in force in all passes.
        dimensions: of the subspace; all others stay the base's.
        steps: of gradient descent.
        seed: of which states are learnt from, of the first subspace, of the pairs of each step and of the control.

    Raises:
        RequestError: for a part that the model lacks or that is not one vector, for a token that does not stand before
            the answer, for an answer that does not follow from the variable or that no pair of states changes, for
            numbers out of range, and as `Model.run_all` does.
    """
    site = parse_site(site) if isinstance(site, str) else site
    position, at = check_request(model, variable, answer, site, token, dimensions=dimensions, steps=steps)
    check_seed(seed)
    asked = as_values(interventions)
    run = model.run_all(asked, shown=False)
    plan = make_plan(asked, model.network, model.values)
    trace = model.network.trace(run.tokens, plan.edits, plan.weights)
    (place,) = model.network.hook_locations(site)
    part = Part(trace, place, position, at)
    changed, kept = _pairs(model, trace, variable, answer, seed)
    learnt_from = _split(len(model.world.states), changed, seed)
    (lesson, steady), (test, steady_test) = (
        (changed.among(states), kept.among(states)) for states in (learnt_from, ~learnt_from)
    )
    if not len(lesson) or not len(test):
        raise no_pair(variable, answer)
    generator = torch.Generator().manual_seed(seed)
    lessons = [LearningCase(lesson, steady), LearningCase(lesson.dealt(generator), steady)]
    basis, by_lot = part.learn(lessons, dimensions, steps, generator)
    unpatched = trace.logits[test.base, at].argmax(-1) == test.wanted
    return Subspace(
        model=model.name,
        interventions=tuple(map(str, asked)),
        variable=variable.name,
        kind=variable.kind,
        output=variable.output,
        answer=answer,
        site=str(site),
        token=token,
        basis=basis.mT.cpu().numpy(),
        learnt_from=learnt_from,
        train=part.right(basis, lesson),
        test=part.right(basis, test),
        kept=part.right(basis, steady_test),
        whole=part.right(None, test),
        unpatched=Share(int(unpatched.sum()), len(test)),
        control=part.right(by_lot, test.dealt(generator)),
    )


def _pairs(
    model: Model, trace: Trace, variable: CausalVariable, answer: str, seed: int
) -> tuple[Pairs, Pairs]:
    """Return the pairs that count, and those whose answer is to stay what the model writes in the base."""
    world, template = model.world, model.template
    pairs, _, _ = choose_pairs(world.states, seed=seed)
    expected = expect_of(world, pairs, outputs_of(template, trace.tokens), variable, answer)
    written = trace.logits[:, template.positions[answer] - 1].argmax(-1).cpu().numpy()

    def those(meant: Bool[np.ndarray, " pair"], wanted: Int[np.ndarray, " pair"]) -> Pairs:
        columns = (*pairs[meant].T, wanted[meant])
        return Pairs(*(torch.from_numpy(column.copy()).to(trace.tokens.device) for column in columns))

    return those(expected.counts, expected.tokens), those(expected.stays, written[pairs[:, 0]])


def _split(count: int, changed: Pairs, seed: int) -> Bool[np.ndarray, " state"]:
    """Return which states are learnt from: drawn, if need be again until pairs that count are on either side."""
    random = np.random.default_rng(seed)
    chosen = np.zeros(count, dtype=bool)
    for _ in range(MOST_SPLITS):
        chosen = random.permutation(count) < round(LEARNT * count)
        if len(changed.among(chosen)) and len(changed.among(~chosen)):
            break
    return chosen
