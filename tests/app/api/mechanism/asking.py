"""Questions of page Mechanism, as its tests ask them."""

from __future__ import annotations

from fastapi.testclient import TestClient

from api.mechanism import findings, verdicts
from tests.app.api.documents import ask_parts, read_document

GPT2 = {"name": "default", "model": "gpt2"}


def panel(client: TestClient, method: str, **query: object) -> dict:
    return ask_parts(client, "mechanism/panel", method=method, **query)[-1]


def faults_of(response) -> list[str]:
    assert response.status_code == 422
    return [fault["text"] for fault in response.json()["faults"]]


def cases(client: TestClient, query: dict) -> dict | None:
    response = client.get("/mechanism/cases", params=query)
    assert response.status_code == 200, response.text
    return read_document(response.content)["cases"]


def forget() -> None:
    findings._finding.cache_clear()
    verdicts._conclude.cache_clear()
