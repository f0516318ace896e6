"""When in its training a model takes which route: route summary, exchanges of tokens and accuracy at every snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from playground.analysis.interchange.alignment import align
from playground.analysis.interchange.interchange import measure_interchange
from playground.analysis.mechanism import summarize_route
from playground.analysis.routes.route import measure_routes
from playground.errors import Fault, RequestError
from playground.inference import Model, open_model
from playground.inference.model import InterventionsLike, as_values
from playground.models import Site, snapshots_of
from playground.worlds import World, causal_variables, depends


@dataclass(frozen=True)
class Emergence:
    """What a model does after so many steps of its training; a part of it while it is being measured.

    Args:
        model: the name of the model's run.
        interventions: under which it ran, each as text.
        steps: of the snapshots; the trained model's own is the last.
        answers: those that read others.
        read: share of the diagnostic texts in which the answer is what follows from what stands written.
        recomputed: share in which it is what follows from the inputs alone.
        variables: names of tokens that are exchanged, each with the answer that it is looked at for.
        exchanged: for each of them the share of pairs of states in which the answer follows, of those in which it would be another.
        seen: share of seen states whose completion is right.
        held_out: the same of held-out states; no number if there are none.
        by_answer: share of all states in which each answer of the world is right.
        done: what has been measured.
    """

    model: str
    interventions: tuple[str, ...]
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
        """How many snapshots have been looked at, and how many there are."""
        return int(self.done.sum()), self.done.size


def measure_emergence(
    model: Model, interventions: InterventionsLike = (), *, begun: Emergence | None = None
) -> Iterator[Emergence]:
    """Yield how a model's routes came about in its training, again after each snapshot.

    Args:
        model: any of the run's models; it and its snapshots stay as they are.
        interventions: values, or their text form, in force at every snapshot.
        begun: what was yielded before, to be gone on with.

    Raises:
        RequestError: if no snapshots were kept, or are damaged, and as `Model.run_all` does.
    """
    folder = model.checkpoint.folder
    steps = snapshots_of(folder)
    if not steps:
        raise RequestError(
            Fault(
                message="this run kept no snapshots",
                expected="a run with snapshots",
                got=f"{folder} without any",
                hint="Train it with this program, which keeps some unless told otherwise.",
            )
        )
    found = (
        begun if begun is not None else _start(model, tuple(map(str, as_values(interventions))), tuple(steps))
    )
    device = str(model.network.device.type)
    for index, step in enumerate(found.steps):
        if not found.done[index]:
            found = _with_step(found, index, open_model(folder, device, step), interventions)
        yield found


def _start(model: Model, interventions: tuple[str, ...], steps: tuple[int, ...]) -> Emergence:
    world = model.world
    answers = tuple(name for name in world.answers if reads_outputs(world, name))
    variables = tuple(
        (name, answer) for answer in answers for name in (*_sources(world, answer), *_outputs(world, answer))
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


def reads_outputs(world: World, answer: str) -> bool:
    """Return whether the world's rule for an answer reads an output."""
    return bool(_outputs(world, answer))


def _outputs(world: World, answer: str) -> tuple[str, ...]:
    return tuple(name for name in world.dependencies[answer] if name in world.outputs)


def _sources(world: World, answer: str) -> tuple[str, ...]:
    """Return the inputs that an answer follows from through outputs that it reads."""
    return tuple(
        name
        for name in world.inputs
        if any(depends(world, output, name) for output in _outputs(world, answer))
    )


def _with_step(found: Emergence, index: int, model: Model, interventions: InterventionsLike) -> Emergence:
    """Return the same with one more snapshot."""
    world, board = model.world, model.board(interventions)
    prints = [summarize_route(world, route) for route in measure_routes(model, interventions).chains]
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
        read=put(found.read, [each.read for each in prints]),
        recomputed=put(found.recomputed, [each.recomputed for each in prints]),
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
