"""What simple predictors get right, on the page: found once for all tabs, a moment after all else stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

from playground.datasets import DatasetSpec, find_consistent_formulas, guess
from ui import components, later
from ui.predictors import predictors

MOST_KEPT = 256


@st.cache_resource(max_entries=MOST_KEPT)
def _found(spec: DatasetSpec) -> dict[str, Any]:
    """Return what `_find` fills, one for all tabs."""
    return {}


def show(spec: DatasetSpec) -> None:
    """Show what simple predictors get right of a hold-out; what is not known yet is found a moment later."""
    st.markdown("**Can a simple predictor do this?**")
    found = _found(spec)
    if spec.held_out and "formulas" not in found:
        later.find("predictors", "", lambda: _find(spec, found))
    components.predictors(
        key="predictors", data=predictors.predictors_data(spec, found.get("guesses"), found.get("formulas"))
    )


def _find(spec: DatasetSpec, found: dict[str, Any]) -> Iterator[str]:
    """Ask the predictors, then look for formulas; between the two a click comes first."""
    yield "Fitting simple predictors …"
    found["guesses"] = guess(spec)
    yield "Searching for all formulas that fit …"
    found["formulas"] = find_consistent_formulas(spec)
