"""Questions of page Train, as its tests ask them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from tests.support.program import HANGS

SMALL = {"rules": "small", "models": "rnn", "width": "16", "layers": "1", "epochs": "0.05"}
"""A training of seconds."""


def check(client: TestClient, **query: str) -> dict[str, Any]:
    answer = client.get("training/check", params=query)
    assert answer.status_code == 200
    return answer.json()


def said(answer: dict[str, Any]) -> str:
    return "\n".join(fault["text"] for fault in answer["faults"])


def trainings(client: TestClient) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in client.get("training/trainings").json()["trainings"]}


def wait_for(client: TestClient, name: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until something is true of a training, and return what is said of it."""
    deadline = time.monotonic() + HANGS
    while not true(found := trainings(client)[name]):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def start(client: TestClient, **query: str) -> dict[str, Any]:
    answer = client.post("training/start", params=SMALL | query)
    assert answer.status_code == 200, answer.text
    return answer.json()
