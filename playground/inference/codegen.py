"""A condition as code: a script and a command that print the same board, wherever the package is installed."""

from __future__ import annotations

import shlex

from playground.inference.model import InterventionsLike, as_values
from playground.interventions import format_all

_SCRIPT = '''\
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
    text = format_all(values)
    forces = any(each.kind == "force" for each in values)
    shares = _SHARE.format(accuracy="result.accuracy", by=" by the rules" if forces else "")
    if forces:
        shares += _SHARE.format(accuracy="result.accuracy_do", by=" by the rules with the forced outputs set")
    return _SCRIPT.format(
        name=name,
        run=run,
        text=text,
        where="" if name == "shipped" else f", in the folder that has models/{name}",
        shares=shares,
    )


def as_command(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return one line for a POSIX shell that prints the board of a model under interventions.

    Args and errors are those of `as_python`.
    """
    options = [word for each in as_values(interventions) for word in ("--on", str(each))]
    return shlex.join(["the-experiment", "board", "--name", name, "--model", run, *options])
