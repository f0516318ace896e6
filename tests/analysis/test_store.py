"""Results on disk: what comes back is what was kept, and what cannot be used is measured anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float, Int

from playground.analysis import Store, to_document
from playground.inference import open_model
from tests.conftest import random_checkpoint


@dataclass(frozen=True)
class Part:
    name: str
    share: float | None


@dataclass(frozen=True)
class Growing:
    label: str
    parts: tuple[Part, ...]
    pair: tuple[str, int]
    best: Part | None
    values: Float[np.ndarray, " value"]
    flags: np.ndarray

    @property
    def progress(self) -> tuple[int, int]:
        return int(self.flags.sum()), self.flags.size


@dataclass(frozen=True)
class Renamed:
    title: str
    parts: tuple[Part, ...]
    pair: tuple[str, int]
    best: Part | None
    values: Int[np.ndarray, " value"]
    flags: np.ndarray


RESULT = Growing(
    label="newB ⏎",
    parts=(Part("a", 0.25), Part("b", None)),
    pair=("x", 3),
    best=Part("c", float("nan")),
    values=np.array([0.5, np.nan, np.inf]),
    flags=np.array([True, False]),
)


@pytest.fixture
def store(random_model, tmp_path) -> Store:
    return Store(random_model, ("zero:L0H0",), tmp_path)


def the_file(folder: Path) -> Path:
    (path,) = folder.rglob("*.safetensors")
    return path


def test_what_is_kept_comes_back(store, tmp_path):
    assert store.recall("growing", 1, Growing) is None
    store.keep("growing", 1, RESULT)
    found = store.recall("growing", 1, Growing)
    assert found is not None
    assert (found.label, found.parts, found.pair) == (RESULT.label, RESULT.parts, RESULT.pair)
    assert found.best is not None
    assert np.isnan(found.best.share)
    np.testing.assert_array_equal(found.values, RESULT.values)
    np.testing.assert_array_equal(found.flags, RESULT.flags)
    assert found.flags.dtype == bool


def test_other_versions_forms_models_and_interventions_have_results_of_their_own(
    store, random_model, spec, tmp_path, tmp_path_factory
):
    store.keep("growing", 1, RESULT)
    assert store.recall("growing", 2, Growing) is None
    assert store.recall("shrinking", 1, Growing) is None
    assert store.recall("growing", 1, Renamed) is None
    assert Store(random_model, (), tmp_path).recall("growing", 1, Growing) is None
    other = open_model(random_checkpoint(spec, tmp_path_factory.mktemp("other"), seed=4), "cpu")
    assert Store(other, ("zero:L0H0",), tmp_path).recall("growing", 1, Growing) is None
    again = open_model(random_model.checkpoint.folder, "cpu")
    assert Store(again, ("zero:L0H0",), tmp_path).recall("growing", 1, Growing) is not None


@pytest.mark.parametrize("damage", ["half", "empty", "text", "folder"])
def test_a_damaged_file_is_as_good_as_none_and_is_written_anew(store, tmp_path, damage):
    store.keep("growing", 1, RESULT)
    path = the_file(tmp_path)
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        content = {"half": path.read_bytes()[:100], "empty": b"", "text": b"no tensors at all" * 9}
        path.write_bytes(content[damage])
    assert store.recall("growing", 1, Growing) is None
    store.keep("growing", 1, RESULT)
    if damage != "folder":
        assert store.recall("growing", 1, Growing) is not None


def test_what_is_left_half_way_is_gone_on_with(store):
    begun = []

    def measure(start: Growing | None) -> Iterator[Growing]:
        begun.append(None if start is None else start.progress)
        yield replace(RESULT, flags=np.array([True, False]))
        yield replace(RESULT, flags=np.array([True, True]))

    def pursue() -> Iterator[Growing]:
        return store.pursue("growing", 1, Growing, measure, lambda result: result.progress)

    steps = pursue()
    assert next(steps).progress == (1, 2)
    steps.close()
    assert [each.progress for each in pursue()] == [(1, 2), (2, 2)]
    assert [each.progress for each in pursue()] == [(2, 2)]
    assert begun == [None, (1, 2)], "the third time nothing was measured"


def test_documents_are_json():
    assert to_document(RESULT) == {
        "label": "newB ⏎",
        "parts": [{"name": "a", "share": 0.25}, {"name": "b", "share": None}],
        "pair": ["x", 3],
        "best": {"name": "c", "share": None},
        "values": [0.5, None, None],
        "flags": [True, False],
    }
