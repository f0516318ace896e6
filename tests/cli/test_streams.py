"""What the program is given to write to: closed, full, read by nobody, without its characters, without colours."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from playground.cli.output.display import GIVEN_MARK
from playground.cli.output.streams import STAND_INS
from playground.datasets import MARKS
from playground.interventions import NamedCondition, export_conditions, save_condition
from tests.cli.commands import ALL, PRINTING, SILENT
from tests.permissions import bind
from tests.ports import reserved_port
from tests.program import HANGS, run_program

pytestmark = pytest.mark.slow

PROGRAM = str(Path(sys.executable).with_name("the-experiment"))


@pytest.fixture
def place(workplace_copy):
    """Return a working directory with a condition of its own, and a file of conditions to import."""
    save_condition(NamedCondition("known", ("zero:L1",), "d’où → où"), workplace_copy / "conditions.json")
    (workplace_copy / "shared.json").write_text(
        export_conditions([NamedCondition("shared", ("zero:L0",), "")])
    )
    return workplace_copy


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


def on_terminal(command: tuple[str, ...], cwd: Path, **environment: str) -> str:
    """Return what a command writes to a terminal, standard error included."""
    mine, its = pty.openpty()
    unset = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM")
    known = {name: value for name, value in os.environ.items() if name not in unset}
    with subprocess.Popen(
        [PROGRAM, *command], cwd=cwd, stdin=its, stdout=its, stderr=its, env=known | environment
    ) as process:
        os.close(its)
        written = b""
        while True:
            try:
                read = os.read(mine, 65_536)
            except OSError:  # The other end is closed.
                break
            if not read:
                break
            written += read
        assert process.wait() in (0, 2)
    os.close(mine)
    return written.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*(?<![0-9])(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
@pytest.mark.parametrize(
    "command",
    [("conditions", "list"), ("generate", "-o", "1"), ("guess", "--omit", "1,1,1,1,1;0,1,1,1,1;1,0,1,1,1")],
)
def test_colours_on_a_terminal(tmp_path, command, environment, coloured):
    written = on_terminal(command, tmp_path, **environment)
    # A table of guesses has no colour of its own.
    if command[0] != "guess" or not coloured:
        assert bool(COLOUR.search(written)) == coloured


@pytest.mark.parametrize(("environment", "coloured"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_colours_in_a_file(tmp_path, environment, coloured):
    result = subprocess.run(
        [PROGRAM, "conditions", "list"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(COLOUR.search(result.stderr)) == coloured


SHOWN = {mark.symbol: mark.plain for mark in MARKS.values() if mark.symbol} | {GIVEN_MARK: "|"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r"])
def test_marks_are_told_apart_in_every_encoding(encoding):
    shown = [mark if can(mark, encoding) else STAND_INS[mark] for mark in SHOWN]
    assert len(set(shown)) == len(SHOWN)
    assert "?" not in shown


def test_a_mark_has_one_stand_in():
    assert {mark: STAND_INS[mark] for mark in SHOWN} == SHOWN
    assert all(len(each) == 1 and each.isascii() for each in STAND_INS.values())


def can(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def speak(encoding: str) -> None:
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), encoding=encoding)  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), encoding=encoding)  # noqa: SIM115


def speak_ascii() -> None:
    speak("ascii")


def speak_latin() -> None:
    speak("latin-1")


@pytest.mark.parametrize("prepare", [speak_ascii, speak_latin])
def test_what_is_printed_where_there_are_few_characters(place, prepare):
    forced = ("board", "--on", "force:newB=!", "--on", "zero:L0")
    words = run_program(*forced, cwd=place, prepare=prepare).stdout
    usual = run_program(*forced, cwd=place).stdout
    assert words.isascii()
    assert "?" not in words
    assert len(words) == len(usual)
    for one, other in zip(usual, words, strict=True):
        assert other == (one if one.isascii() else STAND_INS[one])
    known = json.loads(run_program("conditions", "list", "--json", cwd=place, prepare=prepare).stdout)
    assert known[0]["note"] == "d’où → où"
    exported = json.loads(run_program("conditions", "export", cwd=place, prepare=prepare).stdout)
    assert "d’où → où" in json.dumps(exported, ensure_ascii=False)


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_as_a_system_without_unicode_starts_it(tmp_path, environment):
    written = on_terminal(("guess", "--omit-random", "3"), tmp_path, TERM="dumb", **environment)
    assert written.isascii()
    assert "?" not in written


def test_a_warning_is_said_once(place):
    shutil.rmtree(place / "cache", ignore_errors=True)  # Of another test's, which the place is a copy of.
    place.chmod(0o500)
    result = run_program("mechanism", "--model", "cnn", cwd=place, prepare=bind)
    place.chmod(0o700)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("what is measured is not kept") == 1
