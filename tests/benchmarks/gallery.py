"""Train every model on every bundled world, with --until-learned, and write the table in docs/worlds.md.

Datasets and models stay under gallery/, so an interrupted run resumes. Arguments name the worlds to train; by default all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playground.datasets import default_hold_out
from playground.files import project_root
from playground.worlds import World, describe_rules, load_world, state_text
from tests.benchmarks.tables import say

PLACE = Path("gallery")
"""Folder of the datasets and models."""
WORLDS = project_root() / "data" / "worlds"
DOCUMENT = project_root() / "docs" / "worlds.md"
BEGINS, ENDS = "<!-- gallery -->\n", "<!-- /gallery -->\n"


def main(names: Sequence[str]) -> None:
    """Train the models that are missing, and rewrite the table with all worlds that have a trained model."""
    files = sorted(WORLDS.glob("*.rules"), key=_size)
    if unknown := set(names) - {file.stem for file in files}:
        sys.exit(
            f"Unknown worlds: {', '.join(sorted(unknown))}. Known: {', '.join(file.stem for file in files)}."
        )
    for file in files:
        if file.stem in (names or [each.stem for each in files]):
            say(f"{file.stem}: training")
            _train(file)
    rows = [_row(file) for file in files if any((PLACE / "models" / file.stem).glob("*/run.json"))]
    head = list(dict.fromkeys(name for row in rows for name in row))
    lines = [head, ["---"] * len(head), *([row.get(name, "") for name in head] for row in rows)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGINS)
    DOCUMENT.write_text(before + BEGINS + table + ENDS + rest.split(ENDS)[1], encoding="utf-8")
    print(table)


def _size(file: Path) -> tuple[int, str]:
    return len(load_world(file).states), file.stem


def _train(file: Path) -> None:
    name, world = file.stem, load_world(file)
    PLACE.mkdir(exist_ok=True)
    if not (PLACE / "data" / name / "dataset.json").is_file():
        held_out = default_hold_out(world)
        omit = ("--omit", ";".join(map(state_text, held_out))) if held_out else ()
        _run("generate", "--world", str(file), "--name", name, *omit)
    _run("train", "all", "--name", name, "--until-learned", "--resume")


def _row(file: Path) -> dict[str, str]:
    """Return a world's row: in how many held-out states simple predictors, and each model, get the whole answer right."""
    name, world = file.stem, load_world(file)
    boards = json.loads(_run("board", "--name", name, "--model", "all", "--json"))["boards"]
    guesses = json.loads(_run("guess", "--name", name, "--json"))
    held_out, best = len(guesses["held_out"]), guesses["guessing"]
    found = {
        "world": f"`{name}`: {_purpose(world)}",
        "states": f"{len(world.states):,}",
        "held out": f"{held_out}",
    }
    found["guessing"] = _guessing(best, held_out) if best else "–"
    drawn = guesses["formulas"]["mean"]
    found["formulas"] = "–" if drawn is None else f"{held_out * drawn:.1f}"
    return found | {board["model"]: _cell(name, board) for board in boards}


def _guessing(best: dict, held_out: int) -> str:
    right = round(best["held_out"] * held_out)
    return f"{right}, {best['predictor']}" if right else "0"


def _cell(name: str, board: dict) -> str:
    """Return in how many held-out states a model gets the whole answer right, and how many steps it was trained."""
    right = {
        group: [each["correct"] for each in board["states"] if each["held_out"] == group] for group in (0, 1)
    }
    run = json.loads((PLACE / "models" / name / board["model"] / "run.json").read_text(encoding="utf-8"))
    steps = f"{run['steps']:,} steps"
    if not all(right[0]):
        steps += f", {sum(right[0]):,} of {len(right[0]):,} seen"
    return f"**{sum(right[1]):,}**; {steps}" if right[1] else steps


def _purpose(world: World) -> str:
    return describe_rules(world.text)


def _run(*arguments: str) -> str:
    """Run a command of the program in the gallery's folder, and return its output."""
    program = [sys.executable, "-m", "playground.cli.main", *arguments]
    waiting = {"OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(program, cwd=PLACE, env=os.environ | waiting, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


if __name__ == "__main__":
    main(sys.argv[1:])
