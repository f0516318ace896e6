"""The library as the pages call it: each model is loaded once for all who have the app open."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from playground.analysis import Effect, rank_heads
from playground.inference import Model, open_model
from playground.interventions import Intervention, Span


def open_run(folder: Path) -> Model:
    """Return the model in `folder`, loaded anew only if its run is another than before.

    Raises:
        RequestError: if its files are damaged or incomplete.
    """
    return _open(str(folder.resolve()), (folder / "run.json").stat().st_mtime_ns)


@st.cache_resource(show_spinner="Loading the model", max_entries=8)
def _open(folder: str, changed: int) -> Model:
    model = open_model(Path(folder))
    # What every page needs: computed once here, not at somebody's first click.
    _ = model.clean, model.means
    return model


@st.cache_resource
def _rankings() -> dict[tuple[str, str, str], list[Effect]]:
    return {}


def known_ranking(model: Model, kind: type[Intervention], positions: Span) -> list[Effect] | None:
    """Return what `rank` returned for the same before, or None."""
    return _rankings().get(_ranking_key(model, kind, positions))


def rank(model: Model, kind: type[Intervention], positions: Span) -> list[Effect]:
    """Return the heads of a model, ranked under one kind of ablation at some positions."""
    known = known_ranking(model, kind, positions)
    if known is None:
        known = rank_heads(model, kind, positions)
        _rankings()[_ranking_key(model, kind, positions)] = known
    return known


def _ranking_key(model: Model, kind: type[Intervention], positions: Span) -> tuple[str, str, str]:
    return model.checkpoint.digest, kind.kind, str(positions)
