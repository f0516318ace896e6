"""Page Train where nothing may be written: it names the folder before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.browser import APP
from tests.support.privileges import without_privileges


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["", "models", "data", "models/mine"])
def test_a_folder_that_cannot_be_written_is_named_before_the_start(tmp_path, monkeypatch, closed):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / closed
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600).run()
    folder.chmod(0o555)
    try:
        with without_privileges():
            app.switch_page("app_pages/train/page.py").run()
            app.button(key="start").click().run()
    finally:
        folder.chmod(0o755)
    assert not app.exception
    [said] = [error.value.replace("\\", "") for error in app.error]
    assert f"{folder}: this folder is read-only" in said
    assert "Start the app in a folder of your own" in said
    assert [path for path in sorted(tmp_path.rglob("*")) if not _is_of_logs(path, tmp_path)] == before


def _is_of_logs(path: Path, place: Path) -> bool:
    return path.relative_to(place).parts[0] == "logs"
