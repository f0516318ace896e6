"""The verdict: how a model derives the answers that read other answers, as claims with counts.

A claim gives the number of cases in which it holds and lists its counterexamples. Every claim was measured, and a
caveat says when a model has not learnt its seen states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from playground.analysis.base.answers import inputs_behind_outputs, outputs_read
from playground.analysis.base.measurement import Measurement
from playground.analysis.base.share import Share, share_of
from playground.analysis.interchange.alignment import Alignment, align, outcomes
from playground.analysis.interchange.interchange import Interchange
from playground.analysis.routes.route import Route, Routes
from playground.analysis.routes.verdict import RouteCounts, Way, join_names, sentence_of
from playground.worlds import State, World, causal_variables, depends, state_text


@dataclass(frozen=True)
class Claim:
    """Something that a model does, and in how many cases.

    Args:
        text: what it does.
        cases: what a case is, in the plural: `texts`, `pairs of states`.
        share: in how many it holds.
        counterexamples: the cases in which it does not hold, in words.
    """

    text: str
    cases: str
    share: Share
    counterexamples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.text}: holds on {self.share} {self.cases}"


@dataclass(frozen=True)
class RouteSummary:
    """How a model derives one answer that reads others, in numbers.

    Args:
        answer: its name.
        outputs: the outputs that the world's rule reads.
        inputs: the inputs from which it can be recomputed.
        counts: over the diagnostic texts, on which reading all and recomputing all lead to different answers.
        held_out: the same over the texts of held-out states.
        follows_flip: for each output, how often flipping it alone changes the answer as the rule says; from 0 to 1.
        derivation: the derivation that the model agrees with most.
        agreement: share of all texts in which the model agrees with it.
    """

    answer: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    counts: RouteCounts
    held_out: RouteCounts
    follows_flip: Float[np.ndarray, " output"]
    derivation: str
    agreement: float

    @property
    def read(self) -> float:
        """The share of the diagnostic texts in which the answer follows the outputs as written."""
        return self.counts.shares[0]

    @property
    def recomputed(self) -> float:
        """The share of the diagnostic texts in which the answer follows the inputs alone."""
        return self.counts.shares[1]

    @property
    def way(self) -> Way:
        """The route taken in most of the texts; see `RouteCounts.way`."""
        return self.counts.way


@dataclass(frozen=True)
class Mechanism(Measurement):
    """What has been found out about how a model computes.

    Args:
        seen_right: number of seen states whose completion is entirely right.
        seen: number of seen states.
        route_summaries: one for each answer that reads others.
        claims: what was measured, with counts.
        caveats: what cannot be concluded, and why.
    """

    seen_right: int
    seen: int
    route_summaries: tuple[RouteSummary, ...]
    claims: tuple[Claim, ...]
    caveats: tuple[str, ...]

    @property
    def verdict(self) -> tuple[str, ...]:
        """One sentence for each answer that reads others."""
        return tuple(sentence(each) for each in self.route_summaries)


def sentence(route_summary: RouteSummary) -> str:
    """Return in words how the model derives an answer."""
    return sentence_of(
        route_summary.answer, route_summary.outputs, route_summary.inputs, route_summary.counts
    )


def summarize_route(world: World, route: Route) -> RouteSummary:
    """Return the route summary of an answer that reads others.

    Args:
        world: the world that the model learnt.
        route: the answer's route; it has more than one derivation.
    """
    outputs = outputs_read(world, route.answer)
    return RouteSummary(
        answer=route.answer,
        outputs=outputs,
        inputs=tuple(name for name in world.inputs if depends(world, route.answer, name)),
        counts=_count(route, route.is_diagnostic),
        held_out=_count(route, route.is_diagnostic & route.held_out),
        follows_flip=np.array([route.follows_flip(name).share or 0.0 for name in outputs]),
        derivation=route.derivations[route.best],
        agreement=float(route.agreement[route.best]),
    )


def _count(route: Route, among: Bool[np.ndarray, " text"]) -> RouteCounts:
    read, recomputed = route.follows(0, among), route.follows(-1, among)
    return RouteCounts(read.holds, recomputed.holds, read.of)


def make_verdict(world: World, routes: Routes, interchange: Interchange | None = None) -> Mechanism:
    """Return the verdict that follows from the measurements.

    Args:
        world: the world that the model learnt.
        routes: the routes of all answers.
        interchange: exchanges between states. If they include the embedding at the token of each input and output,
            they certify which tokens an answer depends on.
    """
    route_summaries = tuple(summarize_route(world, route) for route in routes.chains)
    claims = [
        claim
        for route, each in zip(routes.chains, route_summaries, strict=True)
        for claim in _route_claims(world, route, each)
    ]
    if interchange is not None:
        claims += _token_claims(world, interchange)
    return Mechanism(
        model=routes.model,
        interventions=routes.interventions,
        seen_right=routes.seen_right,
        seen=routes.seen,
        route_summaries=route_summaries,
        claims=tuple(claims),
        caveats=_caveats(routes, interchange),
    )


def _caveats(routes: Routes, interchange: Interchange | None) -> tuple[str, ...]:
    found = []
    if routes.seen_right < routes.seen:
        found.append(
            f"{routes.model} writes {routes.seen_right} of {routes.seen} seen states correctly: it also fails on "
            "correct prompts, so its route cannot be identified."
        )
    if not routes.chains:
        found.append(
            "No answer of this world reads another: there is nothing that could be read from what is written."
        )
    if not routes.exhaustive:
        found.append("There are too many texts to try all: every share is of a random sample.")
    if interchange is not None and not interchange.exhaustive:
        found.append("There are too many pairs of states to try all: every share is of a random sample.")
    return tuple(found)


def _route_claims(world: World, route: Route, route_summary: RouteSummary) -> list[Claim]:
    """Return the claims about the most frequent route: on texts with one wrong output, and on all diagnostic texts."""
    outputs, largest = join_names(route_summary.outputs), route_summary.counts.largest
    if not largest:
        return []
    by_reading, by_inputs = route.derivations[0], route.derivations[-1]
    follows = {
        "read": f"follows {outputs} as written ({by_reading}), not the inputs",
        "recomputed": f"follows the inputs ({by_inputs}), not {outputs} as written",
        "neither": f"follows neither {outputs} as written ({by_reading}) nor the inputs ({by_inputs})",
    }
    read, recomputed = (route.predicted[way] == route.written for way in (0, -1))
    holds = {"read": read, "recomputed": recomputed, "neither": ~(read | recomputed)}[largest[0]]
    text = f"{route.answer} {follows[largest[0]]}"
    one_wrong = "texts with one output wrong in which the two differ"
    every = "texts with any outputs in which the two differ"
    found = []
    for cases, among in ((one_wrong, route.is_diagnostic & (route.wrong == 1)), (every, route.is_diagnostic)):
        failed = np.flatnonzero(among & ~holds)
        words = tuple(describe_text(world, route, index) for index in failed.tolist())
        found.append(Claim(text, cases, share_of(holds, among), words))
    return found


def describe_text(world: World, route: Route, text: int) -> str:
    """Return a text of a route in words: the state, the outputs as written, and the model's answer."""
    inputs = len(world.inputs)
    values = route.texts[text]
    state: State = tuple(values[:inputs].tolist())
    written = ", ".join(
        f"{name}={value}"
        for name, value in zip(route.variables[inputs:], values[inputs:].tolist(), strict=True)
    )
    number = int(route.written[text])
    said = str(number) if number >= 0 else "no number"
    return f"{state_text(state)} with {written}: {route.answer} {said}"


