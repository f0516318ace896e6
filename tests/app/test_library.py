"""Models as the pages load them: if one changes on disk, everything cached of it changes, too."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from playground.errors import RequestError
from playground.files import read_json, write_json
from tests.app.browser import APP


@pytest.fixture
def library(monkeypatch):
    monkeypatch.syspath_prepend(str(APP))
    from api.models import library

    yield library
    library._open.cache_clear()


def test_another_configuration_beside_the_same_weights_is_another_model(library, random_folder, tmp_path):
    folder = shutil.copytree(random_folder, tmp_path / "gpt2")
    before = library.open_run(folder)
    boards = [library.board(before, ())]
    assert library.open_run(folder) is before
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", config | {"n_head": 8})
    after = library.open_run(folder)
    boards.append(library.board(after, ()))
    assert after.digest != before.digest
    assert not np.array_equal(boards[0].margin, boards[1].margin)
    write_json(folder / "config.json", config)
    assert np.array_equal(library.board(library.open_run(folder), ()).margin, boards[0].margin)


def test_weights_that_are_damaged_while_the_app_is_open_are_noticed(library, random_folder, tmp_path):
    folder = shutil.copytree(random_folder, tmp_path / "gpt2")
    library.open_run(folder)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RequestError):
        library.open_run(folder)
