"""Sealing: accepting a run whose files were changed on purpose, with a new tokenizer and new digests in `run.json`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from playground.datasets import save_tokenizer
from playground.files import read_json, write_bytes, write_json
from playground.models.storage.checkpoint import load_checkpoint, snapshots_of
from playground.models.storage.integrity import Sealing, sealed


def seal_run(folder: Path) -> Sealing | None:
    """Rewrite a run's tokenizer and digests, and record that in its `run.json`.

    All of its models must open; its weights stay unchanged.

    Args:
        folder: of the run.

    Returns:
        What has changed; None if nothing has, in which case nothing was written.

    Raises:
        RequestError: if one of its models cannot be opened.
    """
    device = torch.device("cpu")
    template = load_checkpoint(folder, device, check=False).dataset.template
    for step in snapshots_of(folder):
        load_checkpoint(folder, device, step, check=False)
    with tempfile.TemporaryDirectory() as place:
        save_tokenizer(template, Path(place))
        files = {path.name: path.read_bytes() for path in sorted(Path(place).iterdir())}
    changed = [
        name
        for name, content in files.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]
    for name in changed:
        write_bytes(folder / name, files[name])
    document, found = sealed(folder, read_json(folder / "run.json"), changed)
    if found:
        write_json(folder / "run.json", document)
    return found
