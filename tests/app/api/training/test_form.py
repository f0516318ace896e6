"""The form of page Train, checked: worlds, models, recipes, states to hold out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.training import starting
from playground.datasets import (
    DatasetSpec,
    Template,
    default_hold_out,
    explain_undetermined,
    generate,
    hardest_hold_out,
    parse_hold_out,
)
from playground.models import ARCHITECTURES
from playground.training import TrainingOverrides, default_recipe, plan_training
from playground.worlds import list_worlds, state_text
from tests.app.api.training.asking import SMALL, check, said


def test_a_form_can_choose_from_all_worlds_and_models(client, second_world):
    found = client.get("training/form", params={"rules": "small"}).json()
    assert found["worlds"] == [path.stem for path in list_worlds()]
    assert found["models"] == [[each.name, each.title] for each in ARCHITECTURES.values()]
    world = found["world"]
    assert [each["state"] for each in world["table"]["states"]] == list(map(state_text, second_world.states))
    assert world["held_out"] == list(map(state_text, default_hold_out(second_world)))
    assert world["most"] == 7
    assert not found["faults"]


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_the_defaults_of_a_form_are_those_with_which_a_model_is_trained(client, second_world, name):
    usual = client.get("training/form", params={"rules": "small"}).json()["world"]["usual"][name]
    size, recipe = ARCHITECTURES[name].default_size(Template(second_world)), default_recipe(name)
    assert (float(usual["epochs"]), float(usual["learning_rate"])) == (recipe.epochs, recipe.learning_rate)
    longest = [TrainingOverrides(until_learned=until).recipe(name).cap for until in (None, True)]
    assert list(map(float, usual["most_epochs"])) == [most or recipe.epochs for most in longest]
    assert (int(usual["width"]), int(usual["layers"])) == (size.width, size.layers)
    assert usual["heads"] == (None if size.heads is None else str(size.heads))


def test_a_world_that_cannot_be_read_is_named_and_the_rest_can_be_chosen(client, place):
    (place / "data" / "worlds" / "broken.rules").write_text("out = A AND")
    for rules in ("broken", "nowhere", "../../etc/passwd"):
        found = client.get("training/form", params={"rules": rules}).json()
        assert found["world"] is None
        assert len(found["faults"]) == 1
        assert "broken" in found["worlds"]
        assert check(client, rules=rules)["faults"] == found["faults"]
        assert client.post("training/start", params={"rules": rules}).status_code == 422


def test_what_an_address_leaves_out_has_its_default(client, place, default_world):
    assert check(client) == {"warnings": [], "replaces": [], "faults": []}
    started = client.post("training/start", params={"epochs": "0.01", "width": "16", "heads": "2"}).json()
    assert started == {"started": ["mine/gpt2"], "replaces": []}
    [job] = [each.job for each in starting.trainings().progress()]
    overrides = TrainingOverrides(epochs=0.01, width=16, heads=2, until_learned=True)
    [expected] = plan_training(
        ("gpt2",), (0,), overrides, Template(default_world), dataset=job.dataset, folder=job.folder
    )
    assert job == expected
    spec = DatasetSpec(world=default_world, held_out=default_hold_out(default_world))
    assert DatasetSpec.from_json(json.loads((place / "data/mine/dataset.json").read_text()), "here") == spec


def test_everything_that_an_address_says_counts(client, place, second_world):
    query = SMALL | {"held": "1,*,0; 0,0,0", "name": "other", "seed": "7", "until": "0", "heads": "3"}
    assert client.post("training/start", params=query).json()["started"] == ["other/rnn@7"]
    [job] = [each.job for each in starting.trainings().progress()]
    # A number of heads applies only to models that have heads.
    overrides = TrainingOverrides(epochs=0.05, width=16, layers=1)
    [expected] = plan_training(
        ("rnn",),
        (7,),
        overrides,
        Template(second_world),
        dataset=Path("data/other"),
        folder=Path("models/other"),
    )
    assert job == expected
    held = json.loads((place / "data/other/dataset.json").read_text())["held_out"]
    assert held == ["0,0,0", "1,0,0", "1,1,0"]


def test_all_faults_of_a_form_are_told_at_once(client, place):
    query = {
        "rules": "small",
        "held": "1,2;1,0,1",
        "models": "rnn,lstm",
        "name": "a/b",
        "seed": "-1",
        "epochs": "-5",
        "learning_rate": "x",
        "width": "1.5",
    }
    found = check(client, **query)
    for each in (
        "invalid state",
        "there is no such kind of model",
        "invalid name",
        "not a seed",
        "invalid learning rate",
        "invalid width",
    ):
        assert each in said(found)
    assert "invalid epochs" in said(check(client, **SMALL | {"epochs": "-5"}))
    assert "no model is chosen" in said(check(client, rules="small", models="none"))
    assert "leave states to train on" in said(check(client, rules="small", held="*,*,*"))
    refused = client.post("training/start", params=query)
    assert refused.status_code == 422
    assert refused.json()["faults"] == found["faults"]
    assert not (place / "models").exists()
    assert [each.name for each in (place / "data").iterdir()] == ["worlds"]


def test_warnings_say_what_the_seen_states_do_not_determine(client, second_world):
    held = "1,*,*"
    found = explain_undetermined(second_world, parse_hold_out(held, second_world))
    assert found
    warnings = check(client, rules="small", held=held)["warnings"]
    assert warnings[0] == f"{found[0][0]} {found[0][1]}"
    assert check(client, rules="small", held="none")["warnings"] == []


def test_models_of_one_name_share_their_world_and_hold_out(client, place, second_world):
    generate(DatasetSpec(world=second_world, held_out=((0, 0, 0),)), place / "data" / "mine")
    assert check(client, rules="small", held="0,0,0")["faults"] == []
    assert "must share their world and hold-out" in said(check(client, rules="small", held="0,0,1"))
    assert "of another world" in said(check(client))
    (place / "data" / "mine" / "train.jsonl").unlink()
    assert "this dataset is not complete" in said(check(client, rules="small", held="0,0,0"))


def test_states_to_hold_out_are_drawn_or_searched_for_or_match_patterns(client, second_world):
    def states(**query: Any) -> list[str]:
        answer = client.get("training/hold-out", params={"rules": "small", **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["states"]

    assert states(way="hardest", count=2) == list(map(state_text, hardest_hold_out(second_world, 2)))
    assert states(way="like", like="1,*,0;0,0,0") == ["0,0,0", "1,0,0", "1,1,0"]
    drawn = [tuple(states(way="random", count=3, seed=seed)) for seed in range(20)]
    assert all(len(set(each)) == 3 for each in drawn)
    assert len(set(drawn)) > 5
    assert drawn[0] == tuple(states(way="random", count=3, seed=0))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"way": "like", "like": "1,2"}, "invalid state"),
        ({"way": "like", "like": "*,*,*"}, "leave states to train on"),
        ({"way": "random", "count": 8}, "leave states to train on"),
        ({"way": "random", "count": 1, "seed": -1}, "not a seed"),
        ({"way": "hardest", "count": 7}, "leaves rules undetermined"),
        ({"way": "luckiest"}, "invalid parameter"),
        ({"way": "random", "rules": "nowhere"}, "there is no such world"),
    ],
)
def test_a_hold_out_that_cannot_be_is_refused(client, query, message):
    answer = client.get("training/hold-out", params={"rules": "small", **query})
    assert answer.status_code == 422
    assert message in said(answer.json())


def test_every_world_that_comes_along_has_a_form(client):
    for path in list_worlds():
        found = client.get("training/form", params={"rules": path.stem}).json()
        assert found["faults"] == []
        table: list[dict[str, Any]] = found["world"]["table"]["states"]
        assert len(table) == found["world"]["most"] + 1
