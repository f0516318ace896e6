"""Interchange interventions everywhere: what a model writes if one part at one token has its value from another state.

For every pair of states (base and source), every part and every token, the model reads its own text in the base
state, with the part's value at the token taken from the source's text, and what it writes for each answer is recorded
(Geiger et al. 2021, "Causal Abstractions of Neural Networks", arXiv 2106.02997). This answers two questions. How far
does the exchange move an answer from the base's to the source's? That is activation patching (Vig et al. 2020, arXiv
2004.12265; Wang et al. 2022, arXiv 2211.00593). And does the part stand for a variable of a causal model? See
`alignment.py`.

Everything before the token and below the part is computed once (`Trace`), and sources whose texts are equal up to the
token are run once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.base.measurement import Measurement
from playground.analysis.interchange.exchange import Exchange, choose_pairs
from playground.datasets import Template
from playground.errors import Fault, RequestError
from playground.inference import Model, make_plan, token_names
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import Intervention, Zero, check
from playground.models import Network, Site

REPORTED = 4
"""Tokens measured between two results; with many pairs, every token gives a result."""
MANY_PAIRS = 2_000


@dataclass(frozen=True)
class Interchange(Measurement):
    """What a model writes under every exchange; partial while it is being measured.

    Args:
        answers: names of the world's answers.
        sites: the parts, as text.
        tokens: names of the tokens at which values are exchanged.
        pairs: indices of base and source, in the world's states.
        exhaustive: whether these are all pairs of states, or all neighbours if only neighbours were requested.
        neighbours: indices of the pairs that differ in one input only.
        held_out: whether a state was held out.
        outputs: what the model writes for each output in each state, with nothing exchanged; -1 if not a bit.
        unpatched: the token that it writes for each answer in each state, with nothing exchanged.
        written: the token that it writes for each answer under each exchange.
        recovered: for each neighbour pair, how far the exchange moves the score difference of the source's and the
            base's answers: 0 as in the base, 1 as in the source; NaN where both states have the same answer.
        done: which exchanges have been measured.
    """

    answers: tuple[str, ...]
    sites: tuple[str, ...]
    tokens: tuple[str, ...]
    pairs: Int[np.ndarray, "pair two"]
    exhaustive: bool
    neighbours: Int[np.ndarray, " neighbour"]
    held_out: Bool[np.ndarray, " state"]
    outputs: Int[np.ndarray, "state output"]
    unpatched: Int[np.ndarray, "state answer"]
    written: Int[np.ndarray, "site token pair answer"]
    recovered: Float[np.ndarray, "site token neighbour answer"]
    done: Bool[np.ndarray, "site token"]

    @property
    def progress(self) -> tuple[int, int]:
        """How many exchanges (part and token) have been measured, and how many there are."""
        return int(self.done.sum()), self.done.size

    def mean_recovered(
        self, answer: str, among: Bool[np.ndarray, " neighbour"] | None = None
    ) -> Float[np.ndarray, "site token"]:
        """Return the recovered effect on an answer, averaged over the neighbours in which it differs.

        Args:
            answer: its name.
            among: which neighbours to average over; all by default.
        """
        values = self.recovered[..., self.answers.index(answer)]
        values = values if among is None else values[:, :, among]
        known = ~np.isnan(values)
        count = known.sum(-1)
        total = np.where(known, values, 0.0).sum(-1)
        return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def check_sites(network: Network, sites: Sequence[Site]) -> None:
    """Raise an error unless the model has these parts.

    Raises:
        RequestError: listing every part that it lacks.
    """
    known = network.interchange_sites
    faults: list[Fault] = []
    for site in sites:
        try:
            check([Zero(site)], network)
        except RequestError as error:
            faults += [replace(fault, where=str(site)) for fault in error.faults]
        else:
            if site.whole not in known:
                faults.append(
                    Fault(
                        where=str(site),
                        message="values cannot be exchanged here",
                        expected=", ".join(str(each) for each in known[:6]) + " and others",
                        got=str(site),
                        hint="Choose one of these, perhaps with an index.",
                    )
                )
    if faults:
        raise RequestError(*faults)


def measure_interchange(
    model: Model,
    interventions: InterventionsLike = (),
    *,
    sites: Sequence[Site] | None = None,
    tokens: Sequence[str] | None = None,
    neighbours_only: bool = False,
    begun: Interchange | None = None,
    seed: int = 0,
) -> Iterator[Interchange]:
    """Yield what a model writes under every exchange, updated after every few tokens of a part.

    The caller may stop at any time; the model stays unchanged throughout.

    Args:
        model: stays as it is.
        interventions: values, or their text form, in force in all passes.
        sites: the parts; all of `Network.interchange_sites` by default.
        tokens: names of the tokens at which values are exchanged; all before the last answer by default.
        neighbours_only: whether to use only pairs of states that differ in one input, which is faster.
        begun: a partial result yielded earlier with the same arguments, to resume from.
        seed: seed for drawing pairs, if there are too many.

    Raises:
        RequestError: for parts that the model lacks, and as `Model.run_all` does, before anything is run.
    """
    asked = as_values(interventions)
    check(asked, model.network)
    wanted = tuple(sites) if sites is not None else model.network.interchange_sites
    check_sites(model.network, wanted)
    positions = positions_of(model.template, tokens)
    drawn = choose_pairs(model.world.states, neighbours_only, seed)
    return _measure(model, asked, wanted, positions, drawn, begun)


def positions_of(template: Template, tokens: Sequence[str] | None) -> tuple[int, ...]:
    """Return the positions of tokens by name; by default, of all tokens before the last answer.

    Raises:
        RequestError: for a name that is not among these.
    """
    names = token_names(template)[: int(template.answer_positions.max())]
    wrong = [name for name in tokens or () if name not in names]
    if wrong:
        raise RequestError.of(
            message="unknown token",
            expected=", ".join(names),
            got=", ".join(wrong),
            hint="'>' before a name is the token before it, where it is written.",
        )
    return tuple(range(len(names)) if tokens is None else sorted({names.index(name) for name in tokens}))


def _measure(
    model: Model,
    asked: Sequence[Intervention],
    sites: Sequence[Site],
    positions: Sequence[int],
    drawn: tuple[Int[np.ndarray, "pair two"], Int[np.ndarray, " neighbour"], bool],
    begun: Interchange | None,
) -> Iterator[Interchange]:
    template, answers = model.template, model.template.answer_positions - 1
    run = model.run_all(asked, shown=False)
    plan = make_plan(asked, model.network, model.values)
    trace = model.network.trace(run.tokens, plan.edits, plan.weights)
    if begun is None:
        pairs, neighbours, exhaustive = drawn
        names, shape = token_names(template), (len(sites), len(positions))
        begun = Interchange(
            model=model.name,
            interventions=tuple(map(str, asked)),
            answers=model.world.answers,
            sites=tuple(map(str, sites)),
            tokens=tuple(names[position] for position in positions),
            pairs=pairs,
            exhaustive=exhaustive,
            neighbours=neighbours,
            held_out=model.baseline.held_out,
            outputs=outputs_of(template, trace.tokens),
            unpatched=trace.logits[:, answers].argmax(-1).cpu().numpy(),
            written=np.zeros((*shape, len(pairs), len(answers)), dtype=np.int16),
            recovered=np.full((*shape, len(neighbours), len(answers)), np.nan, dtype=np.float32),
            done=np.zeros(shape, dtype=bool),
        )
    exchange, found = Exchange(trace, answers, begun.pairs), _copy(begun)
    if found.done.all():
        yield found
    reported = 1 if len(found.pairs) > MANY_PAIRS else REPORTED
    for index, site in enumerate(sites):
        for token, position in enumerate(positions):
            if found.done[index, token]:
                continue
            scores = exchange.scores(model.network, site, position)
            found.written[index, token] = scores.argmax(-1)
            found.recovered[index, token] = exchange.recovered(scores, found.neighbours, found.unpatched)
            found.done[index, token] = True
            if token % reported == reported - 1 or token == len(positions) - 1:
                yield _copy(found)


def _copy(found: Interchange) -> Interchange:
    """Return a copy that does not share the arrays still being filled."""
    return replace(
        found, written=found.written.copy(), recovered=found.recovered.copy(), done=found.done.copy()
    )


def outputs_of(template: Template, tokens: Int[Tensor, "state token"]) -> Int[np.ndarray, "state output"]:
    """Return each output as written; -1 if it is not a bit."""
    written = tokens.cpu().numpy()[:, [template.positions[name] for name in template.world.outputs]]
    return np.where(written <= 1, written, -1)
