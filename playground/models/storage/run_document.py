"""The schema of `run.json`: every field that the program reads. Other fields are for human readers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from playground.files import read_json
from playground.schema import Document, Expected, read_document

DAMAGED = "Train it again, or put back the folder as it was."
_MOST = 10**18

Count = Annotated[int, Field(ge=0, le=_MOST), Expected("a whole number, 0 or above")]
Amount = Annotated[float, Field(ge=0), Expected("a finite number, 0 or above")]
Share = Annotated[float, Field(ge=0, le=1), Expected("a share from 0 to 1")]
PerhapsShare = Annotated[
    Annotated[float, Field(ge=0, le=1)] | None,
    Expected("a share from 0 to 1, or null where there is no state"),
]


class SharesDocument(Document):
    """Shares of the states that the model writes correctly."""

    seen: Share
    held_out: PerhapsShare = None


class AccuracyDocument(SharesDocument):
    """Shares of whole answers, and of each output."""

    by_output: dict[str, SharesDocument]


class EvaluationDocument(Document):
    """The evaluation of a model after some steps."""

    step: Count
    epoch: Amount
    seconds: Amount
    loss: Annotated[float | None, Expected("a finite number, or null before the first step")]
    accuracy: AccuracyDocument


class RunDocument(Document):
    """The fields that are read from `run.json`. A checkpoint from elsewhere needs only the first two fields."""

    architecture: Annotated[str, Expected("the name of an architecture")]
    dataset: Annotated[dict[str, Any], Expected("what describes a dataset, an object")]
    parameters: Count | None = None
    seconds: Amount | None = None
    samples: Count | None = None
    operations: Count | None = None
    steps: Count | None = None
    seed: Count | None = None
    recipe: Annotated[dict[str, Any] | None, Expected("a recipe, an object")] = None
    size: Annotated[dict[str, Any] | None, Expected("a size, an object")] = None
    evaluations: list[EvaluationDocument] = Field(default_factory=list)


def check_run(document: object, path: Path) -> RunDocument:
    """Return the content of a `run.json`, checked.

    Raises:
        RequestError: listing everything that is wrong with it.
    """
    return read_document(RunDocument, document, str(path), DAMAGED)


def read_run(folder: Path) -> RunDocument:
    """Return the content of a run's `run.json`, checked.

    Raises:
        RequestError: if there is none, or listing everything that is wrong with it.
    """
    return check_run(read_json(folder / "run.json"), folder / "run.json")
