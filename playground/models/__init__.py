"""Models: the architectures behind one interface, and checkpoints."""

from playground.models.architecture import Architecture, Size
from playground.models.architectures import ARCHITECTURES
from playground.models.checkpoint import (
    CHECKPOINT_FILES,
    SNAPSHOTS,
    Checkpoint,
    Cost,
    check_checkpoint,
    check_step,
    load_checkpoint,
    save_model,
    snapshot_name,
    snapshot_path,
    snapshots_of,
)
from playground.models.devices import choose_device
from playground.models.ensemble import Ensemble
from playground.models.gpt2 import Gpt2Network
from playground.models.gpt2_layers import Gpt2Layers
from playground.models.integrity import DIGESTS, digests_of, snapshots_digest
from playground.models.network import Cache, Network
from playground.models.recurrent import RecurrentNetwork
from playground.models.run_document import RunDocument, read_run
from playground.models.runs import (
    architecture_of,
    at_step,
    find_run,
    is_run_name,
    list_runs,
    runs_of,
    split_step,
)
from playground.models.sealing import seal_run
from playground.models.sites import Edit, Map, Place, Site, Slice
from playground.models.trace import Pass, Replacement, Trace
from playground.models.weights import WeightEdit

__all__ = [
    "ARCHITECTURES",
    "CHECKPOINT_FILES",
    "DIGESTS",
    "SNAPSHOTS",
    "Architecture",
    "Cache",
    "Checkpoint",
    "Cost",
    "Edit",
    "Ensemble",
    "Gpt2Layers",
    "Gpt2Network",
    "Map",
    "Network",
    "Pass",
    "Place",
    "RecurrentNetwork",
    "Replacement",
    "RunDocument",
    "Site",
    "Size",
    "Slice",
    "Trace",
    "WeightEdit",
    "architecture_of",
    "at_step",
    "check_checkpoint",
    "check_step",
    "choose_device",
    "digests_of",
    "find_run",
    "is_run_name",
    "list_runs",
    "load_checkpoint",
    "read_run",
    "runs_of",
    "save_model",
    "seal_run",
    "snapshot_name",
    "snapshot_path",
    "snapshots_digest",
    "snapshots_of",
    "split_step",
]
