"""Page Train where nothing may be written: it names the folder before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.server import api
from tests.support.privileges import without_privileges


@pytest.mark.parametrize("closed", ["", "models", "data", "models/mine"])
def test_a_folder_that_cannot_be_written_is_named_before_the_start(tmp_path, monkeypatch, closed):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / closed
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    folder.chmod(0o555)
    try:
        with without_privileges():
            checked = TestClient(api).get("training/check")
            started = TestClient(api).post("training/start")
    finally:
        folder.chmod(0o755)
    assert started.status_code == 422
    assert checked.json()["faults"] == started.json()["faults"]
    [fault] = started.json()["faults"]
    assert f"{folder}: this folder is read-only" in fault["text"]
    assert "Start the app in a folder of your own" in fault["text"]
    assert [path for path in sorted(tmp_path.rglob("*")) if not _is_of_logs(path, tmp_path)] == before


def _is_of_logs(path: Path, place: Path) -> bool:
    return path.relative_to(place).parts[0] == "logs"
