"""The library as the pages call it: each model is loaded once for all who have the app open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from playground.analysis import Effect, measure_heads, rank
from playground.errors import Fault, RequestError
from playground.inference import Model, open_model
from playground.interventions import Intervention, Span


def open_run(folder: Path) -> Model:
    """Return the model in `folder`, loaded anew only if its run is another than before.

    Raises:
        RequestError: if its files are damaged or incomplete, or are being replaced at this moment.
    """
    try:
        return _open(str(folder.resolve()), (folder / "run.json").stat().st_mtime_ns)
    except OSError as error:
        raise RequestError(
            Fault(
                rule="a model is read from a complete run",
                expected=f"readable files in {folder}",
                got=str(error),
                hint="If it is being trained at this moment, reload the page.",
            )
        ) from error


@st.cache_resource(show_spinner="Loading the model", max_entries=8)
def _open(folder: str, changed: int) -> Model:
    model = open_model(Path(folder))
    _ = model.baseline  # What every page needs: computed once here, for all tabs.
    return model


@st.cache_resource(max_entries=64)
def _effects(digest: str, kind: str, positions: str) -> list[Effect]:
    """Return the list that `measure_effects` fills, one for all tabs."""
    return []


def known_ranking(model: Model, kind: type[Intervention], positions: Span) -> list[Effect] | None:
    """Return the heads of a model, ranked, if the effects of all of them have been measured."""
    known = _effects(model.checkpoint.digest, kind.kind, str(positions))
    return rank(known, model.baseline) if known else None


def measure_effects(model: Model, kind: type[Intervention], positions: Span) -> Iterator[Effect]:
    """Measure the heads of a model one by one; what was measured is kept when all are done."""
    effects = []
    for effect in measure_heads(model, kind, positions):
        effects.append(effect)
        yield effect
    _effects(model.checkpoint.digest, kind.kind, str(positions))[:] = effects
