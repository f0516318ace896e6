"""Page Mechanism: how one model, or two side by side, derive their answers: the verdict and its evidence."""

from __future__ import annotations

from ui import client

client.show("mechanism")
