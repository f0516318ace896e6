"""Datasets: drawing them, writing them as JSON lines, and reading them back as token ids.

data/NAME/{train,valid,test,heldout}.jsonl      one {"prompt": ..., "completion": ...} per line
data/NAME/dataset.json                          world, hold-out, sizes and seed; written last
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from playground.datasets.template import Template
from playground.errors import RequestError, count_of, quote
from playground.files import read_json, successor, write_json, write_text
from playground.json_text import path_text
from playground.seeds import check_seed
from playground.worlds import State, World, parse_world, state_text

FORMAT = "default"
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many samples each file has."""

    train: int = 20_000
    valid: int = 2_000
    test: int = 2_000


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """Everything that determines a dataset.

    Args:
        world: the world whose states are drawn.
        held_out: states that occur in none of the three splits.
        sizes: how many samples are drawn for each split.
        seed: the seed of the single generator from which all splits are drawn, in order.
    """

    world: World
    held_out: tuple[State, ...] = ()
    sizes: Sizes = Sizes()
    seed: int = 42

    def __post_init__(self) -> None:
        check_seed(self.seed)
        states = set(self.world.states)
        if not set(self.held_out) < states:
            raise RequestError.of(
                message="the hold-out must be states of the world and leave some to train on",
                expected=f"fewer than {len(states)} of its states",
                got=count_of(len(set(self.held_out)), "state"),
                hint="Hold out fewer states.",
            )

    @cached_property
    def template(self) -> Template:
        """The template of the samples."""
        return Template(self.world)

    def to_json(self) -> dict:
        """Return the content of `dataset.json`."""
        return {
            "format": FORMAT,
            "world": self.world.text,
            "held_out": [state_text(state) for state in self.held_out],
            "sizes": {split: getattr(self.sizes, split) for split in SPLITS},
            "seed": self.seed,
        }

    def holding_out(self, states: tuple[State, ...]) -> DatasetSpec:
        """Return this spec with other states held out.

        Raises:
            RequestError: if that leaves no state to train on.
        """
        return replace(self, held_out=states)

    @classmethod
    def from_json(cls, document: Any, where: str, within: tuple[str, ...] = ()) -> DatasetSpec:
        """Return the spec written by `to_json`.

        Args:
            document: the JSON document.
            where: the file it was read from, to be named in faults.
            within: the keys under which it is found there.

        Raises:
            RequestError: if something is missing or malformed.
        """
        from playground.datasets.documents import DatasetDocument
        from playground.schema import read_document

        found = read_document(DatasetDocument, document, where, "Generate the dataset again.", within)
        world: World | None = None
        try:
            world = parse_world(found.world)
            held_out = tuple(world.parse_state(state) for state in found.held_out)
            return cls(
                world=world, held_out=held_out, sizes=Sizes(**found.sizes.model_dump()), seed=found.seed
            )
        except RequestError as error:
            place = path_text((*within, "world" if world is None else "held_out"))
            raise RequestError(
                *(replace(each, where=f"{where}, {place}") for each in error.faults)
            ) from error


def draw_states(spec: DatasetSpec) -> Iterator[State]:
    """Yield seen states endlessly, drawn with the spec's seed.

    Every input is drawn with `randint(0, 1)`, in the order of the world's inputs. If the state is held
    out, it is drawn again.
    """
    generator = random.Random(spec.seed)
    held_out = set(spec.held_out)
    while True:
        state = tuple(generator.randint(0, 1) for _ in spec.world.inputs)
        if state not in held_out:
            yield state


