"""Logging: lines on standard error, and files in `logs/` of the working directory.

Set up by the command line and by the app, never by importing the library.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger
from typing_extensions import override

from playground.places import fault_of

if TYPE_CHECKING:
    from io import TextIOWrapper

    from loguru import Record

FOLDER = Path("logs")
FILE = FOLDER / "the-experiment.log"
_LARGEST = 100_000_000
"""Bytes of a log file; a full file is rotated."""
_SET_ASIDE = 3
_LINE = "<green>{time:HH:mm:ss}</green> <level>{level: <7}</level> <level>{message}</level>\n"


def configure(*, verbose: bool = False, once: bool = False) -> None:
    """Send log messages to standard error and to a file; safe to call again.

    Args:
        verbose: show debugging messages on standard error as well; the file always has them.
        once: show each warning only once, for commands that end soon.
    """
    logger.remove()
    said: set[str] = set()

    def is_new(record: Record) -> bool:
        if not once or record["level"].name != "WARNING":
            return True
        known = record["message"] in said
        said.add(record["message"])
        return not known

    # Looked up at every line: a progress bar replaces standard error while it is shown.
    logger.add(
        _write_line,
        level="DEBUG" if verbose else "INFO",
        # Without the traceback, which goes to the file only.
        format=lambda record: _LINE,
        colorize=_has_colours(),
        filter=is_new,
    )
    if _can_write():
        logger.add(_File(), level="DEBUG")


def where_details_are() -> str:
    """Return a sentence that says where the traceback is; empty if it was not written."""
    # The first line creates the file, and this sentence may be part of that line.
    kept = os.access(FILE, os.W_OK) if FILE.is_file() else _can_write()
    return f" Details are in {FILE}." if kept else ""


def _write_line(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(line)


def _has_colours() -> bool:
    """Return whether to use colours, as rich decides: from the terminal, NO_COLOR and FORCE_COLOR."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.color_system is not None and not console.no_color


def _can_write() -> bool:
    """Return whether log files can be written here; otherwise only the console is used."""
    return os.access(FOLDER if FOLDER.exists() else Path.cwd(), os.W_OK) and not FOLDER.is_file()


class _File(RotatingFileHandler):
    """The log file; if it cannot be written, this is reported once and logging to it stops."""

    def __init__(self) -> None:
        super().__init__(FILE, maxBytes=_LARGEST, backupCount=_SET_ASIDE, encoding="utf-8", delay=True)
        self._given_up = False

    @override
    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    @override
    def emit(self, record: LogRecord) -> None:
        if not self._given_up:
            super().emit(record)

    @override
    def close(self) -> None:
        # Closing retries what could not be written.
        with suppress(OSError):
            super().close()

    @override
    def handleError(self, record: LogRecord) -> None:
        error = sys.exc_info()[1]
        self._given_up = True
        why = fault_of(error).got if isinstance(error, OSError) else str(error)
        _write_line(f"{FILE} cannot be written: {why}. Messages are shown here only.\n")
