"""The form of a training, as it stands in the address of page Train: world, hold-out, models, name, recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from playground.datasets import DatasetSpec, default_hold_out, states_in
from playground.datasets.holdout import check_size
from playground.errors import Fault, RequestError, nearest, quote
from playground.files import default_rules
from playground.models import ARCHITECTURES
from playground.seeds import read_seed
from playground.worlds import State, World, list_worlds, load_world

NAME = "mine"
"""The name under which data and models are saved by default."""
NONE = "none"
"""Stands in an address for no state, or no model."""
NUMBERS: Mapping[str, tuple[str, type[float | int]]] = {
    "epochs": ("Epochs", float),
    "learning_rate": ("Learning rate", float),
    "width": ("Width", int),
    "layers": ("Layers", int),
    "heads": ("Heads", int),
}
"""The numbers of a recipe that can be given: their labels and kinds."""

T = TypeVar("T")


class FormQuery(BaseModel):
    """The parameters of page Train's address. Those that are left out have their defaults."""

    rules: str | None = Field(None, description="name of the world's file of rules, without its ending")
    held: str | None = Field(
        None, description="the states held out of training, such as 1,0,1;0,*,0, or none; by default a fifth"
    )
    models: str | None = Field(None, description="the architectures to train, such as gpt2,rnn, or none")
    name: str | None = Field(None, description="under which data and models are saved")
    seed: str | None = Field(None, description="of the trainings")
    until: str | None = Field(None, description="0 if they go on once all seen states are right")
    epochs: str | None = Field(None, description="passes over the data")
    learning_rate: str | None = Field(None, description="of the first step")
    width: str | None = Field(None, description="of the models")
    layers: str | None = Field(None, description="of the models")
    heads: str | None = Field(None, description="of the models; counts only if all of them have heads")


@dataclass(frozen=True, kw_only=True)
class TrainingForm:
    """The choices for a training, as far as they can be read.

    Args:
        spec: the world, and the states that are held out of training.
        name: under which data and models are saved.
        models: architectures to train.
        seed: of the trainings.
        until_learned: whether a training stops as soon as all seen states are written correctly.
        numbers: the numbers of the recipe that were given, by name.
        faults: what is wrong with the others.
        held_out_known: whether the hold-out could be read; otherwise `spec` holds out nothing.
    """

    spec: DatasetSpec
    name: str
    models: tuple[str, ...]
    seed: int
    until_learned: bool
    numbers: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()
    held_out_known: bool = True


def find_world(name: str | None) -> Path:
    """Return the file of rules of a world; by default that of the default world.

    Raises:
        RequestError: if there is none of that name.
    """
    known = {path.stem: path for path in list_worlds()}
    if name is None:
        return default_rules()
    if name in known:
        return known[name]
    raise RequestError.of(
        where="rules",
        message="there is no such world",
        expected=nearest(name, known),
        got=quote(name),
        hint="Choose a world.",
    )


def read_held(text: str | None, world: World) -> tuple[State, ...]:
    """Return the states that are held out, in the world's order.

    Args:
        text: states and patterns joined by `;`, or `none`; None for the world's default hold-out.
        world: the world.

    Raises:
        RequestError: with every part that is neither, or if no state is left to train on.
    """
    if text is None:
        return default_hold_out(world)
    states = () if text.strip() == NONE else states_in(text, world)
    check_size(len(states), world)
    return tuple(sorted(states))


def read_form(query: Annotated[FormQuery, Query()]) -> TrainingForm:
    """Return the choices that an address says.

    Raises:
        RequestError: if its world cannot be read; what is wrong with other choices is noted in the form.
    """
    world = load_world(find_world(query.rules))
    faults: list[Fault] = []

    def read(reader: Callable[[], T], otherwise: T) -> T:
        try:
            return reader()
        except RequestError as error:
            faults.extend(error.faults)
            return otherwise

    held_out = read(lambda: read_held(query.held, world), None)
    models = read(lambda: _read_models(query.models), ())
    numbers = {
        name: read(lambda name=name, text=text: _read_number(name, text), None)
        for name in NUMBERS
        if (text := getattr(query, name)) and text.strip() and (name != "heads" or _all_have_heads(models))
    }
    seed = 0 if query.seed is None else read(lambda: read_seed(str(query.seed), "seed"), 0)
    return TrainingForm(
        spec=DatasetSpec(world=world, held_out=held_out or ()),
        name=NAME if query.name is None else query.name.strip(),
        models=models,
        seed=seed,
        until_learned=query.until != "0",
        numbers={name: value for name, value in numbers.items() if value is not None},
        faults=tuple(faults),
        held_out_known=held_out is not None,
    )


FormDependency = Annotated[TrainingForm, Depends(read_form)]


def first_model() -> str:
    """Return the architecture that is trained by default."""
    return next(iter(ARCHITECTURES))


def _read_models(text: str | None) -> tuple[str, ...]:
    if text is None:
        return (first_model(),)
    names = tuple(dict.fromkeys(text.split(","))) if text.strip() not in ("", NONE) else ()
    if not names:
        raise RequestError.of(
            message="no model is chosen", expected="at least one", got="none", hint="Choose one."
        )
    if unknown := [name for name in names if name not in ARCHITECTURES]:
        raise RequestError(
            *(
                Fault(
                    where="models",
                    message="there is no such kind of model",
                    expected=nearest(name, list(ARCHITECTURES)),
                    got=quote(name),
                    hint="Choose among these.",
                )
                for name in unknown
            )
        )
    return names


def _read_number(name: str, text: str) -> float:
    label, kind = NUMBERS[name]
    try:
        return kind(text)
    except ValueError:
        raise RequestError.of(
            message=f"invalid {label.lower()}",
            expected="a whole number" if kind is int else "a number",
            got=quote(text),
            hint="Leave it empty for the default.",
        ) from None


def _all_have_heads(architectures: tuple[str, ...]) -> bool:
    return bool(architectures) and all(ARCHITECTURES[name].limits.heads is not None for name in architectures)