def generate(spec: DatasetSpec, folder: Path) -> None:
    """Draw a dataset and write it to `folder`; an older dataset there is kept as `NAME.previous`."""
    template, drawn = spec.template, draw_states(spec)
    lines = {
        state: json.dumps({"prompt": template.prompt(state), "completion": template.completion(state)}) + "\n"
        for state in spec.world.states
    }
    with successor(folder) as building:
        for split in SPLITS:
            size = getattr(spec.sizes, split)
            write_text(building / f"{split}.jsonl", "".join(lines[next(drawn)] for _ in range(size)))
        write_text(building / "heldout.jsonl", "".join(lines[state] for state in spec.held_out))
        write_json(building / "dataset.json", spec.to_json())


@dataclass(frozen=True)
class Dataset:
    """A dataset as token ids.

    Args:
        spec: determines the dataset.
        train: token ids of the training samples, prompt and completion.
        valid: token ids of the validation samples; seen states only.
    """

    spec: DatasetSpec
    train: Int[np.ndarray, "train_sample token"]
    valid: Int[np.ndarray, "valid_sample token"]


def draw_dataset(spec: DatasetSpec) -> Dataset:
    """Return the dataset that `generate` would write, without writing it."""
    drawn = draw_states(spec)
    rows = dict(zip(spec.world.states, spec.template.truth, strict=True))
    splits = {
        split: np.array([rows[next(drawn)] for _ in range(getattr(spec.sizes, split))]) for split in SPLITS
    }
    return Dataset(spec, splits["train"], splits["valid"])


def load_dataset(folder: Path) -> Dataset:
    """Return the dataset in `folder`.

    Raises:
        RequestError: with every file that is missing, has too few lines, or has a line that is not a
            sample of the dataset's world (the first such line of each file).
    """
    document = read_json(folder / "dataset.json")
    spec = DatasetSpec.from_json(document, str(folder / "dataset.json"))
    splits, faults = {}, []
    for split in (*SPLITS, "heldout"):
        held_out = split == "heldout"
        size = len(spec.held_out) if held_out else getattr(spec.sizes, split)
        try:
            splits[split] = _read_split(folder / f"{split}.jsonl", spec, size, held_out=held_out)
        except RequestError as error:
            faults += error.faults
    if faults:
        raise RequestError(*faults)
    return Dataset(spec, splits["train"], splits["valid"])


def _read_split(
    path: Path, spec: DatasetSpec, size: int, *, held_out: bool
) -> Int[np.ndarray, "sample token"]:
    try:
        # Only a line feed ends a line: in JSON, U+2028 and the like are text.
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _dataset_fault(str(path), "a readable file", str(error)) from error
    if not lines[-1]:
        lines.pop()
    rows: dict[str, list[int]] = {}
    for number, line in enumerate(lines, start=1):
        if line not in rows:
            rows[line] = _read_sample(line, f"{path}, line {number}", spec, held_out=held_out)
    if len(lines) != size:
        raise _dataset_fault(str(path), count_of(size, "line"), f"{len(lines):,}")
    return np.array([rows[line] for line in lines], dtype=np.int64).reshape(size, spec.template.length)


def _read_sample(line: str, where: str, spec: DatasetSpec, *, held_out: bool) -> list[int]:
    try:
        sample = json.loads(line)
        prompt, completion = sample["prompt"], sample["completion"]
        state = spec.world.parse_state(prompt)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = 'a line {"prompt": ..., "completion": ...} of this world'
        got = f"{quote(line)} ({error})" if isinstance(error, RequestError) else quote(line)
        raise _dataset_fault(where, expected, got) from error
    if (state in spec.held_out) != held_out:
        expected = "a state that is held out" if held_out else "no state that is held out of training"
        raise _dataset_fault(where, expected, quote(prompt))
    right = spec.template.completion(state)
    if completion != right:
        raise _dataset_fault(where, f"the completion {quote(right)} of {prompt}", quote(str(completion)))
    return spec.template.encode(prompt + completion)


def _dataset_fault(where: str, expected: str, got: str) -> RequestError:
    return RequestError.of(
        where=where,
        message="this dataset is not complete",
        expected=expected,
        got=got,
        hint="Generate it again: the-experiment generate.",
    )
