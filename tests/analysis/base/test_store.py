"""Results on disk: what comes back is what was kept, and what cannot be used is measured anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float, Int
from safetensors import safe_open

from playground.analysis import METHODS, Store, method_called, to_document
from playground.files import read_json, write_json
from playground.inference import Model, open_model
from playground.models import seal_run
from tests.conftest import SECOND_RULES, random_checkpoint


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
    assert store.load("growing", 1, Growing) is None
    store.save("growing", 1, RESULT)
    found = store.load("growing", 1, Growing)
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
    store.save("growing", 1, RESULT)
    assert store.load("growing", 2, Growing) is None
    assert store.load("shrinking", 1, Growing) is None
    assert store.load("growing", 1, Renamed) is None
    assert Store(random_model, (), tmp_path).load("growing", 1, Growing) is None
    other = open_model(random_checkpoint(spec, tmp_path_factory.mktemp("other"), seed=4), "cpu")
    assert Store(other, ("zero:L0H0",), tmp_path).load("growing", 1, Growing) is None
    again = open_model(random_model.checkpoint.folder, "cpu")
    assert Store(again, ("zero:L0H0",), tmp_path).load("growing", 1, Growing) is not None


@pytest.mark.parametrize("damage", ["half", "empty", "text", "folder"])
def test_a_damaged_file_is_as_good_as_none_and_is_written_anew(store, tmp_path, damage):
    store.save("growing", 1, RESULT)
    path = the_file(tmp_path)
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        content = {"half": path.read_bytes()[:100], "empty": b"", "text": b"no tensors at all" * 9}
        path.write_bytes(content[damage])
    assert store.load("growing", 1, Growing) is None
    store.save("growing", 1, RESULT)
    if damage != "folder":
        assert store.load("growing", 1, Growing) is not None


def test_what_is_left_half_way_is_gone_on_with(store):
    begun = []

    def measure(start: Growing | None) -> Iterator[Growing]:
        begun.append(None if start is None else start.progress)
        yield replace(RESULT, flags=np.array([True, False]))
        yield replace(RESULT, flags=np.array([True, True]))

    def pursue() -> Iterator[Growing]:
        return store.resume("growing", 1, Growing, measure, lambda result: result.progress)

    steps = pursue()
    assert next(steps).progress == (1, 2)
    steps.close()
    assert [each.progress for each in pursue()] == [(1, 2), (2, 2)]
    assert [each.progress for each in pursue()] == [(2, 2)]
    assert begun == [None, (1, 2)], "the third time nothing was measured"


def test_what_is_kept_is_json_without_nan(store, tmp_path):
    store.save("growing", 1, RESULT)
    with safe_open(the_file(tmp_path), "numpy") as file:
        text = file.metadata()["result"]
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def variant(folder: Path, place: Path, edit: Callable[[dict], None], file: str = "config.json") -> Model:
    """Return a copy of a run with another description, opened."""
    shutil.copytree(folder, place / folder.name)
    document = read_json(place / folder.name / file)
    edit(document)
    write_json(place / folder.name / file, document)
    return open_model(place / folder.name, "cpu")


def test_models_of_equal_weights_that_compute_otherwise_share_nothing(second_spec, tmp_path):
    """What a digest has to cover: configuration, weights, world, hold-out and the rest of the dataset, name, step."""
    folder = random_checkpoint(second_spec, tmp_path / "gpt2")
    shutil.copytree(folder, tmp_path / "named" / "gpt2@5")
    (folder / "snapshots").mkdir()
    shutil.copy(folder / "model.safetensors", folder / "snapshots" / "40.safetensors")
    edits = {
        "heads": ("config.json", lambda config: config.update(n_head=8)),
        "epsilon": ("config.json", lambda config: config.update(layer_norm_epsilon=0.1)),
        "activation": ("config.json", lambda config: config.update(activation_function="relu")),
        "held out": ("run.json", lambda run: run["dataset"].update(held_out=["0,1,0"])),
        "world": ("run.json", lambda run: run["dataset"].update(world=SECOND_RULES.replace("XOR", "OR"))),
        "seed": ("run.json", lambda run: run["dataset"].update(seed=1)),
    }
    models = [open_model(folder, "cpu"), open_model(folder, "cpu", 40)]
    models += [variant(folder, tmp_path / name, edit, file) for name, (file, edit) in edits.items()]
    models.append(open_model(tmp_path / "named" / "gpt2@5", "cpu"))
    models.append(open_model(random_checkpoint(second_spec, tmp_path / "seed" / "gpt2", seed=4), "cpu"))
    assert len({model.digest for model in models}) == len(models)
    assert all(model.digest == model.checkpoint.digest for model in models)
    assert open_model(folder, "cpu").digest == models[0].digest
    # How a description is laid out decides nothing.
    laid_out = variant(
        folder, tmp_path / "laid out", lambda config: config.update(sorted(config.items())[::-1])
    )
    assert laid_out.digest == models[0].digest


def test_attention_of_other_heads_is_measured_and_not_taken_from_what_is_kept(second_spec, tmp_path):
    folder = random_checkpoint(second_spec, tmp_path / "gpt2")
    four = open_model(folder, "cpu")
    eight = variant(folder, tmp_path / "eight", lambda config: config.update(n_head=8))
    method, found = method_called("attention"), []
    for model in (four, eight, four):
        *_, step = method.run(model, "", Store(model, (), tmp_path / "cache"))
        found.append(to_document(step.result))
        assert found[-1] == to_document([*method.run(model, "", None)][-1].result)
    assert found[0] != found[1]
    assert len(list((tmp_path / "cache").rglob("attention-*"))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("method", tuple(METHODS.values()), ids=lambda method: method.name)
def test_the_version_of_every_method_and_of_what_it_rests_on_is_in_its_key(method, random_folder, tmp_path):
    """Of every method: what another version measured is never taken."""
    model = open_model(random_folder, "cpu")
    asked = []

    class Recorder(Store):
        def load(self, method, version, kind):
            asked.append(self._path(method, version, kind))
            return super().load(method, version, kind)

    store = Recorder(model, (), tmp_path)
    method.load(model, "", store)
    replace(method, version=method.version + 1).load(model, "", store)
    replace(method, rests_on=(*method.rests_on, 1)).load(model, "", store)
    replace(method, beside=lambda model: "another").load(model, "", store)
    assert len(set(asked)) == 4
    assert all(path.name.startswith(f"{method.name}-") for path in asked)


def test_methods_name_the_versions_of_what_they_rest_on():
    assert method_called("free").rests_on == (method_called("interchange").version,)
    assert method_called("emergence").rests_on == tuple(
        method_called(name).version for name in ("routes", "tokens")
    )


def test_emergence_follows_from_every_snapshot(second_spec, tmp_path):
    folder = random_checkpoint(second_spec, tmp_path / "gpt2")
    (folder / "snapshots").mkdir()
    model, keys = open_model(folder, "cpu"), []
    for seed, step in ((5, 0), (6, 40), (7, 40)):
        other = random_checkpoint(second_spec, tmp_path / str(seed), seed=seed)
        shutil.copy(other / "model.safetensors", folder / "snapshots" / f"{step}.safetensors")
        keys.append(method_called("emergence").beside(model))
        seal_run(folder)
        assert method_called("emergence").beside(model) == keys[-1], "stated as well as found"
        seal_less = read_json(folder / "run.json")
        del seal_less["sha256"]
        write_json(folder / "run.json", seal_less)
    assert len(set(keys)) == 3


def test_documents_are_json():
    assert to_document(RESULT) == {
        "label": "newB ⏎",
        "parts": [{"name": "a", "share": 0.25}, {"name": "b", "share": None}],
        "pair": ["x", 3],
        "best": {"name": "c", "share": None},
        "values": [0.5, None, None],
        "flags": [True, False],
    }
