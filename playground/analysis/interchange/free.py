"""Exchanges decoded freely: after the exchange, the model continues from its own text.

On the base's own text, each answer is measured alone. Decoded freely, an answer changed by the exchange is in the
text that later answers read, and the prediction is the world's with the variable set by hand (`World.do`). So an
answer may be right here because it reads another one that followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.analysis.base.measurement import Measurement
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Column, Row, Selection, Sentence, Table
from playground.analysis.base.share import Share
from playground.analysis.base.store import Store
from playground.analysis.base.view import View
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.alignment import Alignment, align, expect, values_of_pairs
from playground.analysis.interchange.interchange import Interchange, positions_of
from playground.analysis.interchange.patching import tokens_read
from playground.analysis.interchange.variables import name_of, text_of, why_nothing
from playground.inference import Model, make_plan, write
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import parse_site
from playground.models import Edit, HookLocation
from playground.worlds import CausalVariable, World, causal_variables, solve


@dataclass(frozen=True)
class FreeRunningInterchange(Measurement):
    """For every variable and answer, the best part and token, decoded freely; partial while it is being measured.

    Args:
        variables: names of the variables.
        kinds: see `CausalVariable`.
        answers: the answers measured.
        sites: the part that best stands for the variable, judged by that answer on the base's own text.
        tokens: the token at which the part does.
        counted: number of pairs that count on the base's own text.
        right: in how many of them the model there writes what the causal model predicts.
        free_counted: in how many pairs setting the variable by hand changes the base's answer.
        free_right: in how many of them the model writes the changed answer, decoded freely.
        done: which entries have been measured.
        waiting: whether nothing is known yet because the exchanges are still being measured.
    """

    variables: tuple[str, ...]
    kinds: tuple[str, ...]
    answers: tuple[str, ...]
    sites: tuple[str, ...]
    tokens: tuple[str, ...]
    counted: Int[np.ndarray, " variable"]
    right: Int[np.ndarray, " variable"]
    free_counted: Int[np.ndarray, " variable"]
    free_right: Int[np.ndarray, " variable"]
    done: Bool[np.ndarray, " variable"]
    waiting: bool = False

    @property
    def progress(self) -> tuple[int, int]:
        """How many entries have been measured, and how many there are; (0, 1) while that is unknown."""
        return (0, 1) if self.waiting else (int(self.done.sum()), self.done.size)


def measure_free(
    model: Model,
    interchange: Interchange,
    interventions: InterventionsLike = (),
    *,
    begun: FreeRunningInterchange | None = None,
) -> Iterator[FreeRunningInterchange]:
    """Yield the best part and token of every variable, decoded freely, updated after each variable.

    Args:
        model: stays as it is.
        interchange: exchanges for the same model and interventions.
        interventions: values, or their text form.
        begun: a partial result yielded earlier, to resume from.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    world = model.world
    found = begun or _start(interchange, [each for each in align(world, interchange) if each.counted])
    variables = {(each.name, each.kind): each for each in causal_variables(world)}
    written: dict[tuple[str, str], Int[np.ndarray, "pair token"]] = {}
    if found.done.all():
        yield found
    for index in np.flatnonzero(~found.done).tolist():
        variable = variables[found.variables[index], found.kinds[index]]  # pyright: ignore[reportArgumentType]
        cell = found.sites[index], found.tokens[index]
        if cell not in written:
            written[cell] = decode_exchange(model, interchange, *cell, interventions)
        answer = found.answers[index]
        expected, counts = _expect(world, interchange, variable, answer)
        right = written[cell][:, model.template.positions[answer]] == expected
        arrays = [each.copy() for each in (found.free_counted, found.free_right, found.done)]
        arrays[0][index], arrays[1][index], arrays[2][index] = counts.sum(), (right & counts).sum(), True
        found = replace(found, free_counted=arrays[0], free_right=arrays[1], done=arrays[2])
        yield found


def _start(
    interchange: Interchange, found: Sequence[Alignment], *, waiting: bool = False
) -> FreeRunningInterchange:
    cells = [each.best for each in found]
    zeros = np.zeros(len(found), dtype=np.int64)
    return FreeRunningInterchange(
        model=interchange.model,
        interventions=interchange.interventions,
        variables=tuple(each.variable for each in found),
        kinds=tuple(each.kind for each in found),
        answers=tuple(each.answer for each in found),
        sites=tuple(interchange.sites[site] for site, _ in cells),
        tokens=tuple(interchange.tokens[token] for _, token in cells),
        counted=np.array([each.counted for each in found], dtype=np.int64),
        right=np.array([each.right[each.best] for each in found], dtype=np.int64),
        free_counted=zeros,
        free_right=zeros,
        done=zeros.astype(bool),
        waiting=waiting,
    )


