"""Models: the architectures behind one interface, and checkpoints."""

from playground.models.devices import choose_device
from playground.models.hooked import HookedArchitecture, weights_of
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.architecture import Architecture, Size, SizeLimits, TrainingDefaults
from playground.models.interface.ensemble import Ensemble
from playground.models.interface.layers import TransformerLayers
from playground.models.interface.network import Cache, Network
from playground.models.interface.sites import ActivationMap, Edit, HookLocation, Site, Slice
from playground.models.interface.trace import Pass, Replacement, Trace
from playground.models.interface.weights import WeightEdit
from playground.models.interface.whole_text import WholeTextNetwork
from playground.models.recurrent.base import RecurrentModel, RecurrentNetwork
from playground.models.recurrent.lstm import hooks_by_token
from playground.models.registry import ARCHITECTURES
from playground.models.storage.checkpoint import (
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
from playground.models.storage.integrity import DIGESTS, digests_of, snapshots_digest
from playground.models.storage.run_document import RunDocument, read_run
from playground.models.storage.runs import (
    architecture_of,
    at_step,
    find_run,
    is_run_name,
    list_runs,
    runs_of,
    split_step,
)
from playground.models.storage.sealing import seal_run

__all__ = [
    "ARCHITECTURES",
    "CHECKPOINT_FILES",
    "DIGESTS",
    "SNAPSHOTS",
    "ActivationMap",
    "Anatomy",
    "Architecture",
    "Cache",
    "Checkpoint",
    "Cost",
    "Edit",
    "Ensemble",
    "HookLocation",
    "HookedArchitecture",
    "Network",
    "Pass",
    "RecurrentModel",
    "RecurrentNetwork",
    "Replacement",
    "RunDocument",
    "Site",
    "Size",
    "SizeLimits",
    "Slice",
    "Trace",
    "TrainingDefaults",
    "TransformerLayers",
    "WeightEdit",
    "WholeTextNetwork",
    "architecture_of",
    "at_step",
    "check_checkpoint",
    "check_step",
    "choose_device",
    "digests_of",
    "find_run",
    "hooks_by_token",
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
    "weights_of",
]
