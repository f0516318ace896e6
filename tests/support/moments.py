"""Moments at which a training is killed, or waits: where it stands in its work, and not what a clock says."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.forking import begin, forkserver
from tests.support.program import HANGS, become_program, run_program


@dataclass(frozen=True)
class Moment:
    """The moment at which something has first been done with a file.

    Args:
        event: the name under which Python audits it.
        file: its name.
    """

    event: str
    file: str


REQUEST = Moment("os.rename", "request.json")
"""It is known what is asked for: as of a program that has not imported PyTorch."""
PLANNED = Moment("os.rename", "job.json")
"""What is to be done is written, beside what was asked for."""
JOB = Moment("os.remove", "request.json")
"""What is to be done is written in place of what was asked for."""
STATE = Moment("os.rename", "state.safetensors")
"""There is a state from which the training can go on."""


def run_until(moment: Moment, *arguments: str, cwd: Path) -> None:
    """Run the program, and kill it at a moment."""
    ended = run_program(*arguments, cwd=cwd, prepare=partial(_act_at, moment, _die))
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@contextmanager
def waiting_at(moment: Moment, *arguments: str, cwd: Path) -> Iterator[int]:
    """Run the program until a moment, and have it wait there until it is killed; give the process's number."""
    ours, its = forkserver.Pipe()
    process = begin(_run_and_wait, moment, arguments, cwd, its)
    its.close()
    try:
        assert ours.poll(HANGS), "it hangs"
        yield ours.recv()
        assert process.is_alive()
    finally:
        process.kill()
        process.join()
        ours.close()


def _run_and_wait(moment: Moment, arguments: tuple[str, ...], cwd: Path, connection: Connection) -> None:
    def wait() -> None:
        connection.send(os.getpid())
        connection.recv()  # Nothing comes: if the test's process ends, so does this one.

    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    become_program(arguments, cwd, partial(_act_at, moment, wait))


def _act_at(moment: Moment, act: Callable[[], None]) -> None:
    """Have this process do something at a moment.

    An event is told before it happens: once its thread tells of another one, it has happened.
    """
    thread, acted = None, False

    def hear(event: str, arguments: tuple) -> None:
        nonlocal thread, acted
        if acted:
            return
        if thread == threading.get_ident():
            acted = True
            act()
        elif event == moment.event and Path(os.fsdecode(arguments[event == "os.rename"])).name == moment.file:
            thread = threading.get_ident()

    sys.addaudithook(hear)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
