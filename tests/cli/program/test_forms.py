"""The forms in which boards and answers are printed."""

from __future__ import annotations

import io
import json
import shutil

import pandas as pd
import pytest
from loguru import logger
from rich.console import Console

from playground.cli.output.display import show_board, show_legend
from playground.datasets import JUDGEMENTS, LEGEND
from playground.datasets import MARKS as ALL_MARKS
from playground.errors import RequestError
from playground.inference import open_model
from playground.worlds import state_text
from tests.support.judged_by_hand import MARKS


def test_a_board_as_a_table(invoke, workplace):
    frame = open_model(workplace / "models" / "second" / "gpt2", "cpu").board("force:first=!").to_frame()
    assert invoke("board", "--name", "second", "--on", "force:first=!", "--csv") == frame.to_csv()
    everyone = pd.read_csv(
        io.StringIO(invoke("board", "--model", "all", "--csv")), index_col=["model", "state"]
    )
    assert list(everyone.index.unique("model")) == ["gpt2", "rnn", "cnn", "mann"]
    assert len(everyone) == 4 * 32
    with pytest.raises(RequestError, match="one of --json and --csv"):
        invoke("board", "--json", "--csv")


def test_how_long_it_takes_is_told_of_what_is_still_to_be_measured(invoke, monkeypatch):
    monkeypatch.setattr("playground.cli.measuring.SOME_MINUTES", -1)
    # Another test may have measured some of it in this place.
    shutil.rmtree("cache", ignore_errors=True)
    said: list[str] = []
    listening = logger.add(said.append, format="{message}", filter="playground.cli.measuring")
    arguments = ("mechanism", "--name", "second", "--method", "routes")
    try:
        first = invoke(*arguments)
        told = [line for line in said if "takes about" in line]
        assert {line.split(" takes ")[0] for line in told} == {"gpt2: route", "gpt2: exchange of tokens"}
        said.clear()
        assert invoke(*arguments) == first
    finally:
        logger.remove(listening)
    assert not [line for line in said if "takes about" in line]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("board", "--model", "all"),
        ("test", "0,0,0,0,1"),
        ("complete", "0,1,1,1,0\n1,1"),
        ("mechanism", "--method", "routes"),
        ("guess", "--name", "default"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_nothing_is_cut_where_there_is_little_room(invoke, monkeypatch, arguments):
    """A pipe is taken for 80 characters wide, and has no use for half a number."""
    whole = invoke(*arguments)
    monkeypatch.setenv("COLUMNS", "30")
    narrow = invoke(*arguments)
    assert "…" not in narrow
    assert sorted(narrow.split()) == sorted(whole.split())


def test_a_board_under_force_has_two_verdicts(invoke):
    arguments = ("board", "--on", "force:newB=!")
    document, words = json.loads(invoke(*arguments, "--json")), invoke(*arguments)
    lines = {line.split()[0]: line for line in words.splitlines() if line.strip()}
    for state in document["states"]:
        cells = lines[state["state"]].removesuffix("  ").split()
        verdicts = ["right" if state[key] else "wrong" for key in ("correct", "correct_do")]
        assert cells[-2:] == verdicts
        written = cells[1 + 2 * state["held_out"] : -2]
        for cell, name in zip(written, document["outputs"], strict=True):
            token = state["written"][name].strip() or "⏎"
            assert cell == token + MARKS[state["judgement"][name]]
    assert "held out, with newB set" in words
    assert "held out, as written" in words
    # One sentence says what they mean, and one what no seen state has.
    assert " ".join(words.split()).count(LEGEND) == 1
    assert document["never_seen"] == ["No seen state has sum = 5."]
    assert "No seen state has sum = 5." in words


@pytest.mark.slow
def test_the_marks_of_one_state_are_those_of_the_board(invoke):
    """In words and in documents, of `board`, `test` and `complete`: the same text is judged alike."""
    found = set()
    for name in ("gpt2", "rnn", "cnn", "mann"):
        arguments = ("--model", name, "--on", "force:newB=!")
        states = json.loads(invoke("board", *arguments, "--json"))["states"]
        for state in states[::11]:
            one = json.loads(invoke("test", state["state"], *arguments, "--json"))["models"][name]
            same = json.loads(invoke("complete", state["state"], *arguments, "--json"))["models"][name]
            for key in ("tokens", "judgements", "truth_as_written", "correct_as_written"):
                assert one[key] == same[key]
            assert one["judgements"][1:-1:2] == list(state["judgement"].values())
            assert one["truth_as_written"][1:-1:2] == list(state["truth_as_written"].values())
            assert one["correct_as_written"] == state["correct_as_written"]
            marked = [
                (token.strip() or "⏎") + MARKS[word]
                for token, word in zip(one["tokens"], one["judgements"], strict=True)
            ]
            for command in ("test", "complete"):
                words = invoke(command, state["state"], *arguments)
                line = next(line for line in words.splitlines() if line.startswith(name))
                assert (
                    line.replace("│", "").split()[-len(marked) - (command == "test") * 2 :][: len(marked)]
                    == marked
                )
                assert LEGEND in " ".join(words.split())
            found |= set(one["judgements"])
    assert {"right", "right_as_written", "right_by_rules_alone", "wrong", "forced"} == found


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_where_marks_cannot_be_written_others_stand_for_them(workplace, encoding):
    board = open_model(workplace / "models" / "default" / "gpt2", "cpu").board("force:newB=!")
    printed = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    console = Console(file=printed, width=200)
    show_board(console, board)
    show_legend(console)
    printed.flush()
    words = printed.buffer.getvalue().decode(encoding)
    for index, state in enumerate(board.dataset.world.states):
        line = next(line for line in words.splitlines() if line.strip().startswith(state_text(state)))
        for answer, position in enumerate(board.template.answer_positions):
            mark = ALL_MARKS[JUDGEMENTS[board.judged[index, position]]]
            written = mark.symbol if _can_be_written(mark.symbol, encoding) else mark.plain
            token = board.template.visible(board.written[index, answer])
            cell = line.replace("held out", "").split()[1 + answer]
            if _can_be_written(token, encoding):
                assert cell == token + written
    assert ("✗" in words) == (encoding == "utf-8")


def _can_be_written(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def test_an_answer_under_force_has_two_truths(invoke):
    arguments = ("test", "1,0,1,0,1", "--model", "gpt2", "--on", "force:newB=0")
    answer = json.loads(invoke(*arguments, "--json"))["models"]["gpt2"]
    assert answer["truth_do"] == "\n0,0,0,1\n3 - 1\n"
    assert answer["correct_do"] == (answer["completion"] == answer["truth_do"])
    words = invoke(*arguments)
    lines = {line.split("  ")[0].strip(): line for line in words.splitlines()}
    assert lines["with newB set"].split()[3:] == list("000131")
    assert "0⚑" in lines["gpt2"]


def test_contradictory_forces_are_told(invoke):
    for command in (("board",), ("test", "1,0,1,0,1")):
        with pytest.raises(RequestError, match="this output is already forced"):
            invoke(*command, "--on", "force:newB=1", "--on", "force:newB=0")
