"""How answers are written: JSON with its arrays of numbers as bytes, in the format of safetensors.

An answer is a tree of JSON whose leaves may be arrays. It is sent as one document of safetensors: the tree is its
metadata `answer`, with null where an array belongs; an array's name is the path to that place, such as `board.margin`.
A stream is a sequence of such documents, each after its length (8 bytes, little-endian).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from fastapi import Response
from fastapi.responses import StreamingResponse
from loguru import logger
from safetensors.numpy import save

from playground.errors import Fault, RequestError

BINARY = "application/octet-stream"
_HEADERS = {
    # Not `no-store`: Chromium reports a stream that is not stored as cancelled, though it has come to its end.
    "Cache-Control": "no-cache",
    # Compressing takes longer than sending to a browser on the same machine.
    "Content-Encoding": "identity",
}


def pack(answer: Mapping[str, Any]) -> bytes:
    """Return an answer as a document of safetensors."""
    arrays: dict[str, np.ndarray] = {}
    tree = _take_arrays(answer, "", arrays)
    return save(arrays, {"answer": json.dumps(tree, separators=(",", ":"), allow_nan=False)})


def _take_arrays(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return a tree with null in place of each array, and put the arrays into `arrays`."""
    if isinstance(value, np.ndarray):
        arrays[path] = np.ascontiguousarray(value)
        return None
    within = f"{path}." if path else ""
    if isinstance(value, Mapping):
        return {str(key): _take_arrays(each, f"{within}{key}", arrays) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_take_arrays(each, f"{within}{index}", arrays) for index, each in enumerate(value)]
    return value


def binary(answer: Mapping[str, Any]) -> Response:
    """Return a response with one document."""
    return Response(pack(answer), media_type=BINARY, headers=_HEADERS)


def stream(answers: Iterator[Mapping[str, Any]]) -> StreamingResponse:
    """Return a response with several documents, each sent when it is known; what goes wrong is said in the last."""

    def framed(answer: Mapping[str, Any]) -> bytes:
        document = pack(answer)
        return len(document).to_bytes(8, "little") + document

    def documents() -> Iterator[bytes]:
        try:
            for answer in answers:
                yield framed(answer)
        except RequestError as error:
            yield framed(faults_document(error.faults))
        except Exception as error:  # noqa: BLE001  A client would take a stream that breaks off for a cut connection.
            logger.opt(exception=error).error("an answer ended early: {}", error)
            yield framed(faults_document([no_answer(error)]))

    return StreamingResponse(documents(), media_type=BINARY, headers=_HEADERS)


def no_answer(error: Exception) -> Fault:
    """Return what is said of a question that the server failed to answer."""
    return Fault(
        message="the server could not answer",
        expected="an answer",
        got=type(error).__name__,
        hint="Details are in logs/.",
    )


def faults_document(faults: Sequence[Fault]) -> dict[str, Any]:
    """Return faults as JSON: their parts, and each as the sentence that people read."""
    return {
        "faults": [
            {
                "where": fault.where,
                "message": fault.message,
                "expected": fault.expected,
                "got": fault.got,
                "hint": fault.hint,
                "text": str(fault),
            }
            for fault in faults
        ]
    }
