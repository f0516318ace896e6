"""Distributed alignment search: learns the directions of a part that stand for one variable.

A part carries more than one variable, and no single unit need stand for any of them (Geiger et al. 2023, "Finding
Alignments Between Interpretable Causal Variables and Distributed Neural Representations", arXiv 2303.02536). A
rotation of the part's values at a token is learned such that taking the first few rotated dimensions from another
state makes the model write what the causal model says:

    exchanged = base + Q Qᵀ (source - base)

The columns of Q are the exchanged rows of the rotation; the other rows keep the base's values and need not be known.
Q is the orthogonal factor of a matrix that gradient descent updates. The model stays as it is.

A search with as many free parameters as a part has units can fit much. So a subspace is judged on states that it was
not learned from: in training, base and source are both among three quarters of the states; in the test, both are
among the last quarter; mixed pairs are left out. Exchanging the whole part in the same pairs shows whether the
subspace was in the part or was made by the search (see `Subspace.off_the_states`). One limitation remains: states
whose texts begin alike have the same values up to the token where they differ, so before the last input is read, the
test has new texts but no new values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from playground.analysis.base.measurement import Measurement
from playground.analysis.base.share import Share
from playground.analysis.interchange.alignment import expect
from playground.analysis.interchange.exchange import choose_pairs
from playground.analysis.interchange.interchange import outputs_of
from playground.analysis.interchange.subspaces.learning import Pairs, PairSet, Part
from playground.analysis.interchange.subspaces.request import DIMENSIONS, STEPS, check_request, no_pair
from playground.inference import Model, make_plan
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import parse_site
from playground.models import Site, Trace
from playground.seeds import check_seed
from playground.worlds import CausalVariable

LEARNT = 0.75
"""Share of the states trained on. Half of 32 states are too few: a subspace then fits only these."""
MOST_SPLITS = 100


@dataclass(frozen=True)
class Subspace(Measurement):
    """A subspace of a part at a token, and how well it stands for a variable.

    A pair counts if the causal model predicts an answer other than the base's own.

    Args:
        variable: its name.
        kind: see `CausalVariable`.
        output: see `CausalVariable`.
        answer: the answer measured.
        site: the part, as text.
        token: the name of the token.
        basis: orthonormal directions, in the order of the part's units.
        learnt_from: which states were trained on; the test uses the rest.
        train: share of the counting training pairs in which the model writes what the causal model predicts.
        test: the same for the test pairs.
        kept: share of the test pairs whose answer must stay in which it does stay.
        whole: as `test`, with the whole part exchanged.
        unpatched: as `test`, with nothing exchanged.
        control: as `test`, with a subspace learned from shuffled labels and judged by shuffled labels: the chance
            level. About half where the answer is a bit; less if the model seldom writes a bit.
    """

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
        """Whether the directions change answers that exchanging the whole part leaves unchanged.

        Exchanging some directions of a part can give values that no state has, to which a model may respond in any
        way: the illusion of Makelov, Lange and Nanda 2023, arXiv 2311.17030.
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
    """Return the learned subspace of a part at a token that best stands for a variable.

    Args:
        model: stays as it is.
        variable: a variable of a causal model of the world; see `causal_variables`.
        answer: one of `variable.answers`.
        site: the part, or its text; one that has a single vector at a token.
        token: the name of the token: `newB`, or `>newB` for the one before it.
        interventions: values, or their text form, in force in all passes.
        dimensions: dimensions of the subspace; all others keep the base's values.
        steps: steps of gradient descent.
        seed: seed for the split of the states, the initial subspace, the pairs of each step and the control.

    Raises:
        RequestError: for a part that the model lacks or that is not one vector, for a token that does not stand before
            the answer, for an answer that does not follow from the variable or that no pair of states changes, for
            numbers out of range, and as `Model.run_all` does.
    """
    site = parse_site(site) if isinstance(site, str) else site
    position, at = check_request(model, variable, answer, site, token, dimensions=dimensions, steps=steps)
    check_seed(seed)
    asked = as_values(interventions)
    # This comes first because it checks the interventions.
    tokens = model.run_all(asked, shown=False).tokens
    plan = make_plan(asked, model.network, model.values)
    trace = model.network.trace(tokens, plan.edits, plan.weights)
    split = _split(model, trace, variable, answer, seed)
    (place,) = model.network.hook_locations(site)
    basis, shares = _learn(Part(trace, place, position, at), split, dimensions, steps, seed)
    changed = split.test.changed
    unpatched = trace.logits[changed.base, at].argmax(-1) == changed.label
    return Subspace(
        model=model.name,
        interventions=tuple(map(str, asked)),
        variable=variable.name,
        kind=variable.kind,
        output=variable.output,
        answer=answer,
        site=str(site),
        token=token,
        basis=basis,
        learnt_from=split.learnt_from,
        unpatched=Share(int(unpatched.sum()), len(changed)),
        **shares,
    )


def _learn(
    part: Part, split: _Split, dimensions: int, steps: int, seed: int
) -> tuple[Float[np.ndarray, "dimension component"], dict[str, Share]]:
    """Return the learned basis, and its shares as in `Subspace`."""
    train, test = split.train, split.test
    generator = torch.Generator().manual_seed(seed)
    shuffled = PairSet(train.changed.with_shuffled_labels(generator), train.kept)
    basis, control = part.learn([train, shuffled], dimensions, steps, generator)
    shares = {
        "train": part.accuracy(basis, train.changed),
        "test": part.accuracy(basis, test.changed),
        "kept": part.accuracy(basis, test.kept),
        "whole": part.accuracy(None, test.changed),
        "control": part.accuracy(control, test.changed.with_shuffled_labels(generator)),
    }
    return basis.mT.cpu().numpy(), shares


@dataclass(frozen=True)
class _Split:
    """The training pairs that a subspace is learned from, and the test pairs that it is judged by."""

    learnt_from: Bool[np.ndarray, " state"]
    train: PairSet
    test: PairSet


def _split(model: Model, trace: Trace, variable: CausalVariable, answer: str, seed: int) -> _Split:
    """Return training and test pairs.

    Raises:
        RequestError: if no split of the states leaves pairs whose answer changes on either side.
    """
    every = _pairs(model, trace, variable, answer, seed)
    count = len(model.world.states)
    random = np.random.default_rng(seed)
    for _ in range(MOST_SPLITS):
        chosen = random.permutation(count) < round(LEARNT * count)
        train, test = (
            PairSet(every.changed.among(states), every.kept.among(states)) for states in (chosen, ~chosen)
        )
        if len(train.changed) and len(test.changed):
            return _Split(chosen, train, test)
    raise no_pair(variable, answer)


def _pairs(model: Model, trace: Trace, variable: CausalVariable, answer: str, seed: int) -> PairSet:
    """Return the pairs whose answer must change, and those whose answer must stay the model's own in the base."""
    world, template = model.world, model.template
    pairs, _, _ = choose_pairs(world.states, seed=seed)
    expected = expect(world, pairs, outputs_of(template, trace.tokens), variable, answer)
    written = trace.logits[:, template.positions[answer] - 1].argmax(-1).cpu().numpy()

    def those(meant: Bool[np.ndarray, " pair"], label: Int[np.ndarray, " pair"]) -> Pairs:
        columns = (*pairs[meant].T, label[meant])
        return Pairs(*(torch.from_numpy(column.copy()).to(trace.tokens.device) for column in columns))

    return PairSet(those(expected.counts, expected.tokens), those(expected.stays, written[pairs[:, 0]]))
