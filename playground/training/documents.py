"""The schemas of an unfinished training: its job and its state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from playground.models import ARCHITECTURES
from playground.models.interface.architecture import DEEPEST, WIDEST
from playground.models.storage.run_document import Amount, Count, EvaluationDocument
from playground.schema import ClosedDocument, Document, Expected
from playground.seeds import LARGEST_SEED

BEGIN_ANEW = "Train it from the beginning: leave --resume out."

_Width = Annotated[int, Field(ge=1, le=WIDEST), Expected(f"a whole number from 1 to {WIDEST:,}")]
_Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
_Loss = Annotated[float, Field(allow_inf_nan=True)]


def _known_architecture(name: str) -> str:
    if name not in ARCHITECTURES:
        raise ValueError(name)
    return name


class SizeDocument(ClosedDocument):
    """How large a model is."""

    width: _Width
    layers: Annotated[int, Field(ge=1, le=DEEPEST), Expected(f"a whole number from 1 to {DEEPEST}")]
    heads: _Width | None = None


class JobDocument(Document):
    """A `job.json`."""

    architecture: Annotated[
        str, AfterValidator(_known_architecture), Expected("the name of an architecture that there is")
    ]
    size: SizeDocument
    dataset: Annotated[str, Expected("a folder")]
    seeds: Annotated[list[_Seed], Field(min_length=1), Expected("seeds from 0 on, at least one")]
    recipe: dict[str, Any]
    device: Annotated[Literal["auto", "cpu", "cuda"], Expected("auto, cpu or cuda")]
    command: str
    omit_random: Count | None = None
    ship: bool = False


class RecordDocument(Document):
    """The record of one model in a state."""

    running: Count
    learnt: bool
    evaluations: list[EvaluationDocument]


class StateDocument(Document):
    """The JSON part of a state; the losses of models that are done need not be finite."""

    seconds: Amount
    losses: list[list[_Loss]]
    records: Annotated[list[RecordDocument], Field(min_length=1)]
