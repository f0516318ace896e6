"""Processes that need not import PyTorch again: copies of a server that has imported everything that tests run."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from types import ModuleType
from unittest import mock

# Importing takes six times as long as the work of most tests. Each test process has one such server. Its list of
# imports is replaced as a whole, so no other code may set one.
forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(
    [
        "torch",
        "transformer_lens.model_bridge",
        "pandas",
        *(f"playground.{name}" for name in ("cli.main", "analysis", "training")),
        *(f"playground.cli.output.{name}" for name in ("display", "mechanism_output", "progress", "tables")),
    ]
)


def begin(target: Callable[..., None], *arguments: object, **options: object) -> BaseProcess:
    """Start a process that calls a function of a module."""
    process = forkserver.Process(target=target, args=arguments, kwargs=options)
    # Otherwise a copy would rerun the program that runs these tests.
    with mock.patch.dict(sys.modules, __main__=ModuleType("__main__")):
        process.start()
    return process
