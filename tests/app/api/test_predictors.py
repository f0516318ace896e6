"""What a simple predictor gets right, as the pages show it, and the route that says so."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from api.long_questions import LARGEST
from api.models import predictors
from api.server import api
from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    default_hold_out,
    find_consistent_formulas,
    guess,
    parse_hold_out,
    random_hold_out,
)
from playground.worlds import World, state_text
from tests.conftest import SECOND_RULES

FORM = {"Content-Type": "application/x-www-form-urlencoded", "X-HTTP-Method-Override": "GET"}


@pytest.fixture
def client() -> TestClient:
    return TestClient(api)


def documents(content: bytes) -> list[dict]:
    """Return the documents of a stream; answers about predictors contain no arrays."""
    found = []
    while content:
        size = int.from_bytes(content[:8], "little")
        document, content = content[8 : 8 + size], content[8 + size :]
        header = json.loads(document[8 : 8 + int.from_bytes(document[:8], "little")])
        found.append(json.loads(header["__metadata__"]["answer"]))
    return found


def shown(spec: DatasetSpec) -> dict:
    return predictors.predictors_data(spec, guess(spec), find_consistent_formulas(spec))


def test_what_counts_alone_make_hard_is_said(default_world: World):
    held_out = parse_hold_out(SHIPPED_HOLD_OUT, default_world)
    data = shown(DatasetSpec(world=default_world, held_out=held_out))
    # As the predictors of scikit-learn have it: a tree finds all four rules, and cannot count.
    tree = next(each for each in data["predictors"] if each["name"] == "decision tree")
    assert tree["by_answer"][:4] == [6, 6, 6, 6]
    assert (tree["outputs"], tree["whole"]) == (6, 0)
    assert (
        "gets any of the 6 held-out states right. Without the counts, the best one gets 6 of 6 right."
        in data["summary"]
    )
    # 0,0,0,0,0 is the only state whose sum is 0, and 1,1,1,1,1 the only one whose sum is 5.
    assert data["never_seen"] == ["No seen state has sum = 0 or 5."]


def test_formulas_stand_below_outputs_and_not_below_counts(default_world: World):
    spec = DatasetSpec(world=default_world, held_out=random_hold_out(default_world, 3, 1))
    data, found = shown(spec), find_consistent_formulas(spec)
    cells = data["formulas"]["by_answer"]
    assert [cell is None for cell in cells] == [False] * 4 + [True] * 2
    assert cells[0]["count"] == found.outputs[0].count
    assert found.outputs[0].smallest in cells[0]["title"]
    assert [each["state"] for each in data["states"]] == [
        ",".join(map(str, state)) for state in spec.held_out
    ]


def test_with_nothing_held_out_there_is_nothing_to_guess(second_world: World):
    spec = DatasetSpec(world=second_world)
    data = shown(spec)
    assert data["held"] == 0
    assert "No state is held out" in data["summary"]
    assert predictors.tally(spec) is None
    assert predictors.scores(spec) is None


def test_until_something_is_found_the_page_says_so(default_world: World):
    spec = DatasetSpec(world=default_world, held_out=default_world.states[:2])
    data = predictors.predictors_data(spec, None, None)
    assert "Computing" in data["summary"]
    assert data["predictors"] == []


def test_scores_beside_models_are_the_best_of_each_answer(second_spec: DatasetSpec):
    [right, held] = predictors.tally(second_spec)
    scores = predictors.scores(second_spec)["scores"]
    assert scores[0] == (right, held) == (max(g.tally[0] for g in guess(second_spec).guesses), 1)
    for answer in range(2):
        assert scores[1 + answer][0] == max(
            int(
                g.values[second_spec.world.states.index((1, 1, 0)), answer]
                == second_spec.world.truth_table[6, answer]
            )
            for g in guess(second_spec).guesses
        )


def test_guesses_come_first_and_formulas_follow(client: TestClient, default_world: World):
    held_out = default_world.states[3:5]
    query = {"rules": default_world.text, "held_out": ";".join(map(state_text, held_out))}
    answer = client.get("predictors", params=query)
    unknown, guessed, whole = documents(answer.content)
    spec = DatasetSpec(world=default_world, held_out=held_out)
    assert unknown.pop("progress").startswith("Fitting")
    assert unknown == predictors.predictors_data(spec, None, None)
    assert guessed.pop("progress").startswith("Searching")
    assert guessed == predictors.predictors_data(spec, guess(spec), None)
    assert whole == shown(spec)
    # What was found is kept.
    assert documents(client.get("predictors", params=query).content) == [whole]


def test_without_a_hold_out_it_is_the_world_s_own_and_an_empty_one_is_none(
    client: TestClient, second_world: World
):
    default = documents(client.get("predictors", params={"rules": SECOND_RULES}).content)[-1]
    assert [each["state"] for each in default["states"]] == [
        state_text(state) for state in default_hold_out(second_world)
    ]
    [none] = documents(client.get("predictors", params={"rules": SECOND_RULES, "held_out": ""}).content)
    assert none == predictors.predictors_data(DatasetSpec(world=second_world), None, None)


def test_patterns_hold_out_what_they_match(client: TestClient, second_world: World):
    found = documents(client.get("predictors", params={"rules": SECOND_RULES, "held_out": "1,1,*"}).content)[
        -1
    ]
    assert [each["state"] for each in found["states"]] == ["1,1,0", "1,1,1"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"rules": "out = A AND"}, "AND"),
        ({"rules": SECOND_RULES, "held_out": "1,1"}, "1,1"),
        ({"rules": SECOND_RULES, "held_out": "*,*,*"}, "0 to 7 of the world"),
        ({}, "rules"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, query: dict, said: str):
    answer = client.get("predictors", params=query)
    assert answer.status_code == 422
    assert said in json.dumps(answer.json())


def test_a_question_too_long_for_an_address_is_asked_in_the_body(client: TestClient):
    rules = SECOND_RULES + "".join(f"# {number}\n" for number in range(2_000))
    content = client.build_request("GET", "predictors", params={"rules": rules, "held_out": ""}).url.query
    assert len(content) > 10_000
    answer = client.post("predictors", content=content, headers=FORM)
    assert answer.status_code == 200, answer.text
    assert documents(answer.content)[-1]["held"] == 0
    # Without the header it changes something, and nothing is changed here.
    assert (
        client.post("predictors", content=content, headers=FORM | {"X-HTTP-Method-Override": ""}).status_code
        == 405
    )
    refused = client.post("predictors", content=b"rules=" + b"A" * LARGEST, headers=FORM)
    assert refused.status_code == 413
    assert "too long" in refused.json()["faults"][0]["text"]
