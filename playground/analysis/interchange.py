"""Interchange interventions everywhere: what a model writes if one part at one token computes what it does in another state.

For every pair of states, base and source, for every part and token: the model reads the text that it itself writes
in the base state, with the part's value at the token taken from the source's text, and what it writes for each
answer is noted (Geiger et al. 2021, "Causal Abstractions of Neural Networks", arXiv 2106.02997). Two
questions are answered from that. By how much does the exchange bring an answer from the base's to the source's:
activation patching (Vig et al. 2020, arXiv 2004.12265; Wang et al. 2022, arXiv 2211.00593). And does the part
stand for a variable of a causal model: see `alignment.py`.

What lies before the token and below the part is computed once (`Trace`), and sources whose texts are equal up to
the token count once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.errors import Fault, RequestError
from playground.inference import Model, make_plan, token_names
from playground.inference.model import Asked, as_values
from playground.interventions import Intervention, Zero, check
from playground.models import Network, RecurrentNetwork, Replacement, Site, Trace
from playground.worlds import State

MOST_PAIRS = 4_096
"""Of more pairs than that, as many are drawn."""
BATCH = 256
_PARTS = {
    "embed", "resid", "attn", "mlp", "conv", "h", "c", "memory", "read", "read_weights", "write_weights"
}  # fmt: skip
"""Gates are left out, and what makes a memory's weights: what they let through is in these."""


@dataclass(frozen=True)
class Interchange:
    """What a model writes under every exchange; a part of it while it is being measured.

    Args:
        model: the name of the model's run.
        interventions: under which it ran, each as text.
        answers: names of the world's answers.
        sites: the parts, as text.
        tokens: names of the tokens at which values are exchanged.
        pairs: indices of base and source, in the world's states.
        exhaustive: whether these are all pairs of two states.
        neighbours: which of the pairs differ in one input only.
        held_out: whether a state was held out.
        outputs: what the model writes for each output in each state, with nothing exchanged; -1 for no bit.
        unpatched: the token that it writes for each answer in each state, with nothing exchanged.
        written: the token that it writes for each answer under each exchange.
        recovered: for the neighbours, the share of the way from the base's answer to the source's that the
            difference of these two tokens' scores goes, from 0 as in the base to 1 as in the source; no number
            where both states have one answer.
        done: what has been measured.
    """

    model: str
    interventions: tuple[str, ...]
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
        """How many exchanges have been made, and how many there are, in parts and tokens."""
        return int(self.done.sum()), self.done.size

    def mean_recovered(
        self, answer: str, among: Bool[np.ndarray, " neighbour"] | None = None
    ) -> Float[np.ndarray, "site token"]:
        """Return the recovered effect on an answer, averaged over the neighbours whose answers differ.

        Args:
            answer: its name.
            among: which neighbours are meant; all unless said.
        """
        values = self.recovered[..., self.answers.index(answer)]
        values = values if among is None else values[:, :, among]
        known = ~np.isnan(values)
        count = known.sum(-1)
        total = np.where(known, values, 0.0).sum(-1)
        return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def sites_of(network: Network) -> tuple[Site, ...]:
    """Return the parts whose values are exchanged: what a model carries on, and what adds to that."""
    whole = isinstance(network, RecurrentNetwork)
    return tuple(
        site
        for site in network.sites
        if site.head is not None or (whole if site.part is None else site.part in _PARTS)
    )


def check_sites(network: Network, sites: Sequence[Site]) -> None:
    """Do nothing if a model has these parts.

    Raises:
        RequestError: with every part that it lacks.
    """
    known = sites_of(network)
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
                        rule="values are exchanged where a model carries something on",
                        expected=", ".join(str(each) for each in known[:6]) + " and others",
                        got=str(site),
                        hint="Choose one of these, perhaps with an index.",
                    )
                )
    if faults:
        raise RequestError(*faults)


