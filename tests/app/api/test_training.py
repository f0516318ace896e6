"""What page Train asks: its form, checked; trainings that are started, watched, stopped, resumed, discarded."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import events
from api.server import api
from api.training import starting
from playground.begun import TrainingRequest
from playground.datasets import (
    DatasetSpec,
    Template,
    default_hold_out,
    explain_undetermined,
    generate,
    hardest_hold_out,
    parse_hold_out,
)
from playground.files import previous
from playground.models import ARCHITECTURES
from playground.training import ResumeState, TrainingOverrides, default_recipe, plan_training
from playground.worlds import list_worlds, state_text
from tests.conftest import SECOND_RULES
from tests.support.privileges import without_privileges
from tests.support.program import HANGS

SMALL = {"rules": "small", "models": "rnn", "width": "16", "layers": "1", "epochs": "0.05"}
"""A training of seconds."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory with a world of one's own."""
    (tmp_path / "data" / "worlds").mkdir(parents=True)
    (tmp_path / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(place: Path) -> Iterator[TestClient]:
    """Return a client of a server that has started no training yet."""
    starting.trainings.cache_clear()
    yield TestClient(api)
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()


def check(client: TestClient, **query: str) -> dict[str, Any]:
    answer = client.get("training/check", params=query)
    assert answer.status_code == 200
    return answer.json()


def said(answer: dict[str, Any]) -> str:
    return "\n".join(fault["text"] for fault in answer["faults"])


def trainings(client: TestClient) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in client.get("training/trainings").json()["trainings"]}


