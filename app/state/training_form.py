"""The choices for a training on page Train: world, hold-out, models, recipe."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from playground.datasets import (
    DatasetSpec,
    default_hold_out,
    explain_undetermined,
    generate,
    hardest_hold_out,
    load_dataset,
    random_hold_out,
    states_in,
)
from playground.datasets.holdout import check_size
from playground.errors import Fault, RequestError, quote
from playground.files import default_rules, folder_to_write
from playground.models import ARCHITECTURES
from playground.training import Job, Replacement, TrainingOverrides, plan_training
from playground.worlds import State, World, load_world, state_text

NAME = "mine"
MOST_WARNINGS = 2
"""How many undetermined answers are explained; further ones are only named."""
_NUMBERS: dict[str, tuple[str, type]] = {
    "epochs": ("Epochs", float),
    "learning_rate": ("Learning rate", float),
    "width": ("Width", int),
    "layers": ("Layers", int),
    "heads": ("Heads", int),
}


@dataclass(frozen=True, kw_only=True)
class TrainingForm:
    """The choices made so far for a training.

    Args:
        rules: file of the world.
        held_out: states that are held out of training.
        name: under which data and models are saved.
        models: architectures to train.
        seed: of the trainings.
        until_learned: whether a training stops as soon as all seen states are written correctly.
        numbers: the typed numbers of the recipe, by name; an empty text means the default.
    """

    rules: Path
    held_out: tuple[State, ...]
    name: str = NAME
    models: tuple[str, ...] = ("gpt2",)
    seed: int = 0
    until_learned: bool = True
    numbers: tuple[tuple[str, str], ...] = tuple((name, "") for name in _NUMBERS)

    @property
    def world(self) -> World:
        """The chosen world."""
        return load_world(self.rules)


def numbers() -> dict[str, str]:
    """Return the numbers of a recipe that can be typed: their names and labels."""
    return {name: label for name, (label, _) in _NUMBERS.items()}


def current() -> TrainingForm:
    """Return the choices of this tab so far."""
    memory = st.session_state
    if "training_form" not in memory:
        memory.training_form = _first(default_rules())
    return memory.training_form


def _first(rules: Path) -> TrainingForm:
    world = load_world(rules)
    return TrainingForm(rules=rules, held_out=default_hold_out(world))


def hold_out_of(world: World) -> tuple[State, ...]:
    """Return the hold-out of a world: the chosen one, or the default."""
    here = current()
    return here.held_out if here.world == world else default_hold_out(world)


def warnings() -> tuple[str, ...]:
    """Return warnings about the hold-out before a training starts: answers that the seen states do not determine."""
    here = current()
    found = explain_undetermined(here.world, here.held_out)
    said = [f"{each} {why}" for each, why in found[:MOST_WARNINGS]]
    if len(found) > MOST_WARNINGS:
        rest = ", ".join(each.answer for each, _ in found[MOST_WARNINGS:])
        said.append(f"Nor do the seen states determine {rest}.")
    return tuple(said)


def change(**values: Any) -> None:
    """Change some of the choices."""
    st.session_state.training_form = replace(current(), **values)
    st.session_state.training_faults = ()
    st.session_state.training_question = ()


def faults() -> tuple[Fault, ...]:
    """Return what was wrong with the last request."""
    return st.session_state.get("training_faults", ())


def ask(taken: Sequence[Replacement]) -> None:
    """Ask whether a training may replace complete runs."""
    st.session_state.training_faults = ()
    st.session_state.training_question = tuple(taken)


def question() -> tuple[Replacement, ...]:
    """Return the complete runs that the user is asked to replace."""
    return st.session_state.get("training_question", ())


def choose_world(rules: Path, **values: Any) -> None:
    """Choose another world, with its default hold-out.

    Args:
        rules: file of the world.
        values: other choices.
    """
    try:
        fresh = _first(rules)
    except RequestError as error:
        fail(error)
        return
    change(rules=rules, held_out=fresh.held_out, **values)


def toggle(state: str) -> None:
    """Hold out a state, or take it back in."""
    wanted = current().world.parse_state(state)
    held_out = set(current().held_out) ^ {wanted}
    _hold_out(lambda world: tuple(held_out))


def add_pattern(text: str) -> None:
    """Also hold out the states that match patterns such as `1,*,0,*,*`."""
    held_out = current().held_out
    _hold_out(lambda world: tuple(dict.fromkeys((*held_out, *states_in(text, world)))))


def draw_states(count: int) -> None:
    """Replace the hold-out by this many random states; each call draws anew."""
    _hold_out(lambda world: random_hold_out(world, count, random.randrange(10**9)))


def draw_hardest(count: int) -> None:
    """Replace the hold-out by the states that simple predictors miss most; `count` of them."""
    _hold_out(lambda world: hardest_hold_out(world, count))


def _hold_out(choose: Callable[[World], tuple[State, ...]]) -> None:
    """Replace the hold-out by the states that `choose` returns; faults are kept to be shown."""
    world = current().world
    try:
        states = choose(world)
        check_size(len(states), world)
    except RequestError as error:
        fail(error)
    else:
        change(held_out=tuple(sorted(states)))


def fail(error: RequestError) -> None:
    """Keep what was wrong, to be shown."""
    st.session_state.training_faults = error.faults
    st.session_state.training_question = ()


def make_jobs() -> list[Job]:
    """Return the jobs to run; the dataset is generated if it does not exist yet.

    Raises:
        RequestError: with everything that is wrong with the choices; nothing is written then.
    """
    form = current()
    spec = DatasetSpec(world=form.world, held_out=form.held_out)
    faults = []
    if not form.models:
        faults.append(
            Fault(message="no model is chosen", expected="at least one", got="none", hint="Choose one.")
        )
    jobs: list[Job] = []
    folder, data = Path("models") / form.name, Path("data") / form.name
    try:
        jobs = plan_training(
            form.models, (form.seed,), _overrides(form), spec.template, dataset=data, folder=folder
        )
    except RequestError as error:
        faults += error.faults
    try:
        folder_to_write("models", form.name, replace_shipped=False)
        _check_writable(folder, data)
        _check_data(data, spec)
    except RequestError as error:
        faults += error.faults
    if faults:
        raise RequestError(*faults)
    if not data.exists():
        generate(spec, data)
    return jobs


def _overrides(form: TrainingForm) -> TrainingOverrides:
    said, wrong = {}, []
    for name, text in form.numbers:
        label, kind = _NUMBERS[name]
        # A number of heads applies only if all chosen models have heads.
        if not text.strip() or (name == "heads" and not _all_have_heads(form.models)):
            continue
        try:
            said[name] = kind(text)
        except ValueError:
            wrong.append(
                Fault(
                    message=f"invalid {label.lower()}",
                    expected="a whole number" if kind is int else "a number",
                    got=quote(text),
                    hint="Leave it empty for the default.",
                )
            )
    if wrong:
        raise RequestError(*wrong)
    return TrainingOverrides(**said, until_learned=form.until_learned or None)


def _all_have_heads(architectures: Sequence[str]) -> bool:
    return bool(architectures) and all(ARCHITECTURES[name].limits.heads is not None for name in architectures)


def _check_writable(*folders: Path) -> None:
    """Check that folders can be created or written to.

    Raises:
        RequestError: with the folders for which that is not allowed.
    """
    there = [
        next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        for folder in folders
    ]
    closed = [each for each in dict.fromkeys(there) if not _may_write(each)]
    if closed:
        raise RequestError(
            *(
                Fault(
                    where=str(folder),
                    message="this folder is read-only",
                    expected="permission to write there: data and models are kept in the folder in which the app was started",
                    got="none",
                    hint="Start the app in a folder of your own, or allow writing there: chmod u+w.",
                )
                for folder in closed
            )
        )


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _check_data(folder: Path, spec: DatasetSpec) -> None:
    """Check that a folder is free or holds the dataset of this world and hold-out.

    Raises:
        RequestError: if it holds another dataset.
    """
    if not folder.exists():
        return
    there = load_dataset(folder).spec
    if there.world == spec.world and set(there.held_out) == set(spec.held_out):
        return
    raise RequestError.of(
        where=str(folder),
        message="models of one name must share their world and hold-out",
        expected=f"another name, or the hold-out of the existing data: {len(there.held_out)} of {len(there.world.states)} states held out"
        + ("" if there.world == spec.world else ", of another world"),
        got=f"{len(spec.held_out)} held out"
        + (f" ({', '.join(map(state_text, spec.held_out[:3]))} …)" if spec.held_out else ""),
        hint="Choose another name.",
    )
