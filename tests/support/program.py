"""The program in its own process: as installed, or in a copy that need not import PyTorch again."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.forking import begin, forkserver

PROGRAM = str(Path(sys.executable).with_name("the-experiment"))
"""The installed command."""
HANGS = 600
"""Seconds after which a program counts as hanging: no measure of speed."""
_TERMINAL = {"COLUMNS": "160", "NO_COLOR": "1"}


def _as_it_is() -> None:
    """Change nothing."""


def run_installed(*arguments: str, cwd: Path, timeout: float = HANGS) -> subprocess.CompletedProcess[str]:
    """Run the command that was installed; see `run_program`."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=cwd,
        env={**os.environ, **_TERMINAL},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_program(
    *arguments: str, cwd: Path, timeout: float = HANGS, prepare: Callable[[], None] = _as_it_is
) -> subprocess.CompletedProcess[str]:
    """Run the program as `run_installed` does, in a fifth of the time.

    Args:
        arguments: of the command line.
        cwd: the working directory.
        timeout: seconds after which it is killed.
        prepare: a function of a module that is called in its process before it begins.

    Raises:
        subprocess.TimeoutExpired: if it had to be killed.
    """
    return _run_copy(_be_the_program, ("the-experiment", *arguments), cwd, timeout, prepare)


def run_script(script: Path, *, cwd: Path, timeout: float = HANGS) -> subprocess.CompletedProcess[str]:
    """Run a script as `python SCRIPT` does, in a fifth of the time; see `run_program`."""
    return _run_copy(_be_a_script, (str(script),), cwd, timeout, _as_it_is)


def _run_copy(
    target: Callable[[], None],
    command: tuple[str, ...],
    cwd: Path,
    timeout: float,
    prepare: Callable[[], None],
) -> subprocess.CompletedProcess[str]:
    # Pipes, not files: output must come through even if a test lets no file grow.
    readers, writers = zip(*(forkserver.Pipe(duplex=False) for _ in range(2)), strict=True)
    process = begin(_run, target, command, cwd, *writers, prepare)
    for writer in writers:
        writer.close()
    with ThreadPoolExecutor() as threads:
        streams = [threads.submit(_read_all, reader) for reader in readers]
        process.join(timeout)
        late = process.is_alive()
        if late:
            process.kill()
            process.join()
        stdout, stderr = (stream.result() for stream in streams)
    if late:
        raise subprocess.TimeoutExpired(command, timeout, stdout, stderr)
    code = process.exitcode
    assert code is not None
    return subprocess.CompletedProcess(command, code, stdout, stderr)


def _read_all(reader: Connection) -> str:
    """Return everything written to a pipe until it is closed."""
    with reader, os.fdopen(os.dup(reader.fileno()), encoding="utf-8") as stream:
        return stream.read()


def _run(
    target: Callable[[], None],
    command: tuple[str, ...],
    cwd: Path,
    stdout: Connection,
    stderr: Connection,
    prepare: Callable[[], None],
) -> None:
    """Become the program that is run."""
    for number, stream in ((1, stdout), (2, stderr)):
        os.dup2(stream.fileno(), number)
        stream.close()
    _become(target, command, cwd, prepare)


def _become(
    target: Callable[[], None], command: tuple[str, ...], cwd: Path, prepare: Callable[[], None]
) -> None:
    os.chdir(cwd)
    os.environ |= _TERMINAL
    sys.argv = list(command)
    prepare()
    target()


def become_program(arguments: tuple[str, ...], cwd: Path, prepare: Callable[[], None]) -> None:
    """Become the program, in a process of `begin`; see `run_program`."""
    _become(_be_the_program, ("the-experiment", *arguments), cwd, prepare)


def _be_the_program() -> None:
    from playground.cli.main import main

    main()


def _be_a_script() -> None:
    runpy.run_path(sys.argv[0], run_name="__main__")