def _token_claims(world: World, interchange: Interchange) -> list[Claim]:
    """Return the claims about which tokens each answer that reads others depends on, by exchanging single tokens."""
    if "embed" not in interchange.sites:
        return []
    site, found = interchange.sites.index("embed"), []
    for answer in world.answers:
        reads, sources = outputs_read(world, answer), inputs_behind_outputs(world, answer)
        for variable in causal_variables(world) if reads else ():
            name = variable.output or variable.name
            meant = (variable.kind == "written" and name in reads) or (
                variable.kind == "input" and name in sources
            )
            if not meant or name not in interchange.tokens:
                continue
            (alignment,) = (each for each in align(world, interchange, [variable]) if each.answer == answer)
            if alignment.counted:
                found.append(_token_claim(world, interchange, alignment, site, name))
    return found


def _token_claim(world: World, interchange: Interchange, alignment: Alignment, site: int, name: str) -> Claim:
    token = interchange.tokens.index(name)
    found = outcomes(world, interchange, alignment, site, token)
    follows = 2 * int(found.right.sum()) >= len(found.right)
    holds = found.right if follows else ~found.right
    does = "changes" if follows else "does not change"
    return Claim(
        f"swapping only the token {name} {does} {alignment.answer} as predicted",
        f"pairs of states for which another {alignment.answer} is predicted",
        Share(int(holds.sum()), len(holds)),
        tuple(
            f"{_pair(world, found.pairs[index].tolist())} {name}: {alignment.answer} {found.written[index]}"
            for index in np.flatnonzero(~holds).tolist()
        ),
    )


def _pair(world: World, pair: Sequence[int]) -> str:
    base, source = (state_text(world.states[index]) for index in pair)
    return f"{base} with {source}'s"
