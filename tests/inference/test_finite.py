"""A model whose own scores are no numbers: every way of running it says so, and blames nothing that was done to it."""

from __future__ import annotations

import pytest

from playground.errors import RequestError
from playground.inference import Model, board, complete, load_model, open_model
from playground.models import ARCHITECTURES
from tests.conftest import random_checkpoint

PARTS = {"gpt2": "zero:L0H0", "rnn": "zero:L0.h[0]", "cnn": "zero:L0.conv[0]", "mann": "zero:memory[0]"}


@pytest.fixture(params=ARCHITECTURES)
def damaged(request, second_spec, tmp_path) -> Model:
    """Return a model that was sound when it was opened: what no check at loading can find."""
    model = open_model(random_checkpoint(second_spec, tmp_path, architecture=request.param), "cpu")
    for parameter in model.network.parameters().values():
        parameter.data.fill_(3e38)
    return model


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize(
    "run",
    [
        board,
        lambda model, on: model.run_all(on),
        lambda model, on: model.run_all(on, shown=False),
        lambda model, on: model.run("0,1,1", on),
        lambda model, on: model.run("0,1,1", on, shown=False),
        lambda model, on: model.record(model.network.shown_hooks, on),
        lambda model, on: list(model.partial_board(on).compute_blocks()),
        lambda model, on: model.partial_board(on).board,
        lambda model, on: complete(model, "0,1,1", on),
        lambda model, on: complete(model, "0,1,1\n1,", on),
    ],
)
def test_the_model_is_blamed(damaged, run, edited):
    on = PARTS[damaged.network.architecture] if edited else ""
    with pytest.raises(RequestError) as error:
        run(damaged, on)
    said = str(error.value)
    assert f"the unedited {damaged.network.architecture}" in said
    assert "train it again" in said
    assert "smaller amount" not in said
    assert not edited or on not in said


@pytest.mark.parametrize("of", [None, "mean", (0, 1, 1)])
def test_no_values_are_taken_from_it(damaged, of):
    with pytest.raises(RequestError, match="the unedited"):
        damaged.values(damaged.network.maps[0].hook, of)


def test_an_intervention_that_goes_too_far_is_blamed():
    with pytest.raises(RequestError) as error:
        load_model("shipped", "mann", "cpu").board("scale:memory~1000")
    assert str(error.value).startswith("scale:memory~1000: ")
    assert "smaller amount" in str(error.value)
    assert "unedited" not in str(error.value)
