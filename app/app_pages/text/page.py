"""Page Free text: any prompt and any half-written answer, and how the models continue it."""

from __future__ import annotations

from ui import client

client.show("text")
