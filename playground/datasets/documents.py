"""The schema of a dataset's description, in `dataset.json` and in every `run.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from playground.schema import ClosedDocument, Expected
from playground.seeds import LARGEST_SEED, SEEDS

MOST_SAMPLES = 10**9

_Samples = Annotated[
    int, Field(ge=1, le=MOST_SAMPLES), Expected(f"a whole number from 1 to {MOST_SAMPLES:,}")
]
_Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED), Expected(SEEDS)]


class SizesDocument(ClosedDocument):
    """How many samples each file has."""

    train: _Samples
    valid: _Samples
    test: _Samples


class DatasetDocument(ClosedDocument):
    """Everything that determines a dataset."""

    format: Annotated[Literal["default"], Expected('"default"')] = "default"
    world: Annotated[str, Expected("the rules of a world, a text")]
    held_out: Annotated[list[str], Expected("a list of states, each a text")]
    sizes: SizesDocument
    seed: _Seed
