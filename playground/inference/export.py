"""Activations as files that need no library of ours: NumPy's `.npz` and safetensors, axes and entries named.

In an `.npz`, `values` has the axes that `axes` names; under each of these names stand the labels of its
entries, as in xarray: `xarray.DataArray(file["values"], dims=list(file["axes"]), coords={name: file[name]
for name in file["axes"]})`. `texts` is what the model wrote in each state; `site`, `model`, `world` and
`interventions` are texts. In a safetensors file, `values` is the one tensor and all else is metadata:
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
    """Return an activation as the content of an `.npz` file; there is nothing pickled in it."""
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
"""From the ending of a file's name to what makes its content."""


def check_file(path: Path) -> None:
    """Check that an activation can be written to `path`.

    Raises:
        RequestError: if its name has another ending than those of `FORMATS`, or if its folder is not there or
            cannot be written to: not to be found out once all is measured.
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
    """Write an activation to a file, in one step, in the format that the ending of its name says.

    Raises:
        RequestError: as `check_file` does.
    """
    check_file(path)
    write_bytes(path, FORMATS[path.suffix](activation))
