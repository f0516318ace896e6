"""Server-sent events: what a page watches is looked at again and again, and sent whenever it has changed."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

_ending = threading.Event()


def server_ends() -> bool:
    """Return whether the server has been asked to end: it waits until all answers are complete."""
    return _ending.is_set()


def end_with_server() -> None:
    """From now on let events end when the server is asked to end; called when it has begun, in its main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def handle(number: int, frame: FrameType | None, before: Any = before) -> None:
            _ending.set()
            if callable(before):
                before(number, frame)

        signal.signal(number, handle)


def watch(look: Callable[[], Iterator[tuple[str, Any]]], every: float) -> StreamingResponse:
    """Return a response of events that lasts as long as the page that asks for it.

    Args:
        look: gives the name and the document of every event; each is sent at first, and whenever it has changed.
        every: seconds between two looks.
    """
    return StreamingResponse(
        _events(look, every), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(look: Callable[[], Iterator[tuple[str, Any]]], every: float) -> AsyncIterator[str]:
    said: dict[str, str] = {}
    while not server_ends():
        found = await run_in_threadpool(lambda: [(name, json.dumps(each)) for name, each in look()])
        for name, document in found:
            if said.get(name) != document:
                said[name] = document
                yield f"event: {name}\ndata: {document}\n\n"
        await asyncio.sleep(every)