def measure_interchange(
    model: Model,
    interventions: Asked = (),
    *,
    sites: Sequence[Site] | None = None,
    neighbours_only: bool = False,
    begun: Interchange | None = None,
    seed: int = 0,
) -> Iterator[Interchange]:
    """Yield what a model writes under every exchange, again after each part.

    Who has seen enough stops asking; the model is as it was at any time.

    Args:
        model: stays as it is.
        interventions: values, or their text form, in force in all passes.
        sites: the parts; all of `sites_of` unless said.
        neighbours_only: only pairs of states that differ in one input, which is quicker.
        begun: what was yielded before, with the same arguments, to be gone on with.
        seed: of the pairs that are drawn, where there are too many.

    Raises:
        RequestError: for parts that the model lacks, and as `Model.run_all` does, before anything is run.
    """
    asked = as_values(interventions)
    check(asked, model.network)
    wanted = tuple(sites) if sites is not None else sites_of(model.network)
    check_sites(model.network, wanted)
    return _measure(model, asked, wanted, begun, (neighbours_only, seed))


def _measure(
    model: Model,
    asked: Sequence[Intervention],
    sites: Sequence[Site],
    begun: Interchange | None,
    choice: tuple[bool, int],
) -> Iterator[Interchange]:
    run = model.run_all(asked, shown=False)
    plan = make_plan(asked, model.network, model.values)
    trace = model.network.trace(run.tokens, plan.edits, plan.weights)
    start = _start(model, asked, sites, trace, choice) if begun is None else begun
    exchange = Exchange(trace, model.template.answer_positions - 1, start.pairs)
    found = replace(
        start, written=start.written.copy(), recovered=start.recovered.copy(), done=start.done.copy()
    )
    if found.done.all():
        yield found
    for index, site in enumerate(sites):
        if found.done[index].all():
            continue
        for token in range(len(found.tokens)):
            scores = exchange.scores(model.network, site, token)
            found.written[index, token] = scores.argmax(-1)
            found.recovered[index, token] = exchange.recovered(scores, found.neighbours, found.unpatched)
            found.done[index, token] = True
        yield replace(
            found, written=found.written.copy(), recovered=found.recovered.copy(), done=found.done.copy()
        )


def _start(
    model: Model,
    asked: Sequence[Intervention],
    sites: Sequence[Site],
    trace: Trace,
    choice: tuple[bool, int],
) -> Interchange:
    """Return what is known before any exchange."""
    template = model.template
    pairs, neighbours, exhaustive = choose_pairs(model.world.states, *choice)
    last = int(template.answer_positions.max())
    bits = [template.positions[name] for name in model.world.outputs]
    outputs = trace.tokens.cpu().numpy()[:, bits]
    shape = (len(sites), last)
    answers = len(model.world.answers)
    return Interchange(
        model=model.name,
        interventions=tuple(map(str, asked)),
        answers=model.world.answers,
        sites=tuple(map(str, sites)),
        tokens=token_names(template)[:last],
        pairs=pairs,
        exhaustive=exhaustive,
        neighbours=neighbours,
        held_out=model.baseline.held_out,
        outputs=np.where(outputs <= 1, outputs, -1),
        unpatched=trace.logits[:, template.answer_positions - 1].argmax(-1).cpu().numpy(),
        written=np.zeros((*shape, len(pairs), answers), dtype=np.int16),
        recovered=np.full((*shape, len(neighbours), answers), np.nan, dtype=np.float32),
        done=np.zeros(shape, dtype=bool),
    )


