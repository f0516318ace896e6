"""Runs by name: what is said of one that there is not."""

from __future__ import annotations

import pytest

from playground.errors import RequestError
from playground.models import find_run


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ("", "the-experiment train --name nowhere"),
        ("rnn", "the-experiment train rnn --name nowhere"),
        ("rnn@3", "the-experiment train rnn --seed 3 --name nowhere"),
        ("@3", "the-experiment train --seed 3 --name nowhere"),
    ],
)
def test_a_run_that_there_is_not_is_trained_by_the_command_in_the_hint(run: str, command: str):
    with pytest.raises(RequestError) as caught:
        find_run("nowhere", run)
    assert f"Train one: {command}." in str(caught.value)
