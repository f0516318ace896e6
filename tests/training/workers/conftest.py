"""Workers that begin at once."""

from __future__ import annotations

import pytest

from tests.training.processes import QuickProcess, start_quickly


@pytest.fixture
def workers(monkeypatch) -> list[QuickProcess]:
    """Have workers that need not import PyTorch anew, and return what will be all of them."""
    started = []

    def start(nice):
        process, connection = start_quickly(nice)
        started.append(process)
        return process, connection

    monkeypatch.setattr("playground.training.workers.pool._start", start)
    return started
