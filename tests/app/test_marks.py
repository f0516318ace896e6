"""One set of marks: the pages use the library's, and every page gets the same judgements of the same text."""

from __future__ import annotations

import re

import pytest

from api import state_table
from api.asked.condition import Condition
from api.asked.query import Asked
from api.boards import board_parts
from api.compare import comparison
from api.models import predictors
from api.models.frames import frame_data
from api.named_sets import measured
from api.text import completions
from playground.datasets import JUDGEMENTS, LEGEND, MARKS
from playground.inference import Compared, Model, complete, open_model
from playground.interventions import NamedCondition, parse_all
from tests.app.browser import APP

FORCED = "force:newB=!"


@pytest.fixture(scope="module", params=["gpt2", "rnn"])
def model(workplace, request) -> Model:
    return open_model(workplace / "models" / "default" / request.param, "cpu")


def test_the_pages_have_the_library_s_marks():
    script = (APP / "client" / "drawing" / "marks.js").read_text(encoding="utf-8")
    entries = re.findall(r'\{ word: "(\w+)", mark: "(.?)", kind: "[a-z-]+" \}', script)
    assert entries == [(str(judgement), MARKS[judgement].symbol) for judgement in JUDGEMENTS]
    said = script.split("MARKS_SAID =")[1].split(";\n\n")[0]
    assert "".join(re.findall(r'"([^"]*)"', said)) == LEGEND


def test_no_other_script_has_marks_of_its_own():
    for path in APP.rglob("*.js"):
        if path.name not in (
            "marks.js",
            "rules_editor.js",
            "predictors.js",
            "verdict.js",
            "grid.js",
        ):
            without_legends = re.sub(
                r"(sample\(|4✗5|≈ \$|≈: |· ≈ )[^\n]*", "", path.read_text(encoding="utf-8")
            )
            assert not set("≈†✗⤷⤬≠") & set(without_legends), path.name


@pytest.mark.parametrize("on", ["", FORCED, "zero:L0"])
def test_every_page_is_given_the_same_judgements(model: Model, on: str):
    done = parse_all(on)
    board = model.board(done)
    answers = board.template.answer_positions
    judged, as_written = board.judged.tolist(), board.truth_as_written.tolist()
    table = state_table.state_data(model.world, (), board=board, editable=False, caption="")
    assert table["judged"] == board.judged[:, answers].tolist()
    for row, state in list(enumerate(model.world.states))[::8]:
        condition = Condition(state=state, edits=done)
        text = model.template.prompt(state)
        one = completions.Written(model, done, complete(model, text), complete(model, text, done), ())
        line = completions.completion_data([one], condition)["lines"][-1]
        assert line["judged"].tolist() == judged[row]
        assert [line["as_written"][position] for position in answers] == as_written[row]


@pytest.mark.parametrize("on", ["", FORCED, "zero:L0"])
def test_boards_and_strips_are_given_the_same_judgements(model: Model, on: str):
    board = model.board(on)
    condition = Condition(state=model.world.states[0], edits=parse_all(on))
    for part in board_parts(Asked(("default", model.name), model, condition)):
        rows = part["rows"].tolist()
        assert part["judged"].tolist() == board.judged[rows].tolist()
        assert part["truth_as_written"].tolist() == (board.truth_as_written[rows] % 256).tolist()


def test_scores_and_conditions_have_what_is_right_as_written(model: Model):
    board = model.board(FORCED)
    side = comparison.Side(model, parse_all(FORCED), (), model.baseline, board)
    condition = Condition(state=model.world.states[0])
    [scored] = comparison.scores_data([side], condition)["models"]
    tallies = [board.tally_by_answer_as_written.get(name) for name in model.world.answers]
    assert scored["as_written"] == [None, *tallies]
    entry = measured._scores(Compared(NamedCondition("forced", (FORCED,)), board))
    assert entry["answers_as_written"] == board.tally_by_answer_as_written


def test_what_no_seen_state_has_is_said_beside_every_figure_of_held_out_states(model: Model):
    said = ["No seen state has sum = 5."]
    condition = Condition(state=model.world.states[-1])
    side = comparison.Side(model, (), (), model.baseline, model.baseline)
    shown = [
        frame_data(model),
        comparison.scores_data([side], condition),
        state_table.state_data(model.world, (), board=model.baseline, editable=False, caption=""),
        predictors.predictors_data(model.dataset, None, None),
        next(measured.table_parts(Asked(("default", model.name), model, condition))),
    ]
    assert [data["never_seen"] for data in shown] == [said] * len(shown)
    assert model.baseline.to_json()["never_seen"] == said
