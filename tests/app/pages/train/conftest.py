"""A server with trained models, and a small world to train on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.browser import serve
from tests.conftest import SECOND_RULES


@pytest.fixture
def place(workplace: Path, tmp_path: Path) -> Path:
    """Return a working directory with trained models, and a world of one's own."""
    shutil.copytree(workplace / "models" / "default" / "gpt2", tmp_path / "models" / "default" / "gpt2")
    (tmp_path / "data" / "worlds").mkdir(parents=True)
    (tmp_path / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    return tmp_path


@pytest.fixture
def site(place: Path) -> Iterator[str]:
    with serve(place) as address:
        yield address
