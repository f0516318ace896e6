"""Answers kept from one start of the app to the next, in `cache/answers/`, so that the first page waits for no import.

At a start the first page asks the same as at the last: which models there are, what the open one is, what it writes in
every state, unedited, and what it attends to. While the library is imported, such a question gets the bytes of last
time, unless models, data, code or installed packages have changed since. What is kept may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import parse_qsl

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.errors import RequestError
from playground.files import project_root, write_bytes

FOLDER = Path("cache", "answers")
QUESTIONS = ("/models", "/condition", "/board", "/picture")
FIRST = {"type": "http", "method": "GET", "path": QUESTIONS[0], "query_string": b""}
"""What every page asks first."""
_LONGEST = 2**20
"""Bytes of an answer that is kept."""
_MOST = 500
"""Files that are kept; one more, and all make room."""
_GROUPS = ("the_experiment.architectures", "the_experiment.interventions", "the_experiment.methods")
"""Where other packages declare what they add."""
_DIGEST = hashlib.sha256().digest_size


class KeepingAnswers:
    """Keeps what the API answers to questions about unedited models.

    Args:
        api: answers them.
    """

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a question, and keep the answer once it is sent."""
        question = question_of(scope)
        if question is None:
            await self._api(scope, receive, send)
            return
        began, sent = time.time_ns(), list[Message]()

        async def note_and_send(message: Message) -> None:
            sent.append(message)
            await send(message)

        await self._api(scope, receive, note_and_send)
        answer = _whole(sent)
        if answer is not None:
            await anyio.to_thread.run_sync(_keep, question, answer, began)


def find(scope: Scope) -> bytes | None:
    """Return the answer that is kept to a question; None if there is none, or it no longer holds."""
    question = question_of(scope)
    if question is None:
        return None
    try:
        content = _file(question).read_bytes()
        answer = content[2 * _DIGEST :]
        is_whole = content[_DIGEST : 2 * _DIGEST] == hashlib.sha256(answer).digest()
        return answer if is_whole and content[:_DIGEST] == _fingerprint()[0] else None
    except OSError:
        return None


async def send_kept(answer: bytes, send: Send) -> None:
    """Send an answer that was kept."""
    kind, _, body = answer.partition(b"\n")
    headers = [
        (b"content-type", kind),
        (b"cache-control", b"no-cache"),
        (b"content-length", b"%d" % len(body)),
        (b"x-kept", b"1"),
    ]
    await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def question_of(scope: Scope) -> str | None:
    """Return a question whose answer is kept, whatever the order of its parameters; None for any other."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    parameters = sorted(parse_qsl(scope["query_string"].decode("latin-1")))
    return f"{path}?{parameters}" if path in QUESTIONS and "on" not in dict(parameters) else None


def _whole(sent: list[Message]) -> bytes | None:
    """Return the kind and the content of an answer that came to its end; None for a fault, or a long one."""
    start, *parts = sent or [{}]
    if start.get("status") != HTTPStatus.OK or not parts or parts[-1].get("more_body"):
        return None
    kind = dict(start["headers"]).get(b"content-type", b"")
    body = b"".join(part.get("body", b"") for part in parts)
    return kind + b"\n" + body if len(body) <= _LONGEST else None


def _keep(question: str, answer: bytes, began: int) -> None:
    """Keep an answer, unless something has changed since the question came."""
    fingerprint, changed = _fingerprint()
    content = fingerprint + hashlib.sha256(answer).digest() + answer
    file = _file(question)
    with suppress(OSError, RequestError):  # Nothing is lost: it is answered again.
        if changed >= began or (file.is_file() and file.read_bytes() == content):
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = list(file.parent.iterdir())
        for each in kept if len(kept) >= _MOST else ():
            each.unlink(missing_ok=True)
        write_bytes(file, content)


def _file(question: str) -> Path:
    return FOLDER / hashlib.sha256(question.encode()).hexdigest()


def _fingerprint() -> tuple[bytes, int]:
    """Return a digest of all that answers depend on, and when models and data changed last, in nanoseconds."""
    digest, last = hashlib.sha256(program()), 0
    for root in dict.fromkeys((Path.cwd(), project_root().resolve())):
        for folder in ("models", "data"):
            for line, changed in _files(root / folder):
                digest.update(line.encode())
                last = max(last, changed)
    return digest.digest(), last


@cache
def program() -> bytes:
    """Return a digest of the code that computes answers, as it was when this was asked first: before it is imported."""
    digest = hashlib.sha256(sys.version.encode())
    installed = Path(sysconfig.get_path("purelib")).stat()
    # Code that other packages add may lie anywhere: with it, nothing is kept from one start to the next.
    added = any(entry_points(group=group) for group in _GROUPS)
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("CUDA"))
    digest.update(f"{installed.st_mtime_ns} {added and time.time_ns()} {settings}".encode())
    for folder in (Path(__file__).parent / "api", Path(sys.modules["playground"].__path__[0])):
        for line, _ in _files(folder):
            digest.update(line.encode())
    return digest.digest()


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield a line for each file of a folder, with its size and times, and when it changed; hidden ones do not count."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.name.startswith((".", "__pycache__")):
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path))
        else:
            status = entry.stat()
            changed = max(status.st_mtime_ns, status.st_ctime_ns)
            yield f"{entry.path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n", changed
