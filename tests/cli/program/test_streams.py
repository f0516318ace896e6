"""What the program is given to write to: closed, full, or read by nobody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from tests.cli.commands import ALL, PRINTING, SILENT
from tests.support.ports import reserved_port
from tests.support.program import HANGS, PROGRAM, run_program

pytestmark = pytest.mark.slow


def close_errors() -> None:
    os.close(2)
    sys.stderr = None


def fill_errors() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)


def break_errors() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 2)


def close_input() -> None:
    os.close(0)
    sys.stdin = None


def close_output() -> None:
    os.close(1)
    sys.stdout = None


def close_all() -> None:
    close_input()
    close_output()
    close_errors()


def fill_output() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def break_output() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)


def each_and_a_few(commands: dict, first, others: list, few: list[str]) -> list:
    """Return every command with the first preparation, and a few of them with each of the others."""
    return [(name, first) for name in commands] + [(name, each) for each in others for name in few]


@pytest.mark.parametrize(
    ("command", "prepare"),
    each_and_a_few(
        ALL,
        close_errors,
        [fill_errors, break_errors, close_input],
        ["board", "mechanism", "train", "generate"],
    ),
)
def test_every_command_works_without_standard_error_and_without_input(place, command, prepare):
    result = run_program(*ALL[command], cwd=place, prepare=prepare)
    assert result.returncode == 0, result.stderr
    assert bool(result.stdout) == (command in PRINTING)
    if prepare is not close_input:
        assert result.stderr == ""


SAID = {
    close_output: (2, "expected that it is open, got a closed one"),
    fill_output: (1, "No space left on device"),
    break_output: (141, ""),
    close_all: (2, ""),
}


@pytest.mark.parametrize(
    ("command", "prepare"),
    each_and_a_few(
        PRINTING,
        close_output,
        [fill_output, break_output, close_all],
        ["help", "board as JSON", "board", "guess"],
    ),
)
def test_what_cannot_be_printed_is_no_success(place, command, prepare):
    result = run_program(*PRINTING[command], cwd=place, prepare=prepare)
    status, said = SAID[prepare]
    assert result.returncode == status, result.stderr
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("command", "prepare"),
    each_and_a_few(SILENT, close_output, [fill_output, break_output, close_all], ["train"]),
)
def test_what_prints_nothing_needs_nothing_to_print_to(place, command, prepare):
    result = run_program(*SILENT[command], cwd=place, prepare=prepare)
    assert result.returncode == 0, result.stderr


def test_nothing_that_is_printed_lands_in_a_file(place):
    """The first file that is opened would have the number of a stream that is closed."""
    for name in ("board", "train", "export"):
        run_program(*ALL[name], cwd=place, prepare=close_all)
    log = (place / "logs" / "the-experiment.log").read_text()
    assert all(re.match(r"\d{4}-\d\d-\d\d |$", line) for line in log.splitlines())


@pytest.mark.parametrize(
    "command",
    [("--help",), ("train", "--help"), ("world",)],
    ids=" ".join,
)
def test_help_that_cannot_be_printed_is_answered_as_anything_else(tmp_path, command):
    result = subprocess.run(
        ["bash", "-c", f"{PROGRAM} {' '.join(command)} >&-"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert result.returncode == 2
    assert re.match(r"\d\d:\d\d:\d\d ERROR   standard output is closed", result.stderr)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("redirection", "status"),
    [("2>&-", 0), ("<&-", 0), (">&-", 2), ("> /dev/full", 1), ("2> /dev/full", 0), (">&- 2>&- <&-", 2)],
)
def test_as_a_shell_starts_it(tmp_path, redirection, status):
    result = subprocess.run(
        ["bash", "-c", f"{PROGRAM} guess --json {redirection}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert result.returncode == status
    assert b"Traceback" not in result.stderr
    assert b"Exception" not in result.stderr
    if status == 0:
        assert json.loads(result.stdout)


@pytest.mark.parametrize("reader", ["head -c 0", "true", "exec 0<&-"])
def test_a_reader_that_has_had_enough(tmp_path, reader):
    reading, writing = os.pipe()
    subprocess.run(["bash", "-c", reader], stdin=reading, check=True)
    os.close(reading)
    result = subprocess.run(
        [PROGRAM, "guess", "--json"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&- <&-", "2>&-"])
def test_the_app_is_served_whatever_it_is_given(tmp_path, redirection):
    with (
        reserved_port() as port,
        subprocess.Popen(
            ["bash", "-c", f"exec {PROGRAM} ui --no-browser --port {port} {redirection}"],
            cwd=tmp_path,
            stdout=-1,
            stderr=-1,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + HANGS
            while True:
                assert process.poll() is None
                assert time.monotonic() < deadline
                try:
                    with urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                        assert answer.status == 200
                        break
                except OSError:
                    time.sleep(0.2)
        finally:
            process.terminate()
