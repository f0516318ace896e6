"""How variables of causal models are chosen and named."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from playground.analysis.base.presentation import Sentence
from playground.analysis.base.view import View
from playground.worlds import CausalVariable, World, causal_variables

_DESCRIPTIONS = {
    "input": "the input {}, with all that follows from it",
    "written": "{} as written",
    "recomputed": "{}, recomputed from the inputs",
    "partial sum": "the partial sum {}",
}
_NAMES = {
    "input": "{} (input)",
    "written": "{} (as written)",
    "recomputed": "{} (recomputed)",
    "partial sum": "{} (partial sum)",
}


def text_of(kind: str, name: str) -> str:
    """Return a variable as written in page addresses."""
    return f"{kind}:{name}"


def name_of(kind: str, name: str) -> str:
    """Return the name of a variable in a table."""
    return _NAMES[kind].format(name)


def describe(variable: CausalVariable) -> str:
    """Return a variable in words."""
    return _DESCRIPTIONS[variable.kind].format(variable.name)


def variables_of(world: World, answer: str) -> tuple[CausalVariable, ...]:
    """Return the variables that an answer depends on."""
    return tuple(each for each in causal_variables(world) if answer in each.answers(world))


def why_nothing(view: View, answers: Collection[str], *, waiting: bool) -> Iterator[Sentence]:
    """Yield why nothing based on interchange accuracy is shown, if that is so.

    Args:
        view: the view of the model.
        answers: the answers that follow a variable in some pairs of states.
        waiting: whether interchange accuracy has not been measured yet.
    """
    if waiting:
        yield Sentence(text="Interchange accuracy has to be measured first.")
    elif view.answer is not None and view.answer not in answers:
        yield Sentence(text=f"No pair of states tells whether {view.answer} follows a variable.")


def default_variable(world: World, answer: str) -> CausalVariable | None:
    """Return the variable shown by default: an output that the answer reads; None if it depends on nothing."""
    fitting = variables_of(world, answer)
    read = (each for each in fitting if each.kind == "written" and each.output != answer)
    return next(iter([*read, *fitting]), None)


def variable_of(world: World, answer: str, chosen: str | None) -> CausalVariable | None:
    """Return the variable to show: the chosen one if the answer depends on it, otherwise the default.

    Args:
        world: the model's world.
        answer: the answer.
        chosen: a variable as `text_of` writes it.
    """
    found = (each for each in variables_of(world, answer) if text_of(each.kind, each.name) == chosen)
    return next(found, None) or default_variable(world, answer)
