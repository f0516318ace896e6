"""Answers of the API, read as the client reads them."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

from fastapi.testclient import TestClient
from safetensors.numpy import load


def read_document(content: bytes) -> dict[str, Any]:
    """Return the answer in one document of safetensors, with its arrays in place."""
    size = int.from_bytes(content[:8], "little")
    answer = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["answer"])
    for path, array in load(content).items():
        *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        reduce(lambda place, step: place[step], steps, answer)[last] = array
    return answer


def read_documents(content: bytes) -> list[dict[str, Any]]:
    """Return the answers in a stream of documents."""
    found = []
    while content:
        size = int.from_bytes(content[:8], "little")
        found.append(read_document(content[8 : 8 + size]))
        content = content[8 + size :]
    return found


def ask_parts(client: TestClient, route: str, **query: object) -> list[dict[str, Any]]:
    """Return the parts of an answer that comes in parts."""
    response = client.get(f"/{route}", params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return read_documents(response.content)
