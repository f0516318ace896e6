"""Answers as JSON documents, and messages about interventions that do not apply to a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loguru import logger

from playground.cli.output.streams import is_unicode
from playground.files import dump_json

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int, UInt8

    from playground.datasets import Template
    from playground.interventions import Intervention


def print_json(document: object) -> None:
    """Print one JSON document to standard output; NaN and infinity become null.

    Characters that standard output cannot encode are escaped.
    """
    print(dump_json(document, indent=2, ascii_only=not is_unicode(sys.stdout)))


def judgement_document(
    template: Template, as_written: Int[np.ndarray, " token"], judged: UInt8[np.ndarray, " token"]
) -> dict[str, list[str | None]]:
    """Return how the rules judge tokens, in the form of a document.

    Args:
        template: of the text.
        as_written: ids of the tokens that would be right as written, see `truth_as_written`.
        judged: indices into `JUDGEMENTS`.
    """
    from playground.datasets import JUDGEMENTS, NOT_JUDGED

    return {
        "truth_as_written": [None if i == NOT_JUDGED else template.vocabulary[i] for i in as_written],
        "judgements": [str(JUDGEMENTS[place]) for place in judged],
    }


def not_applied(left_out: tuple[Intervention, ...]) -> dict[str, list[str]]:
    """Return the document's entry for interventions that do not apply; empty if there are none."""
    return {"not_applied": [str(each) for each in left_out]} if left_out else {}


def say_not_applied(model: str, interventions: tuple[Intervention, ...]) -> None:
    """Say on standard error which interventions do not apply to a model."""
    for intervention in interventions:
        logger.warning("{}: not applied, {} has no such part", intervention, model)
