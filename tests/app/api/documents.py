"""The API's documents, read with safetensors and JSON alone, as another program would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from safetensors.numpy import load


def read_document(content: bytes) -> Any:
    """Return an answer: its tree with every array in its place."""
    size = int.from_bytes(content[:8], "little")
    answer = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["answer"])
    for path, array in load(content).items():
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place = answer
        for step in steps:
            place = place[step]
        place[last] = array
    return answer


def read_stream(content: bytes) -> Iterator[Any]:
    """Yield the documents of a stream."""
    while content:
        size = int.from_bytes(content[:8], "little")
        yield read_document(content[8 : 8 + size])
        content = content[8 + size :]
