"""Log files: what they have, and what is said where they cannot be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import ALL
from tests.support.permissions import bind
from tests.support.program import run_program

pytestmark = pytest.mark.slow


def fill_log() -> None:
    Path("logs").mkdir()
    Path("logs/the-experiment.log").symlink_to("/dev/full")


def make_logs_a_file() -> None:
    Path("logs").write_text("mine")


def make_logs_lead_nowhere() -> None:
    Path("logs").symlink_to("nowhere/at/all")
    Path("nowhere").write_text("a file")


def lock_log() -> None:
    Path("logs").mkdir()
    Path("logs/the-experiment.log").write_text("")
    Path("logs/the-experiment.log").chmod(0o400)
    bind()


def lock_logs() -> None:
    Path("logs").mkdir()
    Path("logs").chmod(0o500)
    bind()


def make_log_a_folder() -> None:
    Path("logs/the-experiment.log").mkdir(parents=True)


UNWRITABLE = [fill_log, make_logs_a_file, make_logs_lead_nowhere, lock_log, lock_logs, make_log_a_folder]


@pytest.mark.parametrize("prepare", UNWRITABLE)
@pytest.mark.parametrize("command", ["board as JSON", "generate"])
def test_a_log_file_that_cannot_be_written_takes_one_line_at_most(place, command, prepare):
    shutil.rmtree(place / "logs", ignore_errors=True)
    result = run_program(*ALL[command], cwd=place, prepare=prepare)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert "Logging error" not in result.stderr
    assert result.stderr.count("cannot be written") <= 1
    if command == "board as JSON":
        assert json.loads(result.stdout)


def test_a_log_file_that_works_has_what_was_said_and_the_details(place):
    run_program("board", "--name", "nosuch", cwd=place)
    log = (place / "logs" / "the-experiment.log").read_text()
    assert "| ERROR    | " in log
    assert "run.json in models/nosuch/gpt2" in log


def test_a_warning_is_said_once(place):
    shutil.rmtree(place / "cache", ignore_errors=True)  # Of another test's, which the place is a copy of.
    place.chmod(0o500)
    result = run_program("mechanism", "--model", "cnn", cwd=place, prepare=bind)
    place.chmod(0o700)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("what is measured is not kept") == 1
