"""The components of page Train."""

from __future__ import annotations

from pathlib import Path

from ui.components import make_component

_HERE = Path(__file__).parent

training_progress = make_component(_HERE / "training_progress")