def _expect(
    world: World, interchange: Interchange, variable: CausalVariable, answer: str
) -> tuple[Int[np.ndarray, " pair"], Bool[np.ndarray, " pair"]]:
    """Return the answer that the world gives with a variable set by hand, and in which pairs it changes."""
    if variable.kind == "partial sum":
        expected = expect(world, interchange.pairs, interchange.outputs, variable, answer)
        return expected.tokens, expected.counts
    base, source = values_of_pairs(world, interchange.pairs, interchange.outputs)
    value = variable.value(world, source)
    done = solve(world, base, {variable.output or variable.name: value})[answer]
    own = solve(world, base)[answer]
    return done, (done != own) & (value >= 0)


def decode_exchange(
    model: Model, interchange: Interchange, site: str, token: str, interventions: InterventionsLike = ()
) -> Int[np.ndarray, "pair token"]:
    """Return the text that a model writes for every pair, with a part's value at a token exchanged.

    Args:
        model: stays as it is.
        interchange: gives the pairs.
        site: the part.
        token: the name of the token.
        interventions: values, or their text form, also applied.

    Raises:
        RequestError: as `Model.run_all` does.
    """
    network, asked = model.network, as_values(interventions)
    plan = make_plan(asked, network, model.values)
    trace = network.trace(model.run_all(asked, shown=False).tokens, plan.edits, plan.weights)
    (position,) = positions_of(model.template, [token])
    places = network.hook_locations(parse_site(site))
    base, source = interchange.pairs.T
    texts = np.empty((len(base), model.template.length), dtype=np.int64)
    for state in np.unique(source).tolist():
        meant = source == state
        edits = [_put(place, position, trace.values(place, position)[state]) for place in places]
        given = trace.tokens[torch.from_numpy(base[meant]).to(network.device)]
        changed = replace(plan, edits=(*plan.edits, *edits))
        run = write(network, given, model.template.prompt_length, changed)
        texts[meant] = run.tokens.cpu().numpy()
    return texts


def _put(place: HookLocation, position: int, value: Float[Tensor, ...]) -> Edit:
    """Return the edit that puts one state's value at a location, in all texts."""

    def change(values: Tensor, at: Sequence[int]) -> Tensor:
        changed = values.clone()
        changed[(slice(None), slice(None), *place.index)] = value
        return changed

    return Edit(place.hook, (position,), change)


def _measure(
    model: Model, interventions: InterventionsLike, begun: FreeRunningInterchange | None, store: Store | None
) -> Iterator[FreeRunningInterchange]:
    begun = None if begun is None or begun.waiting else begun
    for step in INTERCHANGE.run(model, interventions, store):
        if step.done == step.of:
            yield from measure_free(model, step.result, interventions, begun=begun)
        else:
            # The caller may also stop here; exchanges made so far are saved.
            yield _start(step.result, (), waiting=True)


def _present(found: FreeRunningInterchange, view: View) -> Iterator[Table | Sentence]:
    """Yield for every answer the best places of its variables, and whether it still follows when decoded freely."""
    yield from why_nothing(view, found.answers, waiting=found.waiting)
    for answer, folded in view.answers(each for each in view.world.answers if each in found.answers):
        meant = [index for index, each in enumerate(found.answers) if each == answer]
        yield Table(
            title=f"{answer}, decoded freely",
            caption=f"For each variable, the part and token that best stand for it, judged by {answer}: in how many pairs "
            f"of states {answer} follows an exchange there, on the text as it stands and when the model reads what "
            "it then writes.",
            columns=(
                Column("part", "A click selects it with its token and variable.", "part"),
                Column("token"),
                Column("stands best for"),
                Column(
                    "on its own text",
                    "Pairs in which the answer follows, of those in which it should change.",
                ),
                Column("decoded freely", "The same when the model reads what it writes after the exchange."),
            ),
            rows=tuple(_row(found, index) for index in meant),
            folded=folded,
        )


def _row(found: FreeRunningInterchange, index: int) -> Row:
    kind, variable = found.kinds[index], found.variables[index]
    free = Share(int(found.free_right[index]), int(found.free_counted[index]))
    return Row(
        (
            found.sites[index],
            found.tokens[index],
            name_of(kind, variable),
            str(Share(int(found.right[index]), int(found.counted[index]))),
            str(free) if found.done[index] else None,
        ),
        selects=Selection(
            found.sites[index],
            found.tokens[index],
            found.answers[index],
            (("variable", text_of(kind, variable)),),
        ),
    )


FREE = Method(
    name="free",
    title="Interchange, decoded freely",
    question="Does what follows from an exchange still follow once the model reads what it then writes?",
    how="For each variable, the exchange is repeated at the part and token that best stand for it, and the model "
    "continues from its own text. The prediction is the world's with the variable set by hand.",
    caution="An answer may follow here because it reads another one that did. The part was chosen as the best on the same pairs, and "
    "need not be the only one.",
    source="Geiger et al. 2021 (arXiv 2106.02997)",
    is_long=True,
    duration="some minutes where interchange accuracy has not been measured",
    kind=FreeRunningInterchange,
    measure=_measure,
    present=_present,
    progress=progress_of,
    tokens_read=lambda model: tokens_read(model, neighbours_only=False),
    rests_on=(INTERCHANGE.version,),
)
