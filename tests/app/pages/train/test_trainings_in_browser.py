"""Trainings in a real browser: start, watch, reload, stop, resume; and no process is left behind."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
from playwright.sync_api import expect

from playground.datasets import default_hold_out
from playground.training import Job
from playground.training.resume import ResumeState
from playground.worlds import parse_world, state_text
from tests.app.browser import BOARD, query_of, serve, settle, visit
from tests.app.pages.train.page import (
    box,
    choose,
    do_not_stop_early,
    fill,
    is_asked_to_end,
    line,
    open_page,
    press,
    servers,
    start,
    start_rnn,
    state_of,
    wait_until,
    workers,
)
from tests.conftest import SECOND_RULES


def test_a_training_is_watched_reloaded_stopped_and_gone_on_with(site, page, place):
    open_page(page, site)
    start_rnn(page, epochs="1.6")
    # Whatever the browser does is quick enough: the training waits for it.
    wait_until(lambda: ResumeState(place / "models" / "mine" / "rnn").step >= 800)
    (worker,) = workers(place)
    os.kill(worker, signal.SIGSTOP)
    expect(line(page, "mine/rnn")).to_contain_text(re.compile(r"runs: step [\d,]+ of 2,000"))
    expect(page.locator(".training_progress .chart.loss .said")).to_contain_text("learning rate")
    form = query_of(page)
    assert (form["width"], form["models"], form["until"]) == ("16", "rnn", "0")
    page.reload()
    # A reload in the middle of a training keeps the form and the progress.
    expect(line(page, "mine/rnn")).to_contain_text(re.compile(r"step [\d,]+ of 2,000"))
    expect(page.locator("[data-key=live_board] .state_table td.right").first).to_be_visible()
    expect(page.locator(".training_progress .chart.loss .said")).to_contain_text("learning rate")
    assert query_of(page) == form
    expect(box(page, "width")).to_have_value("16")
    expect(box(page, "epochs")).to_have_value("1.6")
    expect(box(page, "until")).not_to_be_checked()
    expect(page.locator("[data-key=models] [aria-pressed=true]")).to_have_text(["RNN"])
    expect(page.locator("select[data-key=rules]")).to_have_value("small")
    # Another tab sees the same.
    other = page.context.new_page()
    other.goto(f"{site}/train")
    expect(line(other, "mine/rnn")).to_contain_text(re.compile(r"step [\d,]+ of 2,000"))
    page.bring_to_front()
    line(page, "mine/rnn").get_by_role("button", name="Stop").click()
    wait_until(lambda: is_asked_to_end(worker))
    os.kill(worker, signal.SIGCONT)
    expect(page.locator("[data-key=ended]")).to_contain_text("mine/rnn stopped")
    other.bring_to_front()
    expect(other.locator("[data-key=ended]")).to_contain_text("mine/rnn stopped")
    other.close()
    # Its curves end where it ended.
    expect(page.locator(".chart.loss .frame")).to_have_attribute(
        "aria-valuemax", str(ResumeState(place / "models" / "mine" / "rnn").step)
    )
    assert state_of(place, "rnn").is_file()
    assert not (place / "models" / "mine" / "rnn").exists()
    press(page, "go_on")
    expect(page.locator("[data-key=ended]")).to_contain_text("mine/rnn done: step 2,000 of 2,000")
    run = json.loads((place / "models/mine/rnn/run.json").read_text())
    assert run["dataset"]["held_out"] == [
        state_text(state) for state in default_hold_out(parse_world(SECOND_RULES))
    ]
    assert run["steps"] == 2_000
    assert [each["step"] for each in run["evaluations"]] == sorted(
        {each["step"] for each in run["evaluations"]}
    )
    assert workers(place)
    page.locator("[data-key=open_run]").click()
    expect(page).to_have_url(re.compile("name=mine&model=rnn"))


def test_a_second_training_waits_and_one_that_dies_says_why(site, page, place):
    open_page(page, site)
    fill(page, width="16", epochs="60")
    do_not_stop_early(page)
    choose(page, "CNN", "RNN")
    start(page)
    expect(line(page, "mine/gpt2")).to_contain_text("runs: step")
    expect(line(page, "mine/cnn")).to_contain_text("queued for a free core")
    start(page)
    expect(page.get_by_text("this run is being trained already").first).to_be_visible()
    line(page, "mine/cnn").get_by_role("button", name="Stop").click()
    expect(line(page, "mine/cnn")).to_have_count(0)
    wait_until(state_of(place, "gpt2").is_file)
    (worker,) = workers(place)
    os.kill(worker, signal.SIGKILL)
    expect(line(page, "mine/rnn")).to_contain_text(re.compile("begins|runs"))
    expect(page.get_by_text("its process was killed by SIGKILL")).to_be_visible()
    expect(page.locator("[data-key=go_on]")).to_be_visible()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_the_server_ends_no_process_stays_behind_and_the_state_is_kept(page, place, sent):
    with serve(place) as address:
        page.goto(f"{address}/train")
        start(page)
        wait_until(state_of(place, "gpt2").is_file)
        (worker,) = workers(place)
        (server,) = servers(place)
        page.goto("about:blank")
        os.kill(server, sent)
        wait_until(lambda: worker not in workers(place))
        assert workers(place) == set()
        assert state_of(place, "gpt2").is_file()
    job = Job.from_json(json.loads(state_of(place, "gpt2").with_name("job.json").read_text()), place)
    assert job.resume


@pytest.mark.journey
def test_a_slider_moves_through_the_training(page, address):
    page.goto(f"{address}/?name=default&model=gpt2")
    page.wait_for_selector(BOARD)
    settle(page)
    slider = page.locator("[data-key=step]")
    trained = page.locator(BOARD).text_content() or ""
    slider.focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("model=gpt2:0|model=gpt2%3A0"))
    expect(page.get_by_text("As it was after 0 of 50 steps of its training")).to_be_visible()
    settle(page)
    expect(page.locator(BOARD)).not_to_have_text(trained)
    visit(page, f"{address}/compare?name=default&model=gpt2:10&on=zero:L0")
    expect(page.get_by_text("gpt2:10").first).to_be_visible()
    expect(page.get_by_text("rnn:10").first).to_be_visible()
    visit(page, f"{address}/?view=activations&name=default&model=gpt2:10")
    expect(page.locator(".activations[data-condition]")).to_be_visible()
    settle(page)
    visit(page, f"{address}/?name=default&model=gpt2:11")
    expect(page.get_by_text("no snapshot was kept at this step")).to_be_visible()
    # It may have been trained anew meanwhile: what there is is shown.
    expect(page.locator(BOARD)).to_be_visible()
    expect(page).to_have_url(re.compile("model=gpt2(&|$)"))


def test_a_complete_run_is_replaced_only_when_asked(site, page, place):
    run = place / "models" / "mine" / "rnn"
    for number in range(2):
        open_page(page, site)
        start_rnn(page, epochs="0.05")
        if not number:
            wait_until((run / "run.json").is_file)
            expect(page.locator("[data-key=ended]")).to_contain_text("mine/rnn done")
            first = (run / "run.json").read_text()
            expect(page.get_by_text("The run before this one")).to_have_count(0)
    # Nothing is done until somebody says so.
    expect(page.get_by_text("models/mine/rnn is a complete run")).to_be_visible()
    expect(page.get_by_text("the old one is kept as models/mine/rnn.previous")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("is a complete run")).to_have_count(0)
    assert not workers(place) or not state_of(place, "rnn").exists()
    assert (run / "run.json").read_text() == first
    start(page)
    page.get_by_role("button", name="Train and replace").click()
    expect(page.get_by_text("The run before this one is kept in models/mine/rnn.previous")).to_be_visible()
    assert (run.with_name("rnn.previous") / "run.json").read_text() == first


def test_a_stopped_training_is_thrown_away_when_asked(site, page, place):
    open_page(page, site)
    start_rnn(page, epochs="60")
    wait_until(state_of(place, "rnn").is_file)
    line(page, "mine/rnn").get_by_role("button", name="Stop").click()
    expect(page.locator("[data-key=ended]")).to_contain_text("mine/rnn stopped")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("[data-key=ended]")).to_contain_text("Throw away what mine/rnn has learnt in")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("button", name="Discard")).to_be_visible()
    assert state_of(place, "rnn").is_file()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Throw it away").click()
    expect(page.get_by_text("mine/rnn")).to_have_count(0)
    assert not state_of(place, "rnn").parent.exists()
    start(page)
    expect(line(page, "mine/rnn")).to_contain_text("runs: step")
    line(page, "mine/rnn").get_by_role("button", name="Stop").click()
    expect(page.locator("[data-key=ended]")).to_contain_text("mine/rnn stopped")
