"""What page Free text asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.answers import binary
from api.asked.query import AskedDependency
from api.text import completions

router = APIRouter()


@router.get("/completion", response_class=Response)
def get_completion(asked: AskedDependency) -> Response:
    """Return how all models of the name that learnt the same task continue the text."""
    return binary(completions.text_data(asked))


@router.get("/typed")
def get_typed(asked: AskedDependency, typed: str) -> dict[str, Any]:
    """Return a typed text as an address names it, and the state with whose prompt it begins.

    Args:
        asked: the open model.
        typed: the content of the text box.
    """
    return completions.read_typed(asked.model, typed)
