"""Accepting a run whose files somebody changed on purpose: its tokenizer and the digests in `run.json` are written anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from playground.datasets import save_tokenizer
from playground.files import read_json, write_bytes, write_json
from playground.models.storage.checkpoint import load_checkpoint, snapshots_of
from playground.models.storage.integrity import Sealing, sealed


def seal_run(folder: Path) -> Sealing | None:
    """Write a run's tokenizer and digests anew, and into its `run.json` that this was done.

    The run must be sound in every other way; its weights stay as they are.

    Args:
        folder: of the run.

    Returns:
        What is another than before; None if that is nothing, and then nothing was written.

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
