"""What the documents say: their commands run, their figures are those of the files."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from playground.analysis import measure_routes
from playground.analysis.routes.verdict import RouteCounts
from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    find_consistent_formulas,
    guess,
    hardest_hold_out,
    parse_hold_out,
)
from playground.files import default_rules
from playground.inference import load_model
from playground.interventions import KINDS, parse, parse_all
from playground.training import default_recipe
from playground.worlds import load_world, state_text
from tests.support.program import run_installed, run_program, run_script

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
WORLDS = (ROOT / "docs" / "worlds.md").read_text(encoding="utf-8")
MECHANISM = (ROOT / "docs" / "mechanism.md").read_text(encoding="utf-8")
RUNS = {
    name: json.loads((ROOT / "models" / "shipped" / name / "run.json").read_text(encoding="utf-8"))
    for name in ("gpt2", "rnn", "cnn", "mann")
}


def commands() -> list[list[str]]:
    lines = re.findall(r"^    (the-experiment .+)$", README, flags=re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_readme_has_its_commands():
    assert [command[0] for command in commands()] == [
        "test",
        "board",
        "board",
        "board",
        "board",
        "board",
        "board",
        "complete",
        "conditions",
        "export",
        "atlas",
        "mechanism",
        "guess",
        "generate",
        "generate",
        "train",
        "train",
        "train",
        "train",
        "train",
        "ui",
        "guess",
        "generate",
        "train",
        "board",
    ]


def needs_no_training(command: list[str]) -> bool:
    return command[0] not in ("train", "ui") and command[:3] != ["board", "--name", "mine"]


@pytest.mark.slow
@pytest.mark.parametrize("command", [*filter(needs_no_training, commands())], ids=" ".join)
def test_commands_of_the_readme_run(tmp_path, command):
    """The first as it is installed; the others are copies of a process that has imported PyTorch."""
    shutil.copy(default_rules(), tmp_path / "my.rules")
    run = run_installed if command == commands()[0] else run_program
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "said"), [(README, "newD: "), (MECHANISM, "1 of 64 texts follow newB; 63 of 64 follow D")]
)
def test_the_example_of_a_document_runs(tmp_path, document, said):
    [code] = re.findall(r"```python\n(.+?)```", document, flags=re.DOTALL)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    result = run_script(tmp_path / "example.py", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert said in result.stdout


@pytest.mark.parametrize("name", list(RUNS))
def test_routes_of_the_guide_are_those_of_the_shipped_models(name):
    shares = []
    for route in measure_routes(load_model("shipped", name, "cpu")).chains:
        read, recomputed = route.follows(0), route.follows(-1)
        counts = RouteCounts(read.holds, recomputed.holds, read.of)
        shares += [f"{percent} %" for percent in counts.percent]
    assert f"| `{name}` | {' | '.join(shares)} |" in MECHANISM


def test_figures_of_simple_predictors_are_those_of_the_shipped_hold_out():
    world = load_world(default_rules())
    spec = DatasetSpec(world=world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, world))
    for each in guess(spec).guesses:
        shares = [f"{share:.0%}" for share in (*each.by_answer.values(), each.outputs)]
        right, total = each.tally
        assert f"| {' | '.join([each.name, *shares])} | {right} of {total} |" in WORLDS
    formulas = find_consistent_formulas(spec)
    assert f"| output | of up to {formulas.size} names |" in WORLDS
    for each in formulas.outputs:
        assert f"| {each.output} | {each.count} | {each.mean:.0%} |" in WORLDS
    assert f"| whole | | {formulas.whole_mean:.0%} |" in WORLDS
    [said] = re.findall(r"these six,\s`([01,;]+)`", WORLDS)
    hardest = hardest_hold_out(world, 6)
    assert said == ";".join(state_text(state) for state in hardest)
    shares = [
        np.mean([each.held_out_right.mean() for each in guess(spec.holding_out(states)).guesses])
        for states in (hardest, spec.held_out)
    ]
    assert "get {:.0%} of the answers right, not {:.0%} as of the shipped ones".format(*shares) in WORLDS
    [nearest] = [
        each for each in guess(spec.holding_out(hardest)).guesses if each.name == "nearest neighbour"
    ]
    assert nearest.by_answer["newD"] == 0.5


def test_figures_of_the_readme_are_those_of_the_shipped_runs():
    for name, run in RUNS.items():
        seen, held_out = round(26 * run["accuracy"]["seen"]), round(6 * run["accuracy"]["held_out"])
        line = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        assert line.endswith(f"| {seen} of 26 | {held_out} of 6 |")
        assert f"{run['seconds']:.0f} s" in line


def test_interventions_of_the_documents_can_be_read():
    text = (ROOT / "docs" / "interventions.md").read_text(encoding="utf-8")
    positions = re.findall(r"^\| `(@[^`]+)` \|", text, flags=re.MULTILINE)
    listed = re.findall(r"^\| `(?:gpt2|rnn|cnn|mann)` \| (`[^|]+) \|", text, flags=re.MULTILINE)
    sites = [site for each in listed for site in re.findall("`([A-Za-z][^` ]*)`", each)]
    assert len(positions) == 4
    assert len(sites) > 60
    for form in [f"zero:{site}{position}" for site in sites for position in positions]:
        assert str(parse(form)) == form


def test_every_kind_is_in_the_documents_with_an_example_that_the_shipped_models_carry_out():
    text = (ROOT / "docs" / "interventions.md").read_text(encoding="utf-8")
    examples = dict(re.findall(r"^\| `([a-z]+)` \| `([a-z]+:[^`]+)` \|", text, flags=re.MULTILINE))
    assert list(examples) == list(KINDS)
    model = load_model("shipped", "gpt2", "cpu")
    for kind, example in examples.items():
        assert example.startswith(f"{kind}:")
        assert model.fit(parse_all(example)).faults == ()
    for kind in KINDS.values():
        assert model.fit([parse(kind.example)]).faults == ()


def test_the_table_of_kinds_says_what_app_and_terminal_say():
    text = (ROOT / "docs" / "interventions.md").read_text(encoding="utf-8")
    rows = [
        f"| `{name}` | `{kind.example}` | {kind.effect} | {kind.caution} |\n" for name, kind in KINDS.items()
    ]
    assert "| --- | --- | --- | --- |\n" + "".join(rows) + "\n" in text, "the table should be:\n" + "".join(
        rows
    )


def test_pictures_are_there():
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / path).is_file()


def test_the_files_that_documents_name_are_there():
    examples = ROOT / "docs" / "examples" / "extending"
    homes = (ROOT, ROOT / "playground", ROOT / "app", examples / "method", examples / "page")
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        named = re.findall(
            r"`((?:[a-z_]+/)*[a-z_0-9]+\.(?:py|lark|js))`", document.read_text(encoding="utf-8")
        )
        gone = [name for name in named if not any((home / name).is_file() for home in homes)]
        assert gone == [], document.name


def test_what_the_readme_says_of_simple_predictors_is_so():
    world = load_world(default_rules())
    found = guess(DatasetSpec(world=world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, world)))
    [right, outputs] = [
        max(each.tally[0] for each in found.guesses),
        max(each.tally_of_outputs[0] for each in found.guesses),
    ]
    assert f"| simple predictors | best of five (counts aside, {outputs} of 6) | | {right} of 6 |" in README


def test_the_rules_of_the_readme_are_the_default_world():
    rules = (ROOT / "data" / "worlds" / "default.rules").read_text(encoding="utf-8")
    lines = [line for line in rules.splitlines() if not line.startswith("#")]
    assert "".join(f"    {line}\n" for line in lines) in README


@pytest.mark.parametrize("name", list(RUNS))
def test_scores_of_the_models_page_are_those_of_the_shipped_runs(name):
    run = RUNS[name]
    by_output = run["evaluations"][-1]["accuracy"]["by_output"].values()
    cells = [
        f"`{name}`",
        f"{run['parameters']:,}",
        f"{run['seconds']:.0f}",
        f"{run['samples']:,}",
        f"{run['operations'] / 1e12:.2f} TFLOP",
        f"{round(26 * run['accuracy']['seen'])} of 26",
        f"{round(6 * run['accuracy']['held_out'])} of 6",
        *(f"{round(26 * each['seen'])}, {round(6 * each['held_out'])}" for each in by_output),
    ]
    assert f"| {' | '.join(cells)} |" in MODELS


@pytest.mark.parametrize("name", list(RUNS))
def test_when_the_shipped_models_had_learnt_is_what_the_models_page_says(name):
    evaluations = RUNS[name]["evaluations"]
    learnt = next(
        later
        for earlier, later in pairwise(evaluations)
        if earlier["accuracy"]["seen"] == later["accuracy"]["seen"] == 1
    )
    samples, held_out = 16 * learnt["step"], round(6 * learnt["accuracy"]["held_out"])
    assert f"| `{name}` | {samples:,} | {held_out} of 6 |" in MODELS


@pytest.mark.parametrize("name", list(RUNS))
def test_shipped_models_are_what_the_program_makes_and_write_every_seen_state(name):
    run, recipe = RUNS[name], default_recipe(name)
    assert run["command"].startswith(f"the-experiment train {run['command'].split()[2]} --name shipped")
    assert run["command"].split()[2] in ("all", name)
    assert run["accuracy"]["seen"] == 1.0
    assert run["samples"] == 60_000
    assert run["recipe"]["learning_rate"] == recipe.learning_rate
    assert run["recipe"]["threads"] == recipe.threads
    board = load_model("shipped", name, "cpu").board()
    assert board.accuracy.held_out == pytest.approx(run["accuracy"]["held_out"])


def test_shipped_models_are_small():
    sizes = [path.stat().st_size for path in (ROOT / "models" / "shipped").rglob("*") if path.is_file()]
    assert sum(sizes) < 40_000_000
    assert max(sizes) < 5_000_000
