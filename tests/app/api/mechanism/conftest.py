"""The small runs that page Mechanism is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.server import api
from playground.inference import Model, open_model
from tests.app.api.mechanism.asking import forget
from tests.conftest import random_checkpoint


@pytest.fixture
def client(workplace, monkeypatch) -> TestClient:
    """Return the API, asked in the working directory with the small runs."""
    monkeypatch.chdir(workplace)
    return TestClient(api)


@pytest.fixture
def model(workplace, monkeypatch) -> Model:
    """Return the small GPT-2 of the second world, with the working directory that it is in."""
    monkeypatch.chdir(workplace)
    return open_model(workplace / "models" / "second" / "gpt2", "cpu")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def random_gpt2(second_spec, place) -> Model:
    """Return a GPT-2 of the second world with random weights, in a working directory of its own."""
    return open_model(random_checkpoint(second_spec, place / "models" / "default" / "gpt2"), "cpu")


@pytest.fixture(autouse=True)
def _forget_findings():
    forget()
