"""Worlds by name, from any folder; Boolean networks in, and out; what a default hold-out leaves open."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from loguru import logger

from playground.cli.main import app
from playground.errors import RequestError
from playground.files import default_rules, project_root
from playground.worlds import list_worlds, load_world, network_of_world, parse_world, rules_of_network
from tests.conftest import SECOND_RULES

NAMES = sorted(path.stem for path in (project_root() / "data" / "worlds").glob("*.rules"))
NETWORK = "# A toggle with a signal.\ntargets, factors\nlow, !high\nhigh, !low & signal\nsignal, signal\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in a folder that has nothing of the project, and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    program = typer.main.get_command(app)
    program.callback = None

    def run(*arguments: str) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            program.main(list(arguments), standalone_mode=False)
        return printed.getvalue()

    return run


@pytest.fixture
def logged():
    """Return the list of what is logged."""
    messages: list[str] = []
    sink = logger.add(lambda message: messages.append(message.record["message"]), level="INFO")
    yield messages
    logger.remove(sink)


def asked(run, world: str) -> dict:
    return json.loads(run("guess", "--world", world, "--size", "1", "--json"))


@pytest.mark.parametrize("form", ["{}", "{}.rules", "data/worlds/{}.rules", "./data/worlds/{}.rules"])
def test_worlds_that_come_along_are_found_by_name_from_any_folder(run, form, logged):
    for name in ("adder", "default", "gate"):
        text = form.format(name)
        assert (
            asked(run, text)["world"] == load_world(project_root() / "data" / "worlds" / f"{name}.rules").text
        )
        assert any(message.startswith(f"--world {text}: ") for message in logged), (
            "where it was found is said"
        )


def test_every_world_is_printed_by_its_name(run):
    for name in NAMES:
        assert parse_world(run("world", name)) == load_world(
            project_root() / "data" / "worlds" / f"{name}.rules"
        )
    assert run("world") == default_rules().read_text()


def test_a_path_comes_before_a_name_and_ones_own_before_what_comes_along(run, tmp_path):
    own = tmp_path / "data" / "worlds"
    own.mkdir(parents=True)
    (own / "adder.rules").write_text("out = A OR B\n")
    (own / "mine.rules").write_text(SECOND_RULES)
    assert run("world", "adder") == "out = A OR B\n"
    assert run("world", "mine") == run("world", "data/worlds/mine.rules") == SECOND_RULES
    (tmp_path / "adder").write_text("out = A AND B\n")
    assert run("world", "adder") == "out = A AND B\n"
    (tmp_path / "gate").mkdir()
    assert "A XOR B" in run("world", "gate"), "a folder of that name is no file of rules"


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("ader", "Did you mean adder"),
        ("data/worlds/ader.rules", "Did you mean adder"),
        ("multiplexor", "Did you mean multiplexer"),
        ("Default", "Did you mean default"),
        ("elsewhere/adder.rules", "there is no such world"),
        ("adder.bnet", "there is no such world"),
        ("zzz", "Write the path of the file"),
        ("", "there is no such world"),
        (".", "got '.', a folder"),
    ],
)
@pytest.mark.parametrize(
    "command", [("guess", "--world"), ("generate", "--name", "x", "--world"), ("world",)]
)
def test_a_world_that_is_not_there_is_answered_with_the_nearest_names(run, command, world, said, tmp_path):
    with pytest.raises(RequestError, match=said) as caught:
        run(*command, world)
    assert "No such file" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_network_is_trained_on_asked_about_and_printed(run, tmp_path):
    (tmp_path / "toggle.bnet").write_bytes(b"\xef\xbb\xbf" + NETWORK.replace("\n", "\r\n").encode())
    rules = rules_of_network(NETWORK)
    assert rules.splitlines()[:2] == ["# A toggle with a signal.", "inputs: low, high, signal"]
    assert run("world", "toggle.bnet") == rules
    assert asked(run, "toggle.bnet")["world"] == rules
    run("generate", "--world", "toggle.bnet", "--name", "toggle", "--omit", "0,0,1; 1,1,0;")
    document = json.loads((tmp_path / "data" / "toggle" / "dataset.json").read_text())
    assert parse_world(document["world"]).outputs == ("newlow", "newhigh", "newsignal")
    assert document["held_out"] == ["0,0,1", "1,1,0"]
    printed = run("world", "toggle.bnet", "--as", "bnet")
    assert rules_of_network(printed).splitlines()[0] == "inputs: low, high, signal"
    assert parse_world(rules_of_network(printed)) == parse_world(rules)


def test_any_world_is_printed_as_a_network(run):
    for path in list_worlds():
        assert run("world", path.stem, "--as", "bnet") == network_of_world(load_world(path))
    with pytest.raises(RequestError, match="expected rules or bnet, got 'sbml'"):
        run("world", "gate", "--as", "sbml")


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("\n".join(f"n{i}, n0" for i in range(11)), "big.bnet: .*expected 2 to 10 nodes, got 11 nodes"),
        ("A, B and C\nB, A", "big.bnet, line 1, column 6: .*For AND write &"),
    ],
)
@pytest.mark.parametrize(
    "command", [("guess", "--world"), ("generate", "--name", "x", "--world"), ("world",)]
)
def test_a_network_that_is_no_world_is_refused_with_file_and_line(run, command, network, said, tmp_path):
    (tmp_path / "big.bnet").write_text(network)
    with pytest.raises(RequestError, match=said):
        run(*command, "big.bnet")
    assert [path.name for path in tmp_path.iterdir()] == ["big.bnet"]


def test_what_a_hold_out_leaves_open_is_said_with_the_reason(run, logged, tmp_path):
    said = run("guess", "--world", "majority", "--omit-random", "6")
    assert "No choice of 6 states to hold out would determine most" in " ".join(said.split())
    assert "Another choice of 6 states would determine sum" in " ".join(said.split())
    Path("small.rules").write_text("inputs: x, A, B, C\nout = x AND C\n")
    run("generate", "--world", "small.rules", "--name", "small", "--omit", "1,*,*,0;")
    [warning] = [each for each in logged if "Another choice" in each]
    assert warning == (
        "No seen state has x = 1 and C = 0, from which out follows. "
        "Another choice of 4 states would determine out."
    )
