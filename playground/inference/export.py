"""Activations as files that can be read without this library: NumPy's `.npz` and safetensors, with named axes.

In an `.npz`, `values` has the axes that `axes` names; each of these names is a key for the labels of the
axis's entries, as in xarray: `xarray.DataArray(file["values"], dims=list(file["axes"]), coords={name: file[name]
for name in file["axes"]})`. `texts` is what the model wrote in each state; `site`, `model`, `world` and
`interventions` are texts. In a safetensors file, `values` is the only tensor and the rest is metadata:
`axes` joined by commas, labels and `texts` as JSON lists.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from playground.errors import Fault, RequestError, quote
from playground.files import write_bytes
from playground.inference.activations import Activation
from playground.places import check_writable, fault_of

VALUES = "values"


def to_npz(activation: Activation) -> bytes:
    """Return an activation as the content of an `.npz` file; nothing in it is pickled."""
    file = io.BytesIO()
    labels = {axis: np.array(activation.labels[axis]) for axis in activation.axes}
    about = {name: np.array(text) for name, text in _about(activation).items()}
    texts, axes = np.array(activation.texts), np.array(activation.axes)
    np.savez(
        file,
        allow_pickle=False,
        **{VALUES: activation.values, "axes": axes, "texts": texts},
        **labels,
        **about,
    )
    return file.getvalue()


def to_safetensors(activation: Activation) -> bytes:
    """Return an activation as the content of a safetensors file."""
    lists = {axis: activation.labels[axis] for axis in activation.axes} | {"texts": activation.texts}
    metadata = {name: json.dumps(entries) for name, entries in lists.items()}
    metadata |= {"axes": ",".join(activation.axes)} | _about(activation)
    return save({VALUES: activation.values}, metadata)


def _about(activation: Activation) -> dict[str, str]:
    return {
        "site": activation.site,
        "model": activation.model,
        "world": activation.world,
        "interventions": ";".join(activation.interventions),
    }


FORMATS: dict[str, Callable[[Activation], bytes]] = {".npz": to_npz, ".safetensors": to_safetensors}
"""File extension -> function that makes the content."""


def check_file(path: Path) -> None:
    """Check that an activation can be written to `path`.

    Raises:
        RequestError: if its extension is not one of `FORMATS`, or if its folder is missing or cannot be written to.
            This way the fault is found before anything is measured.
    """
    faults = []
    if path.suffix not in FORMATS:
        faults.append(
            Fault(
                message="unknown file format",
                expected=" or ".join(FORMATS),
                got=quote(path.name),
                hint="Write it like activations.npz.",
            )
        )
    if not path.parent.is_dir():
        faults.append(
            Fault(
                message="there is no such folder",
                expected="an existing folder",
                got=quote(str(path.parent)),
                hint="Make it first.",
            )
        )
    else:
        try:
            check_writable(path)
        except OSError as error:
            faults.append(fault_of(error, path))
    if faults:
        raise RequestError(*faults)


def write_activation(activation: Activation, path: Path) -> None:
    """Write an activation to a file, atomically, in the format given by its extension.

    Raises:
        RequestError: as `check_file` does.
    """
    check_file(path)
    write_bytes(path, FORMATS[path.suffix](activation))
