"""What the program writes to: a terminal with colours or without, an output that lacks its characters."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.cli.output.display import GIVEN_MARK
from playground.cli.output.streams import STAND_INS
from playground.datasets import MARKS
from tests.support.program import PROGRAM, run_program

pytestmark = pytest.mark.slow


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
