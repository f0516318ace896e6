"""Models: the architectures behind one interface, and checkpoints."""

from playground.models.checkpoint import (
    ARCHITECTURES,
    Checkpoint,
    find_run,
    is_run_name,
    list_runs,
    load_checkpoint,
    run_name,
    save_gpt2,
)
from playground.models.devices import choose_device
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
    "choose_device",
    "find_run",
    "is_run_name",
    "list_runs",
    "load_checkpoint",
    "make_gpt2",
    "run_name",
    "save_gpt2",
]
