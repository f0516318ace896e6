"""Strict reading of JSON: invalid values that `json` accepts or crashes on become errors that name the place.

A byte order mark is skipped. Duplicate keys, numbers that are not finite or exceed 64 bits, lone surrogates
and deep nesting are refused, so that no later reader has to handle them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from playground.errors import LONGEST_QUOTE, Fault, RequestError, quote, shortened

LARGEST_INTEGER = 2**64
DEEPEST = 100
_MOST_DIGITS = 4_000
"""Digits of a whole number; `int` refuses more."""

Path = tuple[str | int, ...]


def parse_json(content: bytes, where: str, hint: str) -> Any:
    """Return the value of a JSON text.

    Args:
        content: the text, in UTF-8.
        where: the file it was read from, to be named in faults.
        hint: what to do next if it is damaged.

    Raises:
        RequestError: if it is not JSON, or contains a refused value.
    """

    def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for key, value in pairs:
            if key in document:
                raise unreadable(where, "each key once in an object", f"{quote(key)} twice", hint)
            document[key] = value
        return document

    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=without_doubles, parse_int=_whole
        )
    except UnicodeDecodeError as error:
        raise unreadable(
            where, "text in UTF-8", f"an invalid byte at offset {error.start:,}", hint
        ) from error
    except RecursionError as error:
        raise unreadable(where, f"at most {DEEPEST} nested brackets", "far more", hint) from error
    except json.JSONDecodeError as error:
        got = f"an error in line {error.lineno:,}, column {error.colno:,} ({error.msg})"
        raise unreadable(where, "JSON", got, hint) from error
    fault = _first_fault(document, where, hint)
    if fault:
        raise RequestError(fault)
    return document


def path_text(path: Iterable[str | int]) -> str:
    """Return a path in a document as text: `evaluations[3].accuracy.seen`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    text = shortened(text, 2 * LONGEST_QUOTE)
    return text if text.isprintable() else quote(text)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf


def _first_fault(document: Any, where: str, hint: str) -> Fault | None:
    """Return the fault of the first refused value; not recursive, so any depth is safe."""
    left: list[tuple[Path, Any]] = [((), document)]
    while left:
        path, value = left.pop()
        expected = _expected_instead(value, path)
        if expected:
            message = path_text(path) or "the document"
            return Fault(where=where, message=message, expected=expected, got=_shown(value), hint=hint)
        if isinstance(value, dict):
            left += [((*path, key), each) for key, each in reversed(value.items())]
        elif isinstance(value, list):
            left += [((*path, index), each) for index, each in reversed(list(enumerate(value)))]
    return None


def _expected_instead(value: Any, path: Path) -> str:
    """Return what was expected instead of a value; empty if the value is accepted."""
    if isinstance(value, dict | list) and len(path) >= DEEPEST:
        return f"at most {DEEPEST} nested brackets"
    match value:
        case float() if not math.isfinite(value):
            return "a finite number"
        case int() if abs(value) >= LARGEST_INTEGER:
            return f"a number below {LARGEST_INTEGER}"
        case str() if not _is_whole_text(value):
            return "valid Unicode text"
        case dict() if not all(map(_is_whole_text, value)):
            return "keys of valid Unicode text"
    return ""


def _shown(value: Any) -> str:
    """Return a refused value on one line."""
    match value:
        case int() | float():
            text = json.dumps(value)
            return text if len(text) <= LONGEST_QUOTE else f"a number of {len(text):,} digits"
        case str():
            return quote(value)
        case dict() if not all(map(_is_whole_text, value)):
            return quote(next(key for key in value if not _is_whole_text(key)))
    return "more"


def _is_whole_text(text: str) -> bool:
    """Return whether a text can be encoded, that is, has no lone surrogate."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def unreadable(where: str, expected: str, got: str, hint: str) -> RequestError:
    """Return the error of an unreadable file; the arguments are those of `Fault`."""
    return RequestError.of(
        where=where, message="this file cannot be read", expected=expected, got=got, hint=hint
    )
