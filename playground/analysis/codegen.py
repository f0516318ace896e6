"""A mechanism as code: a script and a command that print the same verdict, wherever the package is installed."""

from __future__ import annotations

import shlex

from playground.inference.model import InterventionsLike, as_values
from playground.interventions import format_all

_SCRIPT = '''\
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


def mechanism_as_python(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return a Python script that prints the verdict on a model under interventions, with all that speaks against it.

    Args:
        name: of the models, as in `load_model`.
        run: of the model.
        interventions: values, or their text form.

    Raises:
        RequestError: if a text is not in the text form.
    """
    values = as_values(interventions)
    return _SCRIPT.format(
        name=name,
        run=run,
        text=format_all(values),
        under=" under interventions" if values else "",
        where="" if name == "shipped" else f", in the folder that has models/{name}",
    )


def mechanism_as_command(name: str, run: str, interventions: InterventionsLike = ()) -> str:
    """Return one line for a POSIX shell that prints the verdict on a model under interventions.

    Args and errors are those of `mechanism_as_python`.
    """
    options = [word for each in as_values(interventions) for word in ("--on", str(each))]
    return shlex.join(["the-experiment", "mechanism", "--name", name, "--model", run, *options])