def wait_for(client: TestClient, name: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until something is true of a training, and return what is said of it."""
    deadline = time.monotonic() + HANGS
    while not true(found := trainings(client)[name]):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def start(client: TestClient, **query: str) -> dict[str, Any]:
    answer = client.post("training/start", params=SMALL | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


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


def test_a_training_is_watched_until_its_model_can_be_opened(client, place):
    assert start(client)["started"] == ["mine/rnn"]
    done = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert done["complete"]
    assert done["said"].startswith("done: step ")
    assert [done[name] for name in ("can_resume", "can_be_discarded", "faults")] == [False, False, []]
    found = client.get("training/progress", params={"run": "mine/rnn"}).json()
    run = json.loads((place / "models/mine/rnn/run.json").read_text())
    assert found["charts"]["last"] == found["charts"]["step"] == run["steps"]
    outputs = {each["name"]: each for each in found["charts"]["outputs"]}
    assert list(outputs) == ["whole answer", "first", "second"]
    assert [step for step, _ in outputs["first"]["seen"]] == [each["step"] for each in run["evaluations"]]
    assert len(found["board"]["written"]) == 8
    # Another server knows it from its files.
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()
    assert trainings(client)["mine/rnn"]["said"] == "trained"
    later = client.get("training/progress", params={"run": "mine/rnn"}).json()
    assert later["board"] is None
    assert later["charts"]["outputs"] == found["charts"]["outputs"]


def test_a_complete_run_is_replaced_only_when_asked(client, place):
    start(client)
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    first = (place / "models/mine/rnn/run.json").read_text()
    answer = start(client)
    assert answer["started"] == []
    [sentence] = answer["replaces"]
    assert "models/mine/rnn is a complete run" in sentence
    assert check(client, **SMALL)["replaces"] == [sentence]
    assert (place / "models/mine/rnn/run.json").read_text() == first
    assert start(client, replace="true")["started"] == ["mine/rnn"]
    done = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert done["predecessor"] == "models/mine/rnn.previous"
    assert (previous(place / "models/mine/rnn") / "run.json").read_text() == first


def test_a_training_stops_goes_on_and_is_discarded(client, place):
    start(client, epochs="60", until="0")
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    refused = client.post("training/start", params=SMALL)
    assert refused.status_code == 422
    assert "this run is being trained already" in said(refused.json())
    for act in ("resume", "discard"):
        assert client.post(f"training/{act}", params={"run": "mine/rnn"}).status_code == 422
    assert client.post("training/stop", params={"run": "mine/rnn"}).json() == {"stopped": "mine/rnn"}
    stopped = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert stopped["said"].startswith("stopped")
    assert stopped["can_resume"]
    assert stopped["can_be_discarded"]
    state = ResumeState(place / "models/mine/rnn")
    assert stopped["saved"] == state.step > 0
    charts = client.get("training/progress", params={"run": "mine/rnn"}).json()["charts"]
    assert charts["last"] == charts["step"] < charts["total"]
    assert "a stopped training is in the way" in said(client.post("training/start", params=SMALL).json())
    assert client.post("training/stop", params={"run": "mine/rnn"}).status_code == 422
    client.post("training/resume", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    client.post("training/stop", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert client.post("training/discard", params={"run": "mine/rnn"}).json() == {"discarded": "mine/rnn"}
    assert "mine/rnn" not in trainings(client)
    assert not state.folder.exists()


def test_one_that_was_stopped_before_it_began_can_be_discarded(client):
    start(client, models="gpt2,rnn,mann", epochs="60", until="0")
    waiting = [name for name, each in trainings(client).items() if each["said"].startswith("queued")]
    assert waiting
    client.post("training/stop", params={"run": waiting[0]})
    stopped = wait_for(client, waiting[0], lambda each: not each["active"])
    assert not stopped["can_resume"]
    assert stopped["can_be_discarded"]
    assert client.post("training/discard", params={"run": waiting[0]}).status_code == 200
    assert waiting[0] not in trainings(client)


def test_damaged_records_and_requests_that_never_began_are_named_and_can_be_discarded(client, place):
    folder = place / "models" / "mine"
    TrainingRequest("cnn", (0,), {}).keep(folder)
    start(client, epochs="60", until="0")
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    client.post("training/stop", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()
    assert trainings(client)["mine/cnn"]["said"] == "was asked for, but has not begun"
    assert client.post("training/resume", params={"run": "mine/cnn"}).status_code == 422
    job = folder / ".rnn.unfinished" / "job.json"
    job.write_text(job.read_text().replace('"seeds"', '"sads"'))
    damaged = trainings(client)["mine/rnn"]
    assert damaged["said"] == "was stopped and cannot go on"
    assert "job.json" in said(damaged)
    refused = client.post("training/resume", params={"run": "mine/rnn"})
    assert refused.status_code == 422
    assert refused.json()["faults"] == damaged["faults"]
    for name in ("mine/rnn", "mine/cnn"):
        assert client.get("training/progress", params={"run": name}).status_code == 200
        assert client.post("training/discard", params={"run": name}).status_code == 200
        assert name not in trainings(client)


def test_a_training_that_is_not_there_is_named(client):
    for route in ("stop", "resume", "discard"):
        refused = client.post(f"training/{route}", params={"run": "mine/rnn"})
        assert refused.status_code == 422
        assert "there is no such training" in said(refused.json())
    assert client.get("training/progress", params={"run": "x"}).status_code == 422


def test_a_damaged_run_says_why_it_has_no_charts(workplace_copy, client, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    weights = workplace_copy / "models" / "second" / "gpt2" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    found = client.get("training/progress", params={"run": "second/gpt2"}).json()
    assert found["charts"] is None
    assert "model.safetensors" in said(found)


@pytest.mark.parametrize("closed", ["", "run.json", "config.json", "model.safetensors"])
def test_a_run_that_may_not_be_read_says_why_it_has_no_charts(workplace_copy, client, monkeypatch, closed):
    monkeypatch.chdir(workplace_copy)
    run = workplace_copy / "models" / "second" / "gpt2"
    (run / closed).chmod(0)
    try:
        with without_privileges():
            assert "second/gpt2" in trainings(client)
            found = client.get("training/progress", params={"run": "second/gpt2"}).json()
    finally:
        (run / closed).chmod(0o755)
    assert found["charts"] is None
    assert "ermission denied" in said(found) or closed == "model.safetensors"


def test_an_unfinished_training_that_may_not_be_read_is_named(client, place):
    folder = place / "models" / "mine"
    TrainingRequest("cnn", (0,), {}).keep(folder)
    (folder / ".cnn.unfinished").chmod(0)
    try:
        with without_privileges():
            found = trainings(client)["mine/cnn"]
            refused = client.post("training/discard", params={"run": "mine/cnn"})
    finally:
        (folder / ".cnn.unfinished").chmod(0o755)
    assert found["said"] == "cannot be read"
    assert "ermission denied" in said(found)
    assert refused.status_code == 422
    assert "ermission denied" in said(refused.json())


def test_a_full_disk_is_told_in_a_sentence(client, monkeypatch):
    def fail(spec: DatasetSpec, folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(starting, "generate", fail)
    refused = client.post("training/start", params=SMALL)
    assert refused.status_code == 422
    [fault] = refused.json()["faults"]
    assert "No space left on device" in fault["text"]
    assert "mine/rnn" not in trainings(client)


def events_of(client: TestClient, monkeypatch: pytest.MonkeyPatch, looks: int, watch: str) -> list[Any]:
    """Return the events of so many looks, after which the server ends."""
    ends = iter([False] * looks)
    monkeypatch.setattr(events, "server_ends", lambda: next(ends, True))
    text = client.get("training/events", params={"watch": watch}).text
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in (each.split("\n", 1) for each in text.strip().split("\n\n"))
    ]


def test_events_say_what_has_changed(client, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    first, *rest = found = events_of(client, monkeypatch, 2, "second/gpt2")
    assert [name for name, _ in found] == ["trainings", "charts", "board"]
    assert first[1]["watched"] == "second/gpt2"
    assert first[1]["trainings"] == list(trainings(client).values())
    known = client.get("training/progress", params={"run": "second/gpt2"}).json()
    assert rest[0][1] == {"charts": known["charts"], "faults": []}
    # What is not there is named, and another one is shown.
    [other, *_] = events_of(client, monkeypatch, 1, "second/rnn")
    assert "there is no such training" in said(other[1])
    assert other[1]["watched"] in trainings(client)


def test_before_anything_is_trained_there_is_nothing_to_watch(client, monkeypatch, place):
    monkeypatch.setattr("api.training.progress.list_runs", list)
    found = dict(events_of(client, monkeypatch, 1, ""))
    assert found["trainings"] == {"trainings": [], "watched": None, "faults": []}
    assert found["charts"]["charts"] is None


def test_a_training_that_runs_is_watched_unless_another_is_chosen(client, workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    shutil.copytree(Path(workplace_copy) / "data" / "second", workplace_copy / "data" / "mine")
    (workplace_copy / "data" / "worlds").mkdir()
    (workplace_copy / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    start(client, held="1,1,0", epochs="60", until="0")
    assert dict(events_of(client, monkeypatch, 1, ""))["trainings"]["watched"] == "mine/rnn"
    assert dict(events_of(client, monkeypatch, 1, "default/cnn"))["trainings"]["watched"] == "default/cnn"


def test_every_world_that_comes_along_has_a_form(client):
    for path in list_worlds():
        found = client.get("training/form", params={"rules": path.stem}).json()
        assert found["faults"] == []
        table: list[dict[str, Any]] = found["world"]["table"]["states"]
        assert len(table) == found["world"]["most"] + 1
