"""The app's script without a browser: it gives the client its place, and knows nothing of models."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.app.browser import APP
from ui.pages import BUILT_IN, FIRST

SCRIPT = str(APP / "script.py")


@pytest.mark.parametrize("page", [page.name for page in BUILT_IN])
def test_every_page_is_run_whatever_the_address_says(tmp_path, monkeypatch, page):
    """Also where there is no model, no world and no training: the client says so."""
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_file(SCRIPT, default_timeout=600)
    app.query_params.update({"name": "nosuch", "model": "gpt2", "state": "9", "on": "bad"})
    if page != FIRST:
        app._page_hash = calc_hash(page)
    app.run()
    assert not app.exception
    assert not app.error
    assert all(part in app.session_state for part in (f"client_{page}", "client_sidebar"))
