"""The example of a kind of intervention in a package of its own, installed and held against a plain torch hook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from playground.inference import load_model
from playground.interventions import KINDS
from playground.interventions.registry import ALL_KINDS, GROUP
from tests.extending.examples import DOCUMENT, EXAMPLES, install

EXAMPLE = EXAMPLES / "intervention"
LAYER, HEAD, AMOUNT = 1, 2, 0.5
CONDITION = f"clamp:L{LAYER}H{HEAD}~{AMOUNT}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example, installed there without a network."""
    return install("intervention", tmp_path_factory.mktemp("extending"))


def run_with(installed: Path, *arguments: str, cwd: Path) -> str:
    """Return what the program prints with the example on its path."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name("the-experiment")), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@torch.inference_mode()
def boards_by_hand() -> tuple[list[dict[str, str]], list[dict[str, float]], list[dict[str, float]]]:
    """Return what GPT-2 writes with the head clamped, its margins, and those without.

    By transformers' own model, a token at a time.
    """
    loaded = load_model("shipped", "gpt2", "cpu")
    template = loaded.template
    model = GPT2LMHeadModel.from_pretrained(loaded.checkpoint.folder).eval()
    width = model.config.n_embd // model.config.n_head
    part = slice(HEAD * width, (HEAD + 1) * width)
    # Heads stand side by side in what the output matrix of an attention is given.
    matrix = model.transformer.h[LAYER].attn.c_proj
    given = template.prompt_length

    def write() -> torch.Tensor:
        tokens = torch.from_numpy(template.truth[:, :given])
        while tokens.shape[1] < template.length:
            tokens = torch.cat([tokens, model(tokens).logits[:, -1:].argmax(-1)], dim=1)
        return tokens

    def margins(written: torch.Tensor) -> list[dict[str, float]]:
        logits = model(written).logits
        found: list[dict[str, float]] = [{} for _ in written]
        for name in template.world.answers:
            position = template.positions[name]
            for state, scores in enumerate(logits[:, position - 1]):
                right = int(template.truth[state, position])
                wrong = torch.cat([scores[:right], scores[right + 1 :]])
                found[state][name] = float(scores[right] - wrong.max())
        return found

    seen: list[torch.Tensor] = []
    with matrix.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][..., part])):
        unedited = margins(write())
    largest = AMOUNT * seen[-1].std(0, correction=0)

    def clamp(module, inputs):
        changed = inputs[0].clone()
        bound = largest[: changed.shape[1]]
        changed[..., part] = torch.minimum(torch.maximum(changed[..., part], -bound), bound)
        return (changed,)

    with matrix.register_forward_pre_hook(clamp):
        written = write()
        edited = margins(written)
    answers = [
        {name: template.vocabulary[row[template.positions[name]]] for name in template.world.answers}
        for row in written.tolist()
    ]
    return answers, edited, unedited


def test_the_example_does_what_it_says(installed, tmp_path):
    document = json.loads(run_with(installed, "board", "--on", CONDITION, "--json", cwd=tmp_path))
    answers, margins, unedited = boards_by_hand()
    assert document["interventions"] == [CONDITION]
    assert [state["written"] for state in document["states"]] == answers
    for state, expected in zip(document["states"], margins, strict=True):
        assert state["margin"] == pytest.approx(expected, abs=1e-3)
    # The head matters, or this test shows nothing.
    moved = [
        abs(one[name] - other[name]) for one, other in zip(margins, unedited, strict=True) for name in one
    ]
    assert max(moved) > 0.1


def test_its_caution_stands_below_the_board(installed, tmp_path):
    printed = " ".join(run_with(installed, "board", "--on", CONDITION, cwd=tmp_path).split())
    assert "clamp: each number of its output is clipped" in printed
    assert "The range lies around zero, not around the mean" in printed


def test_the_example_is_short_and_is_what_the_document_shows():
    files = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLE.iterdir() if path.is_file()}
    assert set(files) == {"clamp.py", "pyproject.toml"}
    assert sum(len(content.splitlines()) for content in files.values()) < 100
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    shown = [block for block in blocks if "Clamp" in block]
    assert len(shown) == len(files)
    lines = {line for content in files.values() for line in content.splitlines()}
    assert {line for block in shown for line in block.splitlines()} <= lines


def test_kinds_that_are_not_whole_are_left_out(monkeypatch):
    entries = metadata.EntryPoints(
        metadata.EntryPoint(name, value, GROUP)
        for name, value in {
            "missing": "no_such_module:Kind",
            "abstract": "playground.interventions:ActivationIntervention",
            "function": "playground.interventions:parse",
            "taken": "playground.interventions:Zero",
        }.items()
    )
    monkeypatch.setattr("playground.plugins.entry_points", lambda group: entries)
    monkeypatch.setattr(ALL_KINDS, "_known", {})
    assert dict(ALL_KINDS) == KINDS
