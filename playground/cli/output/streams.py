"""Standard input, output and error, which may be closed, full, unread, or unable to encode our characters."""

from __future__ import annotations

import codecs
import errno
import fcntl
import io
import os
import sys
from typing import TextIO

from typing_extensions import Buffer, override

STAND_INS = {
    "✗": "x",
    "✓": "v",
    "†": "+",
    "≈": "~",
    "⚑": "*",
    "│": "|",
    "…": ".",
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "·": ".",
    "→": ">",
    "≤": "<",
    "≥": ">",
    "⏎": "/",
    "━": "-",
    "╸": "-",
    "╺": "-",
    "“": '"',
    "”": '"',
    "’": "'",
}
"""Replacements for characters that an output cannot encode. No two marks of an answer have the same one."""

_ERRORS = "stand-ins"


class OutputError(Exception):
    """An answer that cannot be printed, since standard output does not accept it.

    Args:
        error: the system's error.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error

    @property
    def is_gone(self) -> bool:
        """Whether the reader closed the pipe, as `head` does."""
        return self.error.errno == errno.EPIPE

    @property
    def is_closed(self) -> bool:
        """Whether standard output is closed."""
        return self.error.errno == errno.EBADF


class _Output(io.FileIO):
    """Standard output; failures are raised as an error that no library catches."""

    @override
    def write(self, b: Buffer, /) -> int | None:
        try:
            return super().write(b)
        except OSError as error:
            raise OutputError(error) from error


class _Errors(io.FileIO):
    """Standard error; what cannot be written is lost, and the work goes on."""

    @override
    def write(self, b: Buffer, /) -> int | None:
        try:
            return super().write(b)
        except OSError:
            discard(2)
            return memoryview(b).nbytes


def take_streams() -> None:
    """Replace the three streams with ones that this program can use, whatever it was given."""
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        # Otherwise the next file that is opened gets this number, and printed text lands in it. A standard
        # output that is open for reading only makes printing fail.
        opened = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
        assert opened == number, "the lowest free number is taken"
    codecs.register_error(_ERRORS, _stand_in)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _anew(sys.stdout, _Output, 1)
    sys.stderr = _anew(sys.stderr, _Errors, 2)


def discard(number: int) -> None:
    """Redirect a stream to nowhere, so that later writes do not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def need_no_output() -> None:
    """Discard output if standard output is closed: what a server prints is no answer."""
    if fcntl.fcntl(1, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        discard(1)


def is_unicode(stream: object) -> bool:
    """Return whether a stream can encode every character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name.startswith("utf")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _anew(stream: TextIO | None, kind: type[io.FileIO], number: int) -> io.TextIOWrapper:
    if stream is not None:
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(number, "wb", closefd=False)),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=_ERRORS,
        line_buffering=kind is _Errors or os.isatty(number),
    )


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError), "only what is written is replaced"
    missing = error.object[error.start : error.end]
    return "".join(STAND_INS.get(each, "?") for each in missing), error.end
