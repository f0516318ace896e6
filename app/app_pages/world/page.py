"""Page World: an editor for rules, checked at every pause in typing; what depends on what, and the truth table."""

from __future__ import annotations

from ui import client

client.show("world")