def choose_pairs(
    states: Sequence[State], neighbours_only: bool = False, seed: int = 0
) -> tuple[Int[np.ndarray, "pair two"], Int[np.ndarray, " neighbour"], bool]:
    """Return pairs of different states, which of them differ in one input only, and whether the pairs are all there are.

    Args:
        states: all of a world, in its order.
        neighbours_only: whether no others are wanted.
        seed: of those that are drawn, where there are more than `MOST_PAIRS`; then neighbours are at most
            half of these, drawn likewise.
    """
    count, bits = len(states), len(states[0])
    codes = np.arange(count)
    near = np.stack([np.repeat(codes, bits), (codes[:, None] ^ (1 << np.arange(bits))).ravel()], 1)
    random = np.random.default_rng(seed)
    every = count * (count - 1) <= MOST_PAIRS
    if not every and len(near) > MOST_PAIRS // 2:
        near = near[np.sort(random.choice(len(near), MOST_PAIRS // 2, replace=False))]
    if neighbours_only:
        return near, np.arange(len(near)), len(near) == count * bits
    if every:
        pairs = np.argwhere(~np.eye(count, dtype=bool))
    else:
        base, step = random.integers(count, size=MOST_PAIRS), random.integers(1, count, size=MOST_PAIRS)
        pairs = np.unique(np.concatenate([near, np.stack([base, (base + step) % count], 1)]), axis=0)
    place = {tuple(pair): index for index, pair in enumerate(pairs.tolist())}
    return pairs, np.array([place[tuple(pair)] for pair in near.tolist()]), every


class Exchange:
    """Exchanges of values between the texts of a trace.

    Args:
        trace: of the texts that the model writes, one for each state.
        at: the tokens at which answers are written.
        pairs: base and source.
    """

    def __init__(
        self, trace: Trace, at: Int[np.ndarray, " answer"], pairs: Int[np.ndarray, "pair two"]
    ) -> None:
        self._trace, self._pairs, self._at = trace, pairs, at
        self._tokens = trace.tokens.cpu().numpy()
        self.unpatched: Float[np.ndarray, "state answer token"] = trace.logits[:, at].float().cpu().numpy()

    def scores(self, network: Network, site: Site, token: int) -> Float[np.ndarray, "pair answer vocabulary"]:
        """Return the scores at every answer with the values of a part at a token exchanged."""
        base, source = self._pairs.T
        found = self.unpatched[base]
        reached = np.flatnonzero(self._at >= token)
        # Sources that begin alike are alike here: the first of them stands for all.
        _, first, same = np.unique(
            self._tokens[:, : token + 1], axis=0, return_index=True, return_inverse=True
        )
        same = same.ravel()
        codes = base * len(first) + same[source]
        needed, back = np.unique(codes[same[base] != same[source]], return_inverse=True)
        if not len(needed):
            return found
        rows, others = needed // len(first), first[needed % len(first)]
        parts = []
        for start in range(0, len(needed), BATCH):
            stop = start + BATCH
            parts.append(self.replaced(network, site, token, rows[start:stop], others[start:stop], reached))
        exchanged = np.concatenate(parts)
        found[np.ix_(np.flatnonzero(same[base] != same[source]), reached)] = exchanged[back.ravel()]
        return found

    @torch.inference_mode()
    def replaced(
        self,
        network: Network,
        site: Site,
        token: int,
        rows: Int[np.ndarray, " pair"],
        others: Int[np.ndarray, " pair"],
        reached: Int[np.ndarray, " reached"],
    ) -> Float[np.ndarray, "pair reached vocabulary"]:
        """Return the scores at some answers, for some pairs."""
        taken = [
            Replacement(place, self._trace.values(place, token)[self._index(others)])
            for place in network.places(site)
        ]
        at = self._at[reached].tolist()
        return self._trace.replaced(taken, token, self._index(rows), at).float().cpu().numpy()

    def recovered(
        self,
        scores: Float[np.ndarray, "pair answer vocabulary"],
        neighbours: Int[np.ndarray, " neighbour"],
        written: Int[np.ndarray, "state answer"],
    ) -> Float[np.ndarray, "neighbour answer"]:
        """Return the share of the way from the base's answer to the source's, see `Interchange`."""
        base, source = self._pairs[neighbours].T
        of_base, of_source = written[base][..., None], written[source][..., None]

        def difference(values: Float[np.ndarray, "neighbour answer vocabulary"]) -> np.ndarray:
            wanted = np.take_along_axis(values, of_source, -1) - np.take_along_axis(values, of_base, -1)
            return wanted[..., 0]

        low, high = difference(self.unpatched[base]), difference(self.unpatched[source])
        way = np.where(written[base] != written[source], high - low, np.nan)
        return ((difference(scores[neighbours]) - low) / way).astype(np.float32)

    def _index(self, rows: Int[np.ndarray, " pair"]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self._trace.tokens.device)
