"""Seeds: what is none is refused wherever a seed can be given, in the same words; what is one is taken everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from playground.analysis import measure_circuits, measure_routes, measure_subspace
from playground.analysis.interchange.exchange import choose_pairs
from playground.cli.main import app
from playground.cli.seeds import read_seeds
from playground.datasets import DatasetSpec, load_dataset, random_hold_out
from playground.errors import RequestError
from playground.files import write_json
from playground.interventions import Noise, parse
from playground.models import ARCHITECTURES, Site, architecture_of
from playground.seeds import LARGEST_SEED, check_seed, read_seed
from playground.training import Job, Recipe
from tests.conftest import SMALL

WORDS = "not a seed: expected a whole number from 0 to 9,007,199,254,740,991, got "
DOCUMENT = r"dataset.json.*seed.*(expected|finite number|below)"
NUMBERS = [-1, -(2**63), LARGEST_SEED + 1, 2**64, 10**50]
TEXTS = ["-1", "1.5", "1e3", "x", "½", "٣", "1_000", "+1", "0x10", str(LARGEST_SEED + 1), "9" * 5_000]
NO_NUMBERS = [1.0, 1.5, float("inf"), float("nan"), True, None, "1", [0]]


@pytest.mark.parametrize("seed", [*NUMBERS, *NO_NUMBERS])
def test_values_that_are_no_seed_are_refused(seed):
    with pytest.raises(RequestError, match=WORDS):
        check_seed(seed)


@pytest.mark.parametrize("text", [*TEXTS, "", " ", "1 2"])
def test_texts_that_are_no_seed_are_refused(text):
    with pytest.raises(RequestError, match=f"--seed: {WORDS}"):
        read_seed(text, "--seed")


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32, LARGEST_SEED])
def test_seeds_are_taken_everywhere(second_spec, seed, tmp_path):
    world = second_spec.world
    assert read_seed(str(seed)) == check_seed(seed) == seed
    assert random_hold_out(world, 3, seed) == random_hold_out(world, 3, seed)
    assert DatasetSpec.from_json(DatasetSpec(world=world, seed=seed).to_json(), "").seed == seed
    assert str(parse(f"noise:W_E~1#{seed}")) == (f"noise:W_E~1#{seed}" if seed else "noise:W_E~1")
    assert read_seeds(str(seed), None) == read_seeds(None, str(seed)) == (seed,)
    assert read_seeds(None, f"{seed}:{seed + 1}") == (seed,)
    assert job(second_spec, tmp_path, seed).names == (f"gpt2@{seed}" if seed else "gpt2",)
    assert architecture_of(job(second_spec, tmp_path, seed).name) == "gpt2"
    json.loads(json.dumps(seed))


@pytest.mark.parametrize("seed", NUMBERS)
def test_the_library_refuses_them_wherever_something_is_drawn(random_model, second_spec, tmp_path, seed):
    world = second_spec.world
    asked = [
        lambda: random_hold_out(world, 3, seed),
        lambda: DatasetSpec(world=world, seed=seed),
        lambda: Noise(site=Site(part="W_E"), amount=1.0, seed=seed),
        lambda: job(second_spec, tmp_path, seed),
        lambda: ARCHITECTURES["gpt2"].make(second_spec.template, SMALL["gpt2"], seed),
        lambda: ARCHITECTURES["rnn"].make(second_spec.template, SMALL["rnn"], seed),
        lambda: choose_pairs(world.states, seed=seed),
        lambda: measure_routes(random_model, seed=seed),
        lambda: measure_circuits(random_model, seed=seed),
    ]
    for ask in asked:
        with pytest.raises(RequestError, match=WORDS):
            ask()
    assert architecture_of(f"gpt2@{seed}") is None


def test_a_subspace_is_learnt_with_a_seed(random_model):
    from playground.worlds import causal_variables

    world = random_model.world
    [variable, *_] = [each for each in causal_variables(world) if each.answers(world)]
    answer = variable.answers(world)[0]
    with pytest.raises(RequestError, match=WORDS):
        measure_subspace(
            random_model, variable, answer, Site(0, part="resid"), f">{answer}", steps=1, seed=-1
        )


def job(spec: DatasetSpec, place: Path, seed: int) -> Job:
    return Job(
        architecture="gpt2",
        size=SMALL["gpt2"],
        dataset=place,
        folder=place,
        seeds=(seed,),
        recipe=Recipe(),
        device="cpu",
        command="",
    )


@pytest.mark.parametrize("text", TEXTS)
def test_interventions_have_seeds_like_all_else(text):
    with pytest.raises(RequestError, match=WORDS):
        parse(f"noise:L0.mlp.W_in~0.5#{text}@newB")


@pytest.mark.parametrize("text", ["-1", "1.5", "x", str(2**63 - 1)])
@pytest.mark.parametrize(
    "command",
    [
        ("guess", "--omit-random", "3", "--seed"),
        ("guess", "--seed"),
        ("generate", "--omit-random", "3", "--name", "drawn", "--seed"),
        ("train", "cnn", "--seed"),
        ("train", "cnn", "--seeds"),
    ],
)
def test_commands_refuse_them_before_any_work(tmp_path, monkeypatch, command, text):
    import typer

    monkeypatch.chdir(tmp_path)
    program = typer.main.get_command(app)
    program.callback = None
    words = "--seeds: (not a seed|invalid seeds)" if command[-1] == "--seeds" else WORDS
    with pytest.raises(RequestError, match=words):
        program.main([*command[:-1], f"{command[-1]}={text}"], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "seed", ["-1", "1e400", "1.5", "42.0", '"42"', "true", "null", "[42]", str(2**53), "9" * 400]
)
def test_a_document_with_another_seed_is_refused(seed, second_spec, tmp_path):
    document = json.dumps(second_spec.to_json()).replace('"seed": 42', f'"seed": {seed}')
    (tmp_path / "dataset.json").write_text(document)
    with pytest.raises(RequestError, match=DOCUMENT):
        load_dataset(tmp_path)


@pytest.mark.parametrize("seed", ["-1", "1e400", "1.5", "true", str(2**53)])
def test_a_training_is_not_gone_on_with_under_another_seed(seed, second_spec, tmp_path):
    write_json(tmp_path / "job.json", job(second_spec, tmp_path, 7).to_json())
    document = json.loads((tmp_path / "job.json").read_text())
    with pytest.raises(RequestError, match="seeds"):
        Job.from_json(document | {"seeds": json.loads(f"[{seed}]")}, tmp_path)


def test_a_negative_seed_does_not_draw_what_another_one_draws(second_spec):
    """`random.Random` takes the absolute value: without a check, -1 would hold out what 1 does."""
    world = second_spec.world
    drawn = {random_hold_out(world, 3, seed) for seed in range(20)}
    assert len(drawn) > 10
    with pytest.raises(RequestError, match=WORDS):
        random_hold_out(world, 3, -1)
    assert np.random.default_rng(0).random() == np.random.default_rng(check_seed(0)).random()
