"""Page Compare: all models of one name under one condition, or one model under named sets of edits."""

from __future__ import annotations

from ui import client

client.show("compare")
