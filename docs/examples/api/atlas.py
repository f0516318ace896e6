"""Have a running app measure a flip atlas, wait for it, and print the most fragile rows of the weight."""

import json
import os

import httpx

ADDRESS = os.environ.get("EXPERIMENT", "http://127.0.0.1:8501")

# The first question may take long: the server is still starting.
with httpx.Client(base_url=f"{ADDRESS}/api", timeout=600) as client:
    asked = {"name": "shipped", "model": "gpt2", "weight": "W_pos"}
    started = client.post("/atlas", params=asked | {"by": "rows"}).raise_for_status()

    # Every event is one line of JSON; the last one, `end`, says that nothing runs any more.
    with client.stream("GET", "/tasks/events", params={"name": started.json()["task"]}) as events:
        for line in events.iter_lines():
            if line == "event: end":
                break
            if line.startswith("data: "):
                task = json.loads(line.removeprefix("data: "))
                print(f"{task['done']} of {task['of']} rows", *(fault["text"] for fault in task["faults"]))

    document = client.get("/atlas", params=asked).raise_for_status().content
    size = int.from_bytes(document[:8], "little")
    answer = json.loads(json.loads(document[8 : 8 + size])["__metadata__"]["answer"])
    for part in answer["atlas"]["fragile"][:3]:
        print(f"{part['site']}: flipping it breaks {part['broken']} of {answer['atlas']['states']} states")
