"""Documents damaged at random, in all known ways, from a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

HUGE = 10**400
DEEP = "[" * 100_000
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        3.5,
        -0.5,
        1e-320,
        1e308,
        10**6,
        10**9,
        2**31,
        2**63,
        2**64,
        HUGE,
        -HUGE,
    ),
    *(float("inf"), float("-inf"), float("nan"), "", "x", "0", "1,0,1", "gpt2", "\x00", "\ud800", "é" * 300),
    *([], [[]], {}, {"": {}}, [None] * 50, [1, "x", None], {"a": 1}, {"0": "a"}, ["GPT2LMHeadModel"], -1e400),
    *(
        "int8",
        "float16",
        "relu",
        "a = A AND B\n",
        "inputs: A, B\na = (" + "(" * 500,
        [0, 0],
        [-1],
        ["\ud800"],
    ),
]
KEYS = [
    "",
    "x",
    "layer_norm_eps",
    "hidden_size",
    "per_layer_config",
    "torch_dtype",
    "__class__",
    "\ud800",
    "a.b",
    "0",
]


def mutations(document: dict[str, Any], count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` damaged texts of a document: one or two changes in its structure, or one in its text."""
    generator = random.Random(seed)
    for number in range(count):
        if number % 4 == 3:
            yield _damaged_text(json.dumps(document, indent=generator.choice([None, 2])), generator)
            continue
        changed = copy.deepcopy(document)
        for _ in range(generator.choice([1, 1, 1, 2])):
            _change(changed, generator)
        yield json.dumps(changed).encode("utf-8")


def _change(document: dict[str, Any], generator: random.Random) -> None:
    places = [(document, key) for key in document]
    for holder, key in places:
        value = holder[key]
        if isinstance(value, dict):
            places += [(value, each) for each in value]
        elif isinstance(value, list):
            places += [(value, index) for index in range(min(len(value), 2))]
    if not places:
        document["x"] = generator.choice(VALUES)
        return
    # Deep places are many: half of the draws take one at the top.
    holder, key = generator.choice(generator.choice([places, places[: len(document)]]))
    match generator.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[generator.choice(KEYS)] = generator.choice(VALUES)
        case 2 if isinstance(holder, dict):
            holder[generator.choice(KEYS)] = holder.pop(key)
        case _:
            holder[key] = copy.deepcopy(generator.choice(VALUES))


def _damaged_text(text: str, generator: random.Random) -> bytes:
    content, at = text.encode(), generator.randrange(len(text))
    return generator.choice(
        [
            content[:at],
            content[:at] + bytes([generator.randrange(256)]) + content[at + 1 :],
            content[:at] + content[at + generator.randrange(40) :],
            content + content,
            b"\xef\xbb\xbf" + content,
            text.encode(generator.choice(["utf-16", "utf-32", "utf-16-le"])),
            DEEP.encode(),
            _with(text, f'"x": {DEEP}{"]" * 100_000}'),
            _with(text, '"architecture": "x", "model_type": "x"'),
            _with(text, f'"parameters": {"9" * 6_000}, "n_layer": {"9" * 6_000}'),
            content.replace(b"0", generator.choice([b"1e999", b"Infinity", b"NaN", b"-", b"00", b"[0]"]), 1),
            generator.choice([b"", b"null", b"[]", b"{}", b"3", b'"x"', b"NaN", b"\x00", b"{" * 5, b"//"]),
        ]
    )


def _with(text: str, more: str) -> bytes:
    """Return the text of an object with more entries."""
    return f"{text.rstrip()[:-1].rstrip()}, {more}}}".encode()
