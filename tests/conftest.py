"""Worlds, untrained models and tiny runs that many tests share."""

from __future__ import annotations

import hashlib
import os

# Two workers side by side on two cores: with two threads each they would mostly wait for each other.
# Set before torch is imported, and inherited by the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Trainings with two threads: one that waits for the other sleeps, where it would keep a whole core busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from playground.datasets import DatasetSpec, generate
from playground.files import default_rules, write_json
from playground.inference import Model, open_model
from playground.models import ARCHITECTURES, SNAPSHOTS, Size, save_model
from playground.training import Job, Recipe, train_model
from playground.worlds import World, load_world, parse_world

SECOND_RULES = "inputs: X, Y, Z\nfirst = X NAND Y\nsecond = first XOR Z\n"
"""Three inputs, two outputs that chain, no counts, names of other lengths: nothing may rely on A..E."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave tests in a browser to `make test-all`, but for one way through every page."""
    for item in items:
        if item.path.stem.endswith("_in_browser") and not item.get_closest_marker("journey"):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def default_world() -> World:
    return load_world(default_rules())


@pytest.fixture(scope="session")
def second_world() -> World:
    return parse_world(SECOND_RULES)


@pytest.fixture(scope="session", params=["default", "second"])
def world(request: pytest.FixtureRequest, default_world: World, second_world: World) -> World:
    return {"default": default_world, "second": second_world}[request.param]


@pytest.fixture(scope="session")
def turn(world: World, default_world: World) -> int:
    """Return 0 in one world and 1 in the other: what is tried in turns is all tried in the two together."""
    return int(world is not default_world)


@pytest.fixture(scope="session")
def spec(world: World) -> DatasetSpec:
    """Return a dataset's recipe with two states held out."""
    return DatasetSpec(world=world, held_out=(world.states[1], world.states[-1]))


@pytest.fixture(scope="session")
def second_spec(second_world: World) -> DatasetSpec:
    """Return the second world with a state held out."""
    return DatasetSpec(world=second_world, held_out=((1, 1, 0),))


SMALL = {
    "gpt2": Size(width=32, layers=3, heads=4),
    "rnn": Size(width=24, layers=2),
    "cnn": Size(width=24, layers=4),
    "mann": Size(width=24, layers=1),
}
SCALE = {"gpt2": 0.5, "rnn": 0.5, "cnn": 0.1, "mann": 0.5}
BASELINES = ("rnn", "cnn", "mann")


def random_checkpoint(
    spec: DatasetSpec, folder: Path, *, architecture: str = "gpt2", seed: int = 3, size: Size | None = None
) -> Path:
    """Save a model with random weights, large enough for its texts to differ from state to state."""
    kind, size = ARCHITECTURES[architecture], size or SMALL[architecture]
    model = kind.make(spec.template, size, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Strong attention, weak positions and biases: what is written depends on the state.
            strength = 0.1 if "wpe" in name or parameter.dim() == 1 else SCALE[architecture]
            parameter.add_(strength * torch.randn(parameter.shape, generator=generator))
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, kind, spec.template, size, folder)
    write_json(folder / "run.json", {"architecture": architecture, "dataset": spec.to_json()})
    return folder


@pytest.fixture(scope="session")
def random_folder(spec: DatasetSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a GPT-2 with random weights, of each world."""
    return random_checkpoint(spec, tmp_path_factory.mktemp("random") / "models" / "default" / "gpt2")


@pytest.fixture(scope="session")
def random_model(random_folder: Path) -> Model:
    return open_model(random_folder, "cpu")


@pytest.fixture(scope="session", params=BASELINES)
def random_baseline(
    request: pytest.FixtureRequest, spec: DatasetSpec, tmp_path_factory: pytest.TempPathFactory
) -> Model:
    """Return a baseline with random weights: each, of each world."""
    folder = tmp_path_factory.mktemp("random") / request.param
    return open_model(random_checkpoint(spec, folder, architecture=request.param), "cpu")


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a working directory with small runs of both worlds: `default`, of every architecture, and `second`.

    Whichever process of the tests comes first trains them for all; each has a copy of its own, to be served and
    written to.
    """
    place = tmp_path_factory.mktemp("workplace")
    if worker_id == "master":
        _train_small_runs(place)
        return place
    common = tmp_path_factory.getbasetemp().parent / "workplace"
    with FileLock(common.with_suffix(".lock")):
        if not common.is_dir():
            training = common.with_suffix(".unfinished")
            _train_small_runs(training)
            training.rename(common)
    shutil.copytree(common, place, dirs_exist_ok=True)
    return place


def _train_small_runs(place: Path) -> None:
    specs = {
        "default": DatasetSpec(
            world=load_world(default_rules()), held_out=((1, 0, 1, 0, 1), (1, 1, 1, 1, 1))
        ),
        "second": DatasetSpec(world=parse_world(SECOND_RULES), held_out=((1, 1, 0),)),
    }
    for name, spec in specs.items():
        generate(spec, place / "data" / name)
        for architecture in ARCHITECTURES.values() if name == "default" else (ARCHITECTURES["gpt2"],):
            size = replace(
                architecture.default_size(spec.template), width=128 if architecture.name == "gpt2" else 24
            )
            job = Job(
                architecture=architecture.name,
                size=size,
                dataset=place / "data" / name,
                folder=place / "models" / name,
                seeds=(0,),
                recipe=Recipe(epochs=0.04, threads=1),
                device="cpu",
                command="the tests",
            )
            for _ in train_model(job):
                pass


@pytest.fixture
def workplace_copy(workplace: Path, tmp_path: Path) -> Path:
    """Return a copy of the working directory, to be damaged; of the models on the way it has each run's first."""
    place = tmp_path / "workplace"
    shutil.copytree(workplace, place, ignore=_snapshots_but_one)
    return place


def _snapshots_but_one(folder: str, names: list[str]) -> list[str]:
    """Return what of a folder is not copied: nine tenths of the whole, which is copied for every other test."""
    return sorted(names)[1:] if Path(folder).name == SNAPSHOTS else []


def snapshot(place: Path) -> dict[str, str]:
    """Return the digest of every file in a folder, logs left out."""
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*"))
        if path.is_file() and "logs" not in path.parts
    }
