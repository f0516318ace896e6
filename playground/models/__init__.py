"""Models: the architectures behind one interface, and checkpoints."""

from playground.models.checkpoint import (
    ARCHITECTURES,
    Checkpoint,
    find_run,
    list_runs,
    load_checkpoint,
    save_gpt2,
)
from playground.models.gpt2 import Gpt2Network, make_gpt2
from playground.models.network import Network, Pass
from playground.models.sites import PARTS, Edit, Part, Place, Site

__all__ = [
    "ARCHITECTURES",
    "PARTS",
    "Checkpoint",
    "Edit",
    "Gpt2Network",
    "Network",
    "Part",
    "Pass",
    "Place",
    "Site",
    "find_run",
    "list_runs",
    "load_checkpoint",
    "make_gpt2",
    "save_gpt2",
]
