"""A question to a model as code: a script and a command that print the same answer wherever the package is installed."""

from __future__ import annotations

import shlex

from playground.files import SHIPPED
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import format_all

_BOARD = '''\
"""The board of models/{name}/{run} under interventions.

It runs wherever the package the-experiment is installed{where}.
"""

from playground.inference import board, load_model

model = load_model("{name}", "{run}")
result = board(model, "{text}")
print(result.to_frame().to_string())
print()
{shares}'''

_SHARE = """\
for states, share in {accuracy}.to_json().items():
    print(f"right{by} ({{states}}):", "no such state" if share is None else f"{{share:.1%}}")
"""

_MECHANISM = '''\
"""How models/{name}/{run} comes to its answers{under}.

It runs wherever the package the-experiment is installed{where}. What was measured is kept in cache/.
"""

from playground.analysis import measure_mechanism, store_of
from playground.inference import load_model

model = load_model("{name}", "{run}")
mechanism = measure_mechanism(model, "{text}", store=store_of(model, "{text}"))
print(*mechanism.verdict, *mechanism.caveats, sep="\\n")
print()
for claim in mechanism.claims:
    print(claim)
    for counterexample in claim.counterexamples:
        print("    not in", counterexample)
'''


def as_python(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return a Python script that prints the board of a model under interventions.

    Args:
        name: of the models, as in `load_model`.
        run: of the model.
        interventions: values, or their text form.

    Raises:
        RequestError: if a text is not in the text form.
    """
    values = as_values(interventions)
    forces = any(each.kind == "force" for each in values)
    shares = _SHARE.format(accuracy="result.accuracy", by=" by the rules" if forces else "")
    if forces:
        shares += _SHARE.format(accuracy="result.accuracy_do", by=" by the rules with the forced outputs set")
    return _BOARD.format(name=name, run=run, text=format_all(values), where=_where(name), shares=shares)


def as_command(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return one line for a POSIX shell that prints the board of a model; args and errors as for `as_python`."""
    return _command("board", name, run, interventions)


def mechanism_as_python(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return a Python script that prints the verdict on a model; args and errors as for `as_python`."""
    text = format_all(as_values(interventions))
    under = " under interventions" if text else ""
    return _MECHANISM.format(name=name, run=run, text=text, under=under, where=_where(name))


def mechanism_as_command(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return one line for a POSIX shell that prints the verdict on a model; args and errors as for `as_python`."""
    return _command("mechanism", name, run, interventions)


def _where(name: str) -> str:
    return "" if name == SHIPPED else f", in the folder that has models/{name}"


def _command(verb: str, name: str, run: str, interventions: InterventionsLike) -> str:
    options = [word for each in as_values(interventions) for word in ("--on", str(each))]
    return shlex.join(["the-experiment", verb, "--name", name, "--model", run, *options])
