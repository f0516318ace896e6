"""How a model's routes emerge in training: route summary, token exchanges and accuracy at every snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from playground.analysis.base.answers import inputs_behind_outputs, outputs_read
from playground.analysis.base.measurement import Measurement
from playground.analysis.base.method import Method, progress_of
from playground.analysis.base.presentation import Curve, Heatmap, Line, Selection, Sentence
from playground.analysis.base.view import View, percent
from playground.analysis.interchange.alignment import align
from playground.analysis.interchange.interchange import measure_interchange
from playground.analysis.interchange.tokens import TOKENS
from playground.analysis.mechanism import summarize_route
from playground.analysis.routes.route import measure_routes
from playground.analysis.routes.route_blocks import ROUTES
from playground.errors import RequestError
from playground.inference import Model, open_model
from playground.inference.model import InterventionsLike, as_values
from playground.models import Site, snapshots_digest, snapshots_of
from playground.worlds import causal_variables


@dataclass(frozen=True)
class Emergence(Measurement):
    """What a model does at each snapshot of its training; partial while it is being measured.

    Args:
        steps: training step of each snapshot; the last is the trained model's.
        answers: the answers that read other answers.
        read: share of the diagnostic texts in which the answer follows the outputs as written.
        recomputed: share of them in which it follows the inputs alone.
        variables: each exchanged token, by name, with the answer it is tested for.
        exchanged: for each of these, the share of pairs in which the answer follows the exchange, among pairs in
            which it should change.
        seen: share of seen states whose completion is right.
        held_out: the same for held-out states; NaN if there are none.
        by_answer: share of all states in which each answer of the world is right.
        done: which snapshots have been measured.
    """

    steps: tuple[int, ...]
    answers: tuple[str, ...]
    read: Float[np.ndarray, "step answer"]
    recomputed: Float[np.ndarray, "step answer"]
    variables: tuple[tuple[str, str], ...]
    exchanged: Float[np.ndarray, "step variable"]
    seen: Float[np.ndarray, " step"]
    held_out: Float[np.ndarray, " step"]
    by_answer: Float[np.ndarray, "step all_answers"]
    done: Bool[np.ndarray, " step"]

    @property
    def progress(self) -> tuple[int, int]:
        """How many snapshots have been measured, and how many there are."""
        return int(self.done.sum()), self.done.size


def measure_emergence(
    model: Model, interventions: InterventionsLike = (), *, begun: Emergence | None = None
) -> Iterator[Emergence]:
    """Yield how a model's routes emerged in training, updated after each snapshot.

    Args:
        model: any of the run's models; it and its snapshots stay as they are.
        interventions: values, or their text form, applied at every snapshot.
        begun: a partial result yielded earlier, to resume from.

    Raises:
        RequestError: if no snapshots were kept, or are damaged, and as `Model.run_all` does.
    """
    folder = model.checkpoint.folder
    steps = snapshots_of(folder)
    if not steps:
        raise RequestError.of(
            message="this run kept no snapshots",
            expected="a run with snapshots",
            got=f"{folder} without any",
            hint="Train it with this program, which keeps snapshots by default.",
        )
    found = begun or _start(model, tuple(map(str, as_values(interventions))), tuple(steps))
    device = str(model.network.device.type)
    for index, step in enumerate(found.steps):
        if not found.done[index]:
            found = _with_step(found, index, open_model(folder, device, step), interventions)
        yield found


def _start(model: Model, interventions: tuple[str, ...], steps: tuple[int, ...]) -> Emergence:
    world = model.world
    answers = tuple(name for name in world.answers if outputs_read(world, name))
    variables = tuple(
        (name, answer)
        for answer in answers
        for name in (*inputs_behind_outputs(world, answer), *outputs_read(world, answer))
    )
    count = len(steps)
    return Emergence(
        model=model.name.split(":")[0],
        interventions=interventions,
        steps=steps,
        answers=answers,
        read=np.full((count, len(answers)), np.nan),
        recomputed=np.full((count, len(answers)), np.nan),
        variables=variables,
        exchanged=np.full((count, len(variables)), np.nan),
        seen=np.full(count, np.nan),
        held_out=np.full(count, np.nan),
        by_answer=np.full((count, len(world.answers)), np.nan),
        done=np.zeros(count, dtype=bool),
    )


def _with_step(found: Emergence, index: int, model: Model, interventions: InterventionsLike) -> Emergence:
    """Return the result with one more snapshot measured."""
    world, board = model.world, model.board(interventions)
    summaries = [summarize_route(world, route) for route in measure_routes(model, interventions).chains]
    tokens = list(dict.fromkeys(name for name, _ in found.variables))
    exchanged: dict[tuple[str, str], float] = {}
    if tokens:
        *_, exchange = measure_interchange(model, interventions, sites=[Site(part="embed")], tokens=tokens)
        for each in align(
            world, exchange, [each for each in causal_variables(world) if each.kind in ("input", "written")]
        ):
            if (each.variable, each.answer) in found.variables and each.counted:
                column = exchange.tokens.index(each.variable)
                exchanged[each.variable, each.answer] = float(each.accuracy[0, column])

    def put(array: np.ndarray, value: float | list[float]) -> np.ndarray:
        changed = array.copy()
        changed[index] = value
        return changed

    held_out = board.accuracy.held_out
    return replace(
        found,
        read=put(found.read, [each.read for each in summaries]),
        recomputed=put(found.recomputed, [each.recomputed for each in summaries]),
        exchanged=put(found.exchanged, [exchanged.get(each, np.nan) for each in found.variables]),
        seen=put(found.seen, board.accuracy.seen),
        held_out=put(found.held_out, np.nan if held_out is None else held_out),
        by_answer=put(
            found.by_answer,
            [
                board.accuracy_by_answer[name].all if name in board.accuracy_by_answer else np.nan
                for name in world.answers
            ],
        ),
        done=put(found.done, True),
    )


_MOSTLY = 0.5
"""Above this share of the diagnostic texts, an answer is mostly read, or mostly recomputed."""


def _present(found: Emergence, view: View) -> Iterator[Sentence | Curve | Heatmap]:
    """Yield the step from which each route is taken, and every number at every snapshot."""
    if found.done.any():
        yield Sentence(text=" ".join((*_since_when(found), _how_right(found))))
    names = tuple(f"{step:,}" for step in found.steps)
    lines = [
        Line(name, values[:, index], answer)
        for index, answer in enumerate(found.answers)
        for name, values in (("read", found.read), ("recomputed", found.recomputed))
    ]
    lines += [Line(name, values, "right") for name, values in _right(found, view)]
    yield Curve(
        title="routes and accuracy in training",
        caption="Share of the diagnostic texts, on which reading and recomputing disagree, in which each answer is read "
        "or recomputed; and share of states whose completion is right. Steps are not to scale.",
        axis="training steps",
        places=names,
        lines=tuple(lines),
    )
    rows = [*_route_rows(found), *(("right", *each) for each in _right(found, view))]
    yield Heatmap(
        title="routes, exchanges and accuracy at each step",
        caption="Share of diagnostic texts in which an answer is read or recomputed, of pairs of states in which it "
        "follows one exchanged token, and of states whose completion is right.",
        row_axis="share",
        column_axis="training steps",
        rows=tuple(name for _, name, _ in rows),
        columns=names,
        values=np.where(found.done, np.array([values for _, _, values in rows]), np.nan),
        largest=1.0,
        groups=tuple(group for group, _, _ in rows),
        selects=lambda row, column: Selection(step=found.steps[column]),
    )


def _right(found: Emergence, view: View) -> Iterator[tuple[str, Float[np.ndarray, " step"]]]:
    """Yield a label and the share of states that are right, seen and held out."""
    yield "seen states right", found.seen
    if view.model.dataset.held_out:
        yield "held-out states right", found.held_out


def _route_rows(found: Emergence) -> Iterator[tuple[str, str, Float[np.ndarray, " step"]]]:
    """Yield each measured quantity: the answer, a label, and the shares."""
    for index, answer in enumerate(found.answers):
        yield answer, f"{answer} read", found.read[:, index]
        yield answer, f"{answer} recomputed", found.recomputed[:, index]
        for column, (variable, follower) in enumerate(found.variables):
            if follower == answer:
                yield answer, f"{answer} follows {variable}", found.exchanged[:, column]


def _since_when(found: Emergence) -> Iterator[str]:
    """Yield for each answer the route it mostly takes at the last measured step, and since which step."""
    measured = np.flatnonzero(found.done)
    last = found.steps[measured[-1]]
    for index, answer in enumerate(found.answers):
        read, recomputed = (each[measured, index] for each in (found.read, found.recomputed))
        shares = (
            f"read in {percent(read[-1])} of the diagnostic texts, recomputed in {percent(recomputed[-1])}"
        )
        for share, route in ((read, "read as written"), (recomputed, "recomputed from the inputs")):
            if share[-1] > _MOSTLY:
                # The first step from which the share stays above the threshold at every later measured step.
                start = measured[len(share) - int((share > _MOSTLY)[::-1].cumprod().sum())]
                yield f"From step {found.steps[start]:,} on, {answer} is mostly {route}; after {last:,} it is {shares}."
                break
        else:
            yield f"After {last:,} steps, {answer} is mostly neither read nor recomputed: it is {shares}."


def _how_right(found: Emergence) -> str:
    last = np.flatnonzero(found.done)[-1]
    held_out = float(found.held_out[last])
    rest = "" if np.isnan(held_out) else f", and {percent(held_out)} of the held-out ones"
    return f"{percent(float(found.seen[last]))} of the seen states are right then{rest}."


def _tokens_read(model: Model) -> float:
    each = (ROUTES.tokens_read(model) or 0) + (TOKENS.tokens_read(model) or 0)
    return len(snapshots_of(model.checkpoint.folder)) * each


EMERGENCE = Method(
    name="emergence",
    title="Emergence",
    question="When in the training did the route appear?",
    how="Route, exchange of tokens and accuracy are measured at every snapshot of the training that was kept.",
    caution="Nothing is known about the steps between two snapshots. Early snapshots fail on seen states, so their "
    "route cannot be identified. One run shows how a route emerged with one seed, not in general.",
    is_long=True,
    duration="some 5 seconds a snapshot",
    kind=Emergence,
    measure=lambda model, asked, begun, store: measure_emergence(model, asked, begun=begun),
    present=_present,
    progress=progress_of,
    tokens_read=_tokens_read,
    rests_on=(ROUTES.version, TOKENS.version),
    beside=lambda model: snapshots_digest(model.checkpoint.folder),
)
