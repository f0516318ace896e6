"""The method of docs/extending.md, installed as a package of its own, is measured and shown like ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from playground.inference import load_model
from tests.app.browser import APP
from tests.extending.examples import DOCUMENT, EXAMPLES, install
from tests.support.program import HANGS


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return the folder that the example is installed in."""
    return install("method", tmp_path_factory.mktemp("extending"))


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("the-experiment"), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "160", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


def test_it_is_measured_shown_and_reported_by_the_program(installed, tmp_path):
    arguments = ("mechanism", "--name", "shipped", "--method", "confidence")
    as_json = run(installed, tmp_path, *arguments, "--json", "--report", "report.html")
    assert as_json.returncode == 0, as_json.stderr
    document = json.loads(as_json.stdout)
    model = load_model("shipped", "gpt2")
    reference = AutoModelForCausalLM.from_pretrained(model.checkpoint.folder)
    template, tokens = model.template, torch.from_numpy(model.baseline.tokens)
    with torch.no_grad():
        probabilities = reference(tokens).logits.softmax(-1)
    expected = torch.stack(
        [
            probabilities[torch.arange(len(tokens)), at - 1, tokens[:, at]]
            for at in (int(template.positions[name]) for name in model.world.answers)
        ],
        dim=1,
    ).numpy()
    found = np.array(document["methods"]["confidence"]["probability"])
    assert np.allclose(found, expected, atol=1e-5)
    (grid,) = document["blocks"]["confidence"]
    held_out = model.baseline.held_out
    means = np.stack([expected[~held_out].mean(0), expected[held_out].mean(0)], 1)
    assert np.allclose(grid["values"], means, atol=1e-5)
    assert "How sure is the model of what it writes" in (tmp_path / "report.html").read_text()

    in_words = run(installed, tmp_path, *arguments)
    assert "Confidence: How sure is the model" in in_words.stdout
    assert "mean probability of the written answer: " in in_words.stdout


PAGE = """
import json, sys
sys.path[:0] = sys.argv[1:]
from fastapi.testclient import TestClient
from api.server import api
from tests.app.api.documents import ask_parts
client, about = TestClient(api), {"name": "shipped", "model": "gpt2"}
methods = client.get("/mechanism/methods", params=about).json()["methods"]
(*_, panel) = ask_parts(client, "mechanism/panel", **about, method="confidence")
(block,) = panel["blocks"]
about |= {"method": "confidence", "block": 0, "row": 0, "column": 0}
cases = client.get("/mechanism/cases", params=about)
print(json.dumps([methods[-1]["title"], panel["complete"], block["type"], block["cases"], cases.status_code]))
"""


def test_it_has_a_panel_on_page_mechanism(installed, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PAGE, str(APP), str(APP.parent)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["Confidence", True, "heatmap", True, 200]


def test_one_that_cannot_be_imported_is_left_out_with_a_warning(installed, tmp_path):
    broken = tmp_path / "site"
    dist = broken / "broken-0.1.dist-info"
    dist.mkdir(parents=True)
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 0.1\n")
    (dist / "entry_points.txt").write_text("[the_experiment.methods]\nbroken = broken:METHOD\n")
    result = run(broken, tmp_path, "mechanism", "--name", "shipped", "--method", "palmistry")
    assert result.returncode == 2
    assert (
        "package broken: method broken (broken:METHOD) is left out: No module named 'broken'" in result.stderr
    )
    assert "unknown method" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_document_shows_it():
    for name in ("confidence_method.py", "pyproject.toml"):
        assert (EXAMPLES / "method" / name).read_text(encoding="utf-8").strip() in DOCUMENT


@pytest.mark.parametrize("example", ["architecture", "intervention", "method", "page"])
def test_examples_are_short(example):
    files = list((EXAMPLES / example).rglob("*.py"))
    assert files
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < 100
