"""Moments at which a training is killed or waits, defined by its progress instead of a clock."""

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
    """The first moment after something has been done with a file.

    Args:
        event: its name in Python's audit events.
        file: name of the file.
    """

    event: str
    file: str


REQUEST = Moment("os.rename", "request.json")
"""The request is written; the program has not imported PyTorch yet."""
PLANNED = Moment("os.rename", "job.json")
"""The job is written, next to the request."""
JOB = Moment("os.remove", "request.json")
"""The job has replaced the request."""
STATE = Moment("os.rename", "state.safetensors")
"""There is a state from which the training can resume."""


def run_until(moment: Moment, *arguments: str, cwd: Path) -> None:
    """Run the program, and kill it at a moment."""
    ended = run_program(*arguments, cwd=cwd, prepare=partial(_act_at, moment, _die))
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@contextmanager
def waiting_at(moment: Moment, *arguments: str, cwd: Path) -> Iterator[int]:
    """Run the program until a moment, where it waits until it is killed; yield the process's number."""
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
        connection.recv()  # Never receives anything: if the test's process ends, so does this one.

    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    become_program(arguments, cwd, partial(_act_at, moment, wait))


def _act_at(moment: Moment, act: Callable[[], None]) -> None:
    """Make this process do something at a moment.

    Python audits an event before it happens: it has happened once the same thread audits another one.
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
