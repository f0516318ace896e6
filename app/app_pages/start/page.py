"""Page Start: what each page shows, in one sentence."""

from __future__ import annotations

from ui import client

client.show("start")
