"""A training that stops goes on: to the last bit as if it had never stopped, or it says why it cannot."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from playground.errors import RequestError
from playground.models import Size
from playground.training import Job, Recipe, train_model, unfinished_runs
from tests.conftest import snapshot
from tests.training.small_jobs import (
    assert_same_run,
    draw_data,
    left_in,
    make_job,
    make_job_with_dropout,
    put_older_run,
    snapshots_in,
    train,
    train_until,
    weights_of,
)

# Before the first step, twice in an epoch, at its end, after a step that is not kept anyway, before the last
# step and after it: the run is not in place then.
STOPS = (0, 1, 6, 8, 13, 19, 20)


@pytest.mark.parametrize(
    ("architecture", "epochs", "stops"),
    [("gpt2", 5, STOPS), ("rnn", 5, STOPS), ("cnn", 1, (2,)), ("mann", 1, (2,))],
)
def test_it_stops_and_goes_on_as_if_it_had_never_stopped(data, tmp_path, architecture, epochs, stops):
    reference, job = (
        make_job_with_dropout(data, tmp_path / name, architecture, recipe={"epochs": epochs})
        for name in ("whole", "parts")
    )
    expected, records = train(reference), []
    for step in stops:
        records += train_until(replace(job, resume=step > stops[0]), step)
        assert left_in(job.folder) == [f".{job.name}.unfinished"]
        torch.rand(5)  # What else draws random numbers must not matter.
    records += train(replace(job, resume=True))
    assert left_in(job.folder) == [job.name]
    assert_same_run(job.folder / job.name, reference.folder / job.name)
    assert [record.step for record in records] == [record.step for record in expected]
    assert [list(record.evaluations) for record in records] == [list(each.evaluations) for each in expected]


def test_it_may_stop_after_every_step(gpt2, data, tmp_path):
    job = make_job_with_dropout(data, tmp_path)
    for step in range(21):
        train_until(replace(job, resume=True), step)
    train(replace(job, resume=True))
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")


def test_one_that_is_forgotten_keeps_its_state_as_well(gpt2, data, tmp_path):
    job = make_job_with_dropout(data, tmp_path)
    training = train_model(job)
    while next(training).step.number < 9:
        pass
    del training
    assert [record.step.number for record in train(replace(job, resume=True))] == list(range(10, 21))
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")


def test_the_older_run_stays_until_the_new_one_is_whole(gpt2, data, tmp_path):
    put_older_run(gpt2, tmp_path)
    before = snapshot(tmp_path / "gpt2")
    train_until(make_job_with_dropout(data, tmp_path), 13)
    assert snapshot(tmp_path / "gpt2") == before
    train(make_job_with_dropout(data, tmp_path, resume=True))
    assert snapshot(tmp_path / "gpt2.previous") == before
    assert left_in(tmp_path) == ["gpt2", "gpt2.previous"]


def test_without_being_asked_to_go_on_it_begins_anew(gpt2, data, tmp_path):
    train_until(make_job_with_dropout(data, tmp_path, size=Size(width=8, layers=1, heads=1)), 15)
    records = train(make_job_with_dropout(data, tmp_path))
    assert [record.step.number for record in records] == list(range(21))
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")  # No snapshot of the other is left.


def test_one_that_has_not_begun_begins_and_one_that_is_done_is_left_alone(gpt2, data, tmp_path):
    job = make_job_with_dropout(data, tmp_path, resume=True)
    assert len(train(job)) == 21
    assert_same_run(tmp_path / "gpt2", gpt2.folder / "gpt2")
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert train(job) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == files


def test_those_that_can_go_on_are_listed_with_how_they_were_asked_for(data, tmp_path):
    train(make_job_with_dropout(data, tmp_path))
    assert unfinished_runs(tmp_path) == []
    jobs = [
        make_job_with_dropout(data, tmp_path, seeds=(7,), command="the first", ship=True),
        make_job_with_dropout(data, tmp_path, "rnn", omit_random=2),
        make_job(data, tmp_path, seeds=(2, 3), recipe={"until_learned": True, "dropout": 0.25}),
    ]
    for job in jobs:
        train_until(job, 3)
    found = unfinished_runs(tmp_path)
    assert [each.run.name for each in found] == ["gpt2@2-3", "gpt2@7", "rnn"]
    again = [Job.from_json(each.job(), tmp_path) for each in found]
    assert again == [replace(job, resume=True) for job in (jobs[2], jobs[0], jobs[1])]
    assert [job.as_begun() for job in (jobs[2], jobs[0], jobs[1])] == again
    # Whatever is usual by now, it goes on as it was begun.
    assert replace(jobs[1], recipe=Recipe(), command="another").as_begun() == again[2]
    for job in again:
        assert train(job)[-1].step.number == 20
    assert unfinished_runs(tmp_path) == []
    assert left_in(tmp_path) == ["gpt2", "gpt2@2", "gpt2@3", "gpt2@7", "rnn"]
    assert jobs[1].as_begun() == jobs[1]


def test_how_far_one_came_can_be_seen(data, tmp_path):
    job = make_job_with_dropout(data, tmp_path)
    records = train_until(job, 7)
    assert job.unfinished.step == 7
    assert job.unfinished.evaluations() == [record.evaluation.to_json() for record in records]
    (job.unfinished.folder / "state.safetensors").write_bytes(b"damaged")
    assert job.unfinished.step == 0
    with pytest.raises(RequestError, match="a whole file"):
        job.unfinished.evaluations()


def test_while_one_trains_a_run_another_is_refused(gpt2, data, tmp_path):
    first = train_model(make_job_with_dropout(data, tmp_path, command="the first of the two"))
    next(first)
    for resume in (False, True):
        second = train_model(make_job_with_dropout(data, tmp_path, resume=resume))
        with pytest.raises(RequestError, match=r"trained right now.*process \d+, .*the first of the two"):
            next(second)
    next(train_model(make_job_with_dropout(data, tmp_path, seeds=(1,))))  # Another run is free.
    (last,) = list(first)[-1:]
    assert last.step.number == 20
    assert weights_of(tmp_path / "gpt2") == weights_of(gpt2.folder / "gpt2")


def test_what_is_another_than_before_is_told_at_once_and_nothing_is_lost(
    gpt2, stopped, second_world, tmp_path
):
    other_data = draw_data(second_world, tmp_path / "other", seed=1)
    recipe, size = replace(stopped.recipe, learning_rate=1e-3, epochs=2), Size(width=8, layers=1, heads=2)
    for changes, said in (
        ({"recipe": recipe}, ["epochs 5, got 2", "learning_rate 0.0005, got 0.001"]),
        ({"size": size}, ["width 16, got 8"]),
        ({"dataset": other_data}, ["data "]),
        ({"omit_random": 2}, ["omit_random None, got 2", "data "]),
        ({"ship": True}, ["ship False, got True"]),
        (
            {"recipe": recipe, "size": size, "dataset": other_data},
            ["epochs", "learning_rate", "width", "data"],
        ),
    ):
        with pytest.raises(RequestError) as caught:
            train(replace(stopped, **changes))
        faults = [
            fault
            for fault in caught.value.faults
            if fault.message == "a training resumes with what it was begun with"
        ]
        assert len(faults) == len(caught.value.faults) == len(said)
        for part in said:
            assert f"expected {part}" in str(caught.value)
    train(stopped)
    assert_same_run(stopped.folder / "gpt2", gpt2.folder / "gpt2")


def test_where_data_lie_and_how_it_is_asked_for_may_change(gpt2, stopped, tmp_path):
    shutil.copytree(stopped.dataset, tmp_path / "moved")
    train(replace(stopped, dataset=tmp_path / "moved", command="another", device="auto"))
    assert weights_of(stopped.folder / "gpt2") == weights_of(gpt2.folder / "gpt2")


def test_on_another_device_it_goes_on_with_other_random_numbers(gpt2, data, tmp_path):
    job = make_job_with_dropout(data, tmp_path)
    train_until(job, 8)
    # As on CUDA: a generator's state is its seed and how much has been drawn.
    tensors, document = job.unfinished.load()
    assert tensors.pop("generator.cpu").numel() > 16
    job.unfinished.save(tensors | {"generator.cuda": torch.zeros(16, dtype=torch.uint8)}, document)
    first = train(replace(job, resume=True))
    assert [each.step.number for each in first] == list(range(9, 21))
    assert weights_of(tmp_path / "gpt2") != weights_of(gpt2.folder / "gpt2")
    early = load_file(gpt2.folder / "gpt2" / "snapshots" / "8.safetensors")
    kept = load_file(tmp_path / "gpt2" / "snapshots" / "8.safetensors")
    assert all(torch.equal(early[name], value) for name, value in kept.items())


def test_seeds_that_are_complete_are_left_alone(data, tmp_path):
    job = replace(make_job_with_dropout(data, tmp_path), seeds=(0, 1), resume=True)
    train(make_job_with_dropout(data, tmp_path))
    before = snapshot(tmp_path / "gpt2")
    train(job)
    assert snapshot(tmp_path / "gpt2") == before
    assert left_in(tmp_path) == ["gpt2", "gpt2@1"]


def test_trainings_of_other_seeds_are_others(data, tmp_path):
    job = make_job_with_dropout(data, tmp_path)
    names = {replace(job, seeds=seeds).name for seeds in ((0,), (0, 1, 2), (0, 2), (0, 1, 3, 2), (2, 1, 0))}
    assert len(names) == 5
    assert replace(job, seeds=(0, 1, 2)).name == "gpt2-2"


def test_snapshots_on_the_way_are_those_that_are_left_in_the_end(gpt2, stopped):
    on_the_way = snapshots_in(stopped.unfinished.folder)
    assert on_the_way.keys() == {f"{step}.safetensors" for step in (*range(11), 12)}
    assert on_the_way.items() <= snapshots_in(gpt2.folder / "gpt2").items()
