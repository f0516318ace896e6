"""Page Train with runs whose `run.json` is damaged: it shows their charts, or a fault."""

from __future__ import annotations

import json
import shutil

from api.training.charts import chart_data
from api.training.progress import Shown, all_of_them
from playground.errors import RequestError
from tests.support.mutations import mutations

COUNT = 400


def test_charts_are_drawn_or_a_fault_says_why_not(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    run = workplace_copy / "models" / "second" / "rnn"
    shutil.copytree(workplace_copy / "models" / "second" / "gpt2", run)
    document, drawn, refused = json.loads((run / "run.json").read_text()), 0, 0
    shown = Shown("second/rnn", "trained")
    for content in mutations(document, COUNT, seed=4):
        (run / "run.json").write_bytes(content)
        assert "second/rnn" in [each.name for each in all_of_them()]
        try:
            data = chart_data(shown)
        except RequestError as error:
            refused += 1
            str(error).encode()
        else:
            drawn += 1
            json.dumps(data, allow_nan=False)
    assert drawn >= 50
    assert refused >= 100
