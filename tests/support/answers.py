"""The documents in which the API answers, read as a client reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from safetensors.numpy import load


def read_document(content: bytes) -> dict[str, Any]:
    """Return the answer in a document of safetensors: its JSON, with every array put in place."""
    size = int.from_bytes(content[:8], "little")
    answer = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["answer"])
    for path, array in load(content).items():
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place = answer
        for step in steps:
            place = place[step]
        place[last] = array
    return answer


def read_parts(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the answers in a stream of documents, each after its length."""
    while content:
        size = int.from_bytes(content[:8], "little")
        yield read_document(content[8 : 8 + size])
        content = content[8 + size :]
