"""What page Compare asks: which models there are, and what each gets right. Their boards are asked for one by one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.asked.query import AskedDependency
from api.compare import comparison

router = APIRouter()


@router.get("/rivals")
def get_rivals(asked: AskedDependency) -> dict[str, Any]:
    """Return the models that can be compared with the open one, what they cost, and why others are left out."""
    return comparison.rivals_data(asked)


@router.get("/scores")
def get_scores(asked: AskedDependency) -> dict[str, Any]:
    """Return what every model gets right, unedited and under the condition."""
    return comparison.scores_data(comparison.compare(asked), asked.condition)
