"""The panel of simple predictors: computed once for all tabs, just after the rest of the page is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

from api import predictors
from playground.datasets import DatasetSpec, find_consistent_formulas, guess
from ui import components, later

MOST_KEPT = 256


@st.cache_resource(max_entries=MOST_KEPT)
def _found(spec: DatasetSpec) -> dict[str, Any]:
    """Return the results that `_find` fills; all tabs share them."""
    return {}


def show(spec: DatasetSpec) -> None:
    """Show which held-out states simple predictors get right; unknown results follow a moment later."""
    st.markdown("**Can a simple predictor do this?**")
    found = _found(spec)
    if spec.held_out and "formulas" not in found:
        later.find("predictors", "", lambda: _find(spec, found))
    components.predictors(
        key="predictors", data=predictors.predictors_data(spec, found.get("guesses"), found.get("formulas"))
    )


def _find(spec: DatasetSpec, found: dict[str, Any]) -> Iterator[str]:
    """Fit the predictors, then search for formulas; a click may interrupt between the two."""
    yield "Fitting simple predictors …"
    found["guesses"] = guess(spec)
    yield "Searching for all formulas that fit …"
    found["formulas"] = find_consistent_formulas(spec)
