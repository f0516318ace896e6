"""Page Probe: edit parts of one model, and see which of all states break."""

from __future__ import annotations

from ui import client

client.show("probe")
