"""Models of which it is known how they come to their answers, because that was all they were taught.

They are shown every text that there is: each state with every combination of outputs before an answer,
right or wrong, and are told what to write next. To one it is what follows from what stands written, to
another what follows from the inputs, whatever stands written. On texts that are right the two write the same.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.datasets import DatasetSpec, Template
from playground.files import write_json
from playground.inference import Model, open_model
from playground.models import ARCHITECTURES, Size, save_model
from playground.worlds import World

RULES = "inputs: W, X, Y, Z\nmid = X OR Y\nlast = W XOR mid\nones(W+Z) - total(mid+last)\n"
"""A chain in which neither input of the middle alone says what it is, and Z matters to a count alone."""

WIDE_RULES = "inputs: V, W, X, Y, Z\nmid = NOT X\nlast = W XOR mid\n"
"""A chain in a world with more states, most of whose inputs matter to nothing: enough to learn from some and judge by others."""

SIZES = {
    "gpt2": Size(width=32, layers=2, heads=4),
    "rnn": Size(width=32, layers=1),
    "cnn": Size(width=32, layers=4),
    "mann": Size(width=32, layers=1),
}
RATES = {"gpt2": 4e-3, "rnn": 2e-2, "cnn": 1e-2, "mann": 1e-2}
MOST_STEPS = 1_000
LEARNT = 0.003


def answers_of(texts: dict[str, int], *, reads: bool) -> dict[str, int]:
    """Return what is to be written in a text of either world, by hand.

    Args:
        texts: values of the inputs, and of the outputs as they stand written.
        reads: whether what stands written is read, rather than computed once more.
    """
    mid = 1 - texts["X"] if "V" in texts else texts["X"] | texts["Y"]
    read_mid = texts["mid"] if reads else mid
    last = texts["W"] ^ read_mid
    read_last = texts["last"] if reads else last
    return {"mid": mid, "last": last, "ones": texts["W"] + texts["Z"], "total": read_mid + read_last}


def plant(world: World, folder: Path, *, reads: bool, architecture: str = "gpt2") -> Model:
    """Return a model that was taught to read, or not to read, what stands written; it has learnt it wholly."""
    spec = DatasetSpec(world=world, held_out=(world.states[3],))
    given, wanted = _lessons(spec.template, reads=reads)
    kind, size = ARCHITECTURES[architecture], SIZES[architecture]
    # In training mode GPT-2 would drop what it has to be exact about.
    model = kind.make(spec.template, size, 0).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATES[architecture], weight_decay=0.0)
    for _ in range(MOST_STEPS):
        scores = model(given)
        scores = getattr(scores, "logits", scores)[:, spec.template.prompt_length - 1 :]
        loss = cross_entropy(scores.flatten(0, 1), wanted.flatten())
        if loss < LEARNT:
            break
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert (scores.argmax(-1) == wanted).all(), "it has learnt what it was taught"
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, kind, spec.template, size, folder)
    write_json(folder / "run.json", {"architecture": architecture, "dataset": spec.to_json()})
    return open_model(folder, "cpu")


def _lessons(template: Template, *, reads: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all texts without their last token, and what is to be written at each place of the completion."""
    world, given, wanted = template.world, [], []
    names = (*world.inputs, *world.outputs)
    for bits in product((0, 1), repeat=len(names)):
        text = dict(zip(names, bits, strict=True))
        counts = {each.name: sum(text[name] for name in each.variables) for each in world.counts}
        rows = [template.truth[0].copy(), template.truth[0].copy()]
        for row, values in zip(rows, (text | counts, text | answers_of(text, reads=reads)), strict=True):
            for name, position in template.positions.items():
                row[position] = values[name]
        given.append(rows[0][:-1])
        wanted.append(rows[1][template.prompt_length :])
    return torch.from_numpy(np.array(given)), torch.from_numpy(np.array(wanted))


@cache
def measured(model: Model) -> Interchange:
    """Return all exchanges of a model, for all who ask."""
    *_, found = measure_interchange(model)
    assert found.done.all()
    return found
