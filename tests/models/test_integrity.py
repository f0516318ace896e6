"""Files of a run that are not as they were saved, and weights that nobody can compute with: refused, by name."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from loguru import logger
from safetensors.torch import load_file, save_file

from playground.errors import RequestError
from playground.files import read_json
from playground.inference import open_model
from playground.models import ARCHITECTURES, DIGESTS, check_checkpoint, seal_run, snapshots_of
from playground.models.storage.integrity import Sealing
from tests.conftest import random_checkpoint

WEIGHTS, SNAPSHOT = "model.safetensors", "snapshots/40.safetensors"
SHIPPED = Path(__file__).parents[2] / "models" / "shipped"


@pytest.fixture(scope="module", params=ARCHITECTURES)
def original(request, second_spec, tmp_path_factory) -> Path:
    """Return a sealed run with two snapshots: of every architecture."""
    place = tmp_path_factory.mktemp("sealed")
    folder = random_checkpoint(second_spec, place / "mine" / request.param, architecture=request.param)
    (folder / "snapshots").mkdir()
    for step in (0, 40):
        other = random_checkpoint(second_spec, place / f"{step}", architecture=request.param, seed=step + 5)
        (other / WEIGHTS).rename(folder / "snapshots" / f"{step}.safetensors")
    seal_run(folder)
    return folder


@pytest.fixture
def run(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "mine" / original.name))


@pytest.fixture
def messages() -> Iterator[list[str]]:
    said: list[str] = []
    handler = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    yield said
    logger.remove(handler)


def unsealed(folder: Path) -> Path:
    """Return the run as one from elsewhere, which has no digests."""
    document = read_json(folder / "run.json")
    del document[DIGESTS]
    (folder / "run.json").write_text(json.dumps(document))
    return folder


def edit_tensors(path: Path, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def open_all(folder: Path) -> list[int | None]:
    """Open a model after every step that was kept of it; return those steps, with None for the trained one."""
    steps = [None, *snapshots_of(folder)]
    for step in steps:
        open_model(folder, "cpu", step)
    return steps


def refused(folder: Path, path: Path, step: int | None) -> str:
    """Return why a model is not opened, having checked that it is one message that names the file."""
    with pytest.raises(RequestError) as error:
        open_model(folder, "cpu", step)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("file", "step"), [(WEIGHTS, None), (SNAPSHOT, 40)])
def test_flipped_bytes(run, file, step):
    open_all(run)
    path, draw = run / file, random.Random(0)
    content = path.read_bytes()
    for place in [draw.randrange(len(content)) for _ in range(12)]:
        changed = bytearray(content)
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        assert "was changed after the run was saved" in refused(run, path, step)
    path.write_bytes(content)
    open_all(run)


@pytest.mark.parametrize(("file", "step"), [(WEIGHTS, None), (SNAPSHOT, 40)])
def test_swapped_tensors(run, file, step):
    def swap(tensors: dict[str, torch.Tensor]) -> None:
        shapes: dict[torch.Size, str] = {}
        for name, tensor in sorted(tensors.items()):
            other = shapes.setdefault(tensor.shape, name)
            if other != name and not torch.equal(tensors[other], tensor):
                tensors[name], tensors[other] = tensors[other], tensors[name]
                return
        pytest.fail("no two tensors of one shape")

    edit_tensors(run / file, swap)
    assert "the-experiment seal" in refused(run, run / file, step)


def test_files_of_another_run_or_step(run):
    shutil.copy(run / "snapshots/0.safetensors", run / SNAPSHOT)
    assert "the-experiment seal" in refused(run, run / SNAPSHOT, 40)
    shutil.copy(run / "snapshots/0.safetensors", run / "snapshots/80.safetensors")
    assert "snapshots/80" in refused(run, run / "snapshots/80.safetensors", 80)
    shutil.copy(run / "snapshots/0.safetensors", run / WEIGHTS)
    assert "the-experiment seal" in refused(run, run / WEIGHTS, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("world", "inputs: X, Y, Z\nfirst = X NOR Y\nsecond = first XOR Z\n"),
        ("held_out", ["1,1,1"]),
        ("held_out", []),
        ("sizes", {"train": 20_001, "valid": 2_000, "test": 2_000}),
        ("seed", 43),
    ],
)
def test_what_it_learnt_from_is_another(run, name, value):
    document = read_json(run / "run.json")
    document["dataset"][name] = value
    (run / "run.json").write_text(json.dumps(document))
    for step in (None, 40):
        assert f"dataset.{name}" in refused(run, run / "run.json", step)


OTHER_SETTINGS = {
    "gpt2": [
        {"n_head": 1},
        {"n_head": 2, "activation_function": "relu"},
        {"activation_function": "gelu"},
        {"layer_norm_epsilon": 1e-3},
        {"bos_token_id": 0},
    ],
    "mann": [{"slots": 8}, {"width": 8}],
    "rnn": [{"layers": 1}],
    "cnn": [{"layers": 1}, {"width": 8}],
}


def test_the_same_weights_with_another_configuration(run):
    """The weights would still fit some of these, and write something else; others are refused anyway."""
    config = read_json(run / "config.json")
    for other in OTHER_SETTINGS[run.name]:
        assert config | other != config
        (run / "config.json").write_text(json.dumps(config | other))
        for step in (None, 40):
            said = refused(run, run / "config.json", step)
            assert run.name != "gpt2" or "was changed after the run was saved" in said
        with pytest.raises(RequestError, match=r"config\.json"):
            check_checkpoint(run)
    (run / "config.json").write_text(json.dumps(dict(reversed(config.items())), indent=4))
    assert open_all(run) == [None, 0, 40], "how it is laid out does not matter"
    check_checkpoint(run)


def test_another_configuration_is_sealed_if_it_is_meant(second_spec, tmp_path):
    folder = random_checkpoint(second_spec, tmp_path / "mine" / "gpt2")
    seal_run(folder)
    config = read_json(folder / "config.json")
    (folder / "config.json").write_text(json.dumps(config | {"activation_function": "relu"}))
    assert "the-experiment seal gpt2" in refused(folder, folder / "config.json", None)
    assert seal_run(folder) == Sealing(("config.json",), ())
    assert open_all(folder) == [None]


def test_how_run_json_is_laid_out_does_not_matter(run):
    document = read_json(run / "run.json")
    document["dataset"] = dict(reversed(document["dataset"].items()))
    (run / "run.json").write_text(json.dumps(document))
    assert open_all(run) == [None, 0, 40]


def test_a_checkpoint_from_elsewhere_opens_with_one_warning(run, messages):
    open_all(run)
    assert not messages
    open_all(unsealed(run))
    open_all(run)
    assert [str(run) in message and "SHA-256" in message for message in messages] == [True]


@pytest.mark.parametrize("digests", [3, "abc", ["model.safetensors"]])
def test_digests_that_are_none(run, digests):
    document = read_json(run / "run.json")
    (run / "run.json").write_text(json.dumps(document | {DIGESTS: digests}))
    assert "the-experiment seal" in refused(run, run / "run.json", None)
    (run / "run.json").write_text(json.dumps(document | {DIGESTS: {}}))
    assert "the-experiment seal" in refused(run, run / "run.json", None)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "step"), [(WEIGHTS, None), (SNAPSHOT, 40)])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused_by_the_name_of_their_tensor(run, file, step, value):
    unsealed(run)
    content = (run / file).read_bytes()
    for name in load_file(run / file):
        edit_tensors(run / file, lambda tensors, name=name: tensors[name].view(-1)[-1].fill_(value))
        said = refused(run, run / file, step)
        assert repr(name) in said
        assert str(value) in said.lower()
        (run / file).write_bytes(content)


@pytest.mark.parametrize(("file", "step"), [(WEIGHTS, None), (SNAPSHOT, 40)])
def test_finite_weights_that_nobody_can_compute_with(run, file, step):
    def blow_up(tensors: dict[str, torch.Tensor]) -> None:
        for tensor in tensors.values():
            tensor.fill_(3e38)

    unsealed(run)
    edit_tensors(run / file, blow_up)
    assert "3e+38 in" in refused(run, run / file, step)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "step"), [(WEIGHTS, None), (SNAPSHOT, 40)])
@pytest.mark.parametrize("value", [1.01e18, -1e19, 1e38, -3e38])
def test_a_single_absurd_weight_is_refused_by_the_name_of_its_tensor(run, file, step, value):
    """Also where the scores are finite: a normalization makes zeros of what is too large for it."""
    unsealed(run)
    content = (run / file).read_bytes()
    for name in load_file(run / file):
        edit_tensors(run / file, lambda tensors, name=name: tensors[name].view(-1)[-1].fill_(value))
        said = refused(run, run / file, step)
        assert "too large to compute with" in said
        assert f"{abs(value):.3g} in {name!r}" in said
        (run / file).write_bytes(content)


def test_weights_of_a_size_to_compute_with_are_refused_where_their_scores_are_no_numbers(
    second_spec, tmp_path
):
    folder = random_checkpoint(second_spec, tmp_path / "gpt2")
    edit_tensors(folder / WEIGHTS, lambda tensors: [each.fill_(9e17) for each in tensors.values()])
    said = refused(folder, folder / WEIGHTS, None)
    assert "scores that are not finite" in said
    assert "9e+17 in" in said


@pytest.mark.parametrize("kind", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_weights_that_are_no_floating_point_numbers(run, kind):
    name = min(load_file(run / WEIGHTS))

    def convert(tensors: dict[str, torch.Tensor]) -> None:
        tensors[name] = tensors[name].to(kind)

    unsealed(run)
    edit_tensors(run / WEIGHTS, convert)
    said = refused(run, run / WEIGHTS, None)
    assert str(kind).removeprefix("torch.") in said
    assert repr(name) in said


def test_sealing_accepts_what_was_changed_and_says_so(run):
    before = read_json(run / "run.json")
    edit_tensors(run / WEIGHTS, lambda tensors: tensors[min(tensors)].mul_(-1))
    (run / "snapshots/0.safetensors").unlink()
    refused(run, run / WEIGHTS, None)
    assert seal_run(run) == Sealing((WEIGHTS, "snapshots/0.safetensors"), ())
    open_all(run)
    after = read_json(run / "run.json")
    assert after["sealed"][:-1] == before["sealed"]
    assert after["sealed"][-1]["changed"] == [WEIGHTS, "snapshots/0.safetensors"]
    assert after["sealed"][-1]["added"] == []
    others = {DIGESTS, "sealed"}
    assert {**after, **dict.fromkeys(others)} == {**before, **dict.fromkeys(others)}
    assert seal_run(run) is None
    assert read_json(run / "run.json") == after, "nothing was written"


def test_what_cannot_be_opened_is_not_sealed(run):
    edit_tensors(run / SNAPSHOT, lambda tensors: tensors[min(tensors)].fill_(float("nan")))
    before = (run / "run.json").read_bytes()
    with pytest.raises(RequestError, match="not a finite number"):
        seal_run(run)
    assert (run / "run.json").read_bytes() == before


@pytest.mark.slow
def test_a_run_that_was_trained_has_digests_of_all_of_it(workplace):
    for folder in (workplace / "models" / "default").iterdir():
        if folder.name in ARCHITECTURES:
            stated = read_json(folder / "run.json")[DIGESTS]
            files = {WEIGHTS, "config.json"} | {
                f"snapshots/{step}.safetensors" for step in snapshots_of(folder)
            }
            assert {name for name in stated if not name.startswith("dataset.")} == files
            assert {f"dataset.{name}" for name in read_json(folder / "run.json")["dataset"]} == set(
                stated
            ) - files
            assert seal_run(folder) is None


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_shipped_models_are_as_they_were_saved(architecture, messages):
    open_all(SHIPPED / architecture)
    assert not messages
