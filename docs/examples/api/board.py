"""Ask a running app for GPT-2's board under an edit, and print how many states are right."""

import json
import os
from functools import reduce

import httpx
from safetensors.numpy import load

ADDRESS = os.environ.get("EXPERIMENT", "http://127.0.0.1:8501")


def read_document(content: bytes) -> dict:
    """Return the answer in a document: JSON, with its arrays put in place."""
    size = int.from_bytes(content[:8], "little")
    answer = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["answer"])
    for path, array in load(content).items():
        *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        reduce(lambda place, step: place[step], steps, answer)[last] = array
    return answer


def read_stream(content: bytes) -> list[dict]:
    """Return the answers in a stream: documents, each after its length."""
    answers = []
    while content:
        size = int.from_bytes(content[:8], "little")
        answers.append(read_document(content[8 : 8 + size]))
        content = content[8 + size :]
    return answers


# The first question may take long: the server is still starting.
with httpx.Client(base_url=f"{ADDRESS}/api", timeout=600) as client:
    asked = {"name": "shipped", "model": "gpt2", "on": "zero:L1H2"}
    response = client.get("/board", params=asked).raise_for_status()
    board = read_stream(response.content)[-1]
    right, states = map(sum, zip(*board["tally"].values(), strict=True))
    print(f"{right} of {states} states are right under {', '.join(board['applied'])}")
    print(f"the smallest margin is {board['margin'].min():.2f} logits")
