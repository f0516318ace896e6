"""`discard` throws away stopped trainings; `seal` accepts runs whose files were changed on purpose."""

from __future__ import annotations

from typing import Annotated

import typer
from loguru import logger

from playground.begun import is_complete
from playground.cli.options import Name, ReplaceShipped
from playground.errors import Fault, RequestError, quote
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


def seal(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Such as gpt2 or rnn@5.")],
    name: Name = "default",
    replace_shipped: ReplaceShipped = False,
) -> None:
    """Accept a run whose files you changed on purpose: write its tokenizer and its SHA-256 digests anew.

    The weights stay as they are. run.json notes when this was done and what had changed.
    """
    folder = folder_to_write("models", name, replace_shipped=replace_shipped)
    with many_imports():
        from playground.models import is_run_name, seal_run

    missing = [run for run in runs if ":" in run or not is_run_name(run) or not is_complete(folder / run)]
    if missing:
        raise RequestError(
            *(
                Fault(
                    message="there is no complete run to seal",
                    expected=f"a folder {folder / 'RUN'} with a run.json, such as {folder / 'gpt2'}",
                    got=quote(run),
                    hint="Name it by its folder, without a step of its training.",
                )
                for run in missing
            )
        )
    for run in runs:
        found = seal_run(folder / run)
        if found is None:
            logger.info("{}: nothing has changed, and nothing was written", folder / run)
            continue
        parts = {"changed": found.changed, "without a digest before": found.added}
        words = "; ".join(f"{label}: {', '.join(names)}" for label, names in parts.items() if names)
        logger.info("{}: sealed ({})", folder / run, words)
