"""Random sets of interventions against decoders that share no code with the library: transformers, and equations."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoModelForCausalLM

from playground.inference import open_model
from playground.interventions import parse_all
from tests.conftest import random_checkpoint
from tests.inference.references import baselines as references_baselines
from tests.inference.references import gpt2 as references_gpt2
from tests.inference.references.double import in_double
from tests.inference.references.random_sets import random_sets

TOLERANCE = 1e-9
"""Relative to the largest score: both sides compute in double precision."""
GPT2_SETS, MANN_SETS = 330, 125
"""In each of the two worlds."""
PARTS = range(5)
"""Of the sets, so that several processes share them."""


def differs(run, rows, tokens: np.ndarray, logits: np.ndarray) -> bool:
    found, scores = run.tokens[rows].numpy(), run.logits[rows].numpy()
    bound = TOLERANCE * max(1.0, float(np.abs(logits).max()))
    return not np.array_equal(found, tokens) or bool(np.abs(scores - logits).max() > bound)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_gpt2_against_transformers(random_model, random_folder, part):
    reference = AutoModelForCausalLM.from_pretrained(random_folder, attn_implementation="eager")
    decoder = references_gpt2.Decoder(reference, random_model.template)
    exact, moved = in_double(random_model), 0
    texts = random_sets(random_model, GPT2_SETS // len(PARTS), seed=part)
    for text in texts:
        tokens, logits = (each.numpy() for each in decoder.write(parse_all(text)))
        run = exact.run_all(text, shown=False)
        assert not differs(run, slice(None), tokens, logits), text
        moved += differs(exact.baseline_run, slice(None), tokens, logits)
    assert moved > 0.9 * len(texts)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_mann_against_its_equations(spec, tmp_path, part):
    folder = random_checkpoint(spec, tmp_path / "mann", architecture="mann")
    model = open_model(folder, "cpu")
    decoder = references_baselines.Decoder(model)
    exact, moved = in_double(model), 0
    texts = random_sets(model, MANN_SETS // len(PARTS), seed=part)
    for number, text in enumerate(texts):
        row = number % len(model.world.states)
        written, scores = decoder.write(parse_all(text), row)
        run = exact.run_all(text, shown=False)
        compared = slice(row, row + 1), np.array([written]), scores[None]
        assert not differs(run, *compared), text
        moved += differs(exact.baseline_run, *compared)
    assert moved > 0.8 * len(texts)
