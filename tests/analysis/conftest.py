"""References that the measurements are held against, and models of which it is known how they come to their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from torch import Tensor
from transformers import GPT2LMHeadModel

from playground.inference import Model, open_model
from playground.interventions import parse_all
from playground.worlds import parse_world
from tests.analysis.planted import RULES, plant
from tests.analysis.references import Step, read
from tests.conftest import random_checkpoint
from tests.inference.references.gpt2 import Decoder

SHIPPED = Path(__file__).parents[2] / "models" / "shipped"


@pytest.fixture(scope="session")
def reference(random_folder) -> GPT2LMHeadModel:
    """Return transformers' own model with the weights of `random_model`."""
    return GPT2LMHeadModel.from_pretrained(random_folder, attn_implementation="eager").eval()


@pytest.fixture(scope="session")
def decoder(reference, random_model) -> Decoder:
    return Decoder(reference, random_model.template)


@pytest.fixture(scope="session")
def reading(decoder) -> Callable[[str], tuple[Tensor, list[Step]]]:
    """Return what says which texts the reference writes under some interventions, and what it computes then."""
    known: dict[str, tuple[Tensor, list[Step]]] = {}

    def look_up(text: str) -> tuple[Tensor, list[Step]]:
        if text not in known:
            asked = parse_all(text)
            tokens = decoder.write(asked)[0] if asked else decoder.baseline_run[0]
            known[text] = tokens, read(decoder, asked, tokens)
        return known[text]

    return look_up


@pytest.fixture(scope="session")
def all_seen(spec, tmp_path_factory) -> Model:
    """Return a GPT-2 with random weights for which no state was held out."""
    folder = tmp_path_factory.mktemp("all_seen") / "gpt2"
    return open_model(random_checkpoint(spec.holding_out(()), folder), "cpu")


@pytest.fixture(scope="session")
def shipped() -> Model:
    return open_model(SHIPPED / "gpt2", "cpu")


@pytest.fixture(scope="session")
def shipped_reference() -> GPT2LMHeadModel:
    return GPT2LMHeadModel.from_pretrained(SHIPPED / "gpt2", attn_implementation="eager").eval()


@dataclass(frozen=True)
class Taught:
    """Two models of one architecture that write the same wherever what stands written is right.

    Args:
        reader: its answers follow from what stands written.
        reckoner: its answers follow from the inputs, whatever stands written.
    """

    reader: Model
    reckoner: Model

    @property
    def both(self) -> tuple[tuple[Model, bool], tuple[Model, bool]]:
        """Each with whether it reads what stands written."""
        return (self.reader, True), (self.reckoner, False)


@pytest.fixture(scope="session", params=["gpt2", "rnn", "cnn"])
def taught(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    folder, world = tmp_path_factory.mktemp("taught") / request.param, parse_world(RULES)
    return Taught(
        *(
            plant(world, folder / str(reads), reads=reads, architecture=request.param)
            for reads in (True, False)
        )
    )
