"""`discard`: what stopped trainings have learnt is thrown away."""

from __future__ import annotations

from typing import Annotated

import typer
from loguru import logger

from playground.cli.options import Name, ReplaceShipped
from playground.files import folder_to_write
from playground.startup import many_imports


def discard(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Such as gpt2, or mann@3.")],
    name: Name = "default",
    replace_shipped: ReplaceShipped = False,
) -> None:
    """Throw away what stopped trainings have learnt; complete runs stay as they are."""
    folder = folder_to_write("models", name, replace_shipped=replace_shipped)
    with many_imports():
        from playground.training import discard as throw_away

    for run, step in throw_away(folder, runs):
        what = (
            "what was asked for (it never began)" if step is None else f"what it had learnt in {step:,} steps"
        )
        logger.success("{}: {} is thrown away", run, what)
