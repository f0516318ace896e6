"""Logging of the program: coloured lines on standard error, files in `logs/` of the working directory.

Set up by the command line and by the app, never by importing the library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record

FOLDER = Path("logs")


def configure(*, verbose: bool = False) -> None:
    """Send log messages to standard error and to a file; safe to call again.

    Args:
        verbose: show debugging messages on standard error as well; the file has them always.
    """
    logger.remove()
    # Looked up at every line: a progress bar stands in for standard error while it is shown.
    logger.add(
        _write_line,
        level="DEBUG" if verbose else "INFO",
        format=_console_line,
        colorize=sys.stderr.isatty(),
    )
    if _can_write():
        logger.add(
            FOLDER / "the-experiment.log",
            level="DEBUG",
            rotation="100 MB",
            retention="10 days",
            encoding="utf-8",
            delay=True,
        )


def _write_line(line: str) -> None:
    sys.stderr.write(line)


def _can_write() -> bool:
    """Return whether there can be log files here: where not, the console has to do."""
    return os.access(FOLDER if FOLDER.exists() else Path.cwd(), os.W_OK) and not FOLDER.is_file()


def _console_line(record: Record) -> str:
    """Return the format of a console line: without the traceback, which is for the file."""
    return "<green>{time:HH:mm:ss}</green> <level>{level: <7}</level> <level>{message}</level>\n"
