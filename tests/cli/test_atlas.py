"""The command `atlas`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.program import run_program


@pytest.mark.slow
def test_json_has_the_shape_of_what_is_flipped(workplace):
    result = run_program("atlas", "L0.attn.W_Q", "--by", "blocks", "--json", cwd=workplace)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert {key: document[key] for key in ("model", "weight", "by")} == {
        "model": "gpt2",
        "weight": "L0.attn.W_Q",
        "by": "blocks",
    }
    assert np.shape(document["broken"]) == (4,)
    assert np.shape(document["margin"]) == (4,)
    assert all(0 <= broken <= document["states"] for broken in document["broken"])


def test_the_most_fragile_are_listed(workplace):
    result = run_program("atlas", "unembed.bias", "--model", "rnn", "--top", "3", cwd=workplace)
    assert result.returncode == 0, result.stderr
    assert "each number flipped alone" in result.stdout
    assert result.stdout.count("unembed.bias[") == 3
    assert "rnn" in result.stderr, "a bar says how far it is"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("L0.mlp.W_inn",), "L0.mlp.W_in"),
        (("L0.mlp.W_in", "--by", "diagonals"), "rows or columns or blocks or weights"),
        (("L0.mlp.b_in", "--by", "rows"), "expected weights"),
        (("W_E", "--model", "all"), "one architecture"),
        (("L0.mlp.W_in;",), "flip:L0.mlp.W_in;"),
        (("L0.mlp.W_in~5%",), "Leave out all else."),
    ],
)
def test_a_wrong_request_is_explained(workplace, arguments, message):
    result = run_program("atlas", *arguments, "--json", cwd=workplace)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
