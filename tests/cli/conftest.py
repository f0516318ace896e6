"""The program's commands without a process of its own, for what has nothing to do with processes."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest
import typer

from playground.cli.main import app
from playground.interventions import NamedCondition, export_conditions, save_condition


@pytest.fixture
def invoke(workplace_copy, monkeypatch):
    """Return a function that runs a command in a working directory with small models and returns what it prints.

    A wrong request is raised, as `main` would catch it; nothing has been printed then.
    """
    monkeypatch.chdir(workplace_copy)
    monkeypatch.setenv("COLUMNS", "160")
    program = typer.main.get_command(app)
    # What comes before all commands sets up logging, and typer gives it another context than it names.
    program.callback = None

    def run(*arguments: str) -> str:
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                program.main(list(arguments), standalone_mode=False)
        except ValueError:
            assert printed.getvalue() == ""
            raise
        return printed.getvalue()

    return run


@pytest.fixture
def place(workplace_copy):
    """Return a working directory with a condition of its own, and a file of conditions to import."""
    save_condition(NamedCondition("known", ("zero:L1",), "d’où → où"), workplace_copy / "conditions.json")
    (workplace_copy / "shared.json").write_text(
        export_conditions([NamedCondition("shared", ("zero:L0",), "")])
    )
    return workplace_copy
