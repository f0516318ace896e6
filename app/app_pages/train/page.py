"""Page Train: choose what is held out and what is trained, and watch the training."""

from __future__ import annotations

from ui import client

client.show("train")
