"""A server of page Train that has started no training yet, and a world of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.server import api
from api.training import starting
from tests.conftest import SECOND_RULES


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory with a world of one's own."""
    (tmp_path / "data" / "worlds").mkdir(parents=True)
    (tmp_path / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(place: Path) -> Iterator[TestClient]:
    """Return a client of a server that has started no training yet."""
    starting.trainings.cache_clear()
    yield TestClient(api)
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()
