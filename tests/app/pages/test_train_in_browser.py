"""Page Train in a real browser: start, watch, reload, stop, resume; and no process is left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.datasets import default_hold_out, hardest_hold_out
from playground.training import Job, default_recipe
from playground.training.resume import ResumeState
from playground.worlds import parse_world, state_text
from tests.app.browser import BOARD, query_of, serve, settle, visit
from tests.conftest import SECOND_RULES
from tests.support.program import HANGS


@pytest.fixture
def place(workplace: Path, tmp_path: Path) -> Path:
    """Return a working directory with trained models, and a world of one's own."""
    shutil.copytree(workplace / "models" / "default" / "gpt2", tmp_path / "models" / "default" / "gpt2")
    (tmp_path / "data" / "worlds").mkdir(parents=True)
    (tmp_path / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    return tmp_path


@pytest.fixture
def site(place: Path) -> Iterator[str]:
    with serve(place) as address:
        yield address


def box(page: Page, name: str):
    return page.locator(f"input[data-key={name}]")


def press(page: Page, name: str) -> None:
    page.locator(f"button[data-key={name}]").click()


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        box(page, name).fill(value)
        box(page, name).press("Enter")


def open_page(page: Page, address: str) -> None:
    """Open the page, and choose the small world and a model that is trained in seconds."""
    page.goto(f"{address}/train")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(32)
    page.locator("select[data-key=rules]").select_option("small")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(8)


def do_not_stop_early(page: Page) -> None:
    box(page, "until").uncheck()


def choose(page: Page, *names: str) -> None:
    """Choose models, or leave them out again."""
    for name in names:
        page.locator("[data-key=models]").get_by_role("button", name=name).click()


def start(page: Page) -> None:
    press(page, "start")


def start_rnn(page: Page, epochs: str) -> None:
    """Train a small RNN instead of the GPT-2 that is chosen at first."""
    fill(page, width="16", layers="1", epochs=epochs)
    choose(page, "GPT-2", "RNN")
    do_not_stop_early(page)
    start(page)


def line(page: Page, run: str):
    """Return the line of a training that waits or runs."""
    return page.locator(f'[data-key="line {run}"]')


def workers(place: Path) -> set[int]:
    """Return the processes that train for a server that runs in `place`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if (
                b"playground.training.workers.worker" in command
                and (process / "cwd").resolve() == place.resolve()
            ):
                found.add(int(process.name))
        except OSError:
            continue
    return found


def is_asked_to_end(process: int) -> bool:
    """Return whether a process that is halted has been sent SIGTERM."""
    found = re.search(r"ShdPnd:\s+(\w+)", Path(f"/proc/{process}/status").read_text())
    return found is not None and bool(int(found[1], 16) & 1 << signal.SIGTERM - 1)


def state_of(place: Path, run: str) -> Path:
    return place / "models" / "mine" / f".{run}.unfinished" / "state.safetensors"


def wait_until(true, seconds: float = HANGS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_states_are_held_out_by_click_by_pattern_at_random_and_where_guessing_does_worst(site, page):
    open_page(page, site)
    held = page.locator("[data-key=hold_out] tr.held")
    # A fifth is at first, and what guessing would give of it is said.
    expect(held).to_have_count(1)
    guessed = page.locator(".predictors")
    expect(guessed.locator("tr.formulas")).to_be_visible()
    expect(guessed.locator("tbody tr.best td").last).to_have_text(re.compile("^[01]/1$"))
    fill(page, count="2")
    press(page, "hardest")
    expect(held).to_have_count(2)
    world = parse_world(SECOND_RULES)
    hardest = [",".join(map(str, state)) for state in hardest_hold_out(world, 2)]
    expect(guessed.locator("details tbody th")).to_have_text(hardest)
    press(page, "hold_out_none")
    expect(held).to_have_count(0)
    expect(guessed).to_contain_text("No state is held out")
    page.locator("[data-key=hold_out] tbody tr button").nth(5).click()
    expect(held).to_have_count(1)
    expect(held.locator("button")).to_have_attribute("aria-pressed", "true")
    box(page, "pattern").fill("1,*,0;0,0,0")
    press(page, "hold_out_like")
    expect(held).to_have_count(4)
    expect(box(page, "pattern")).to_have_value("")
    box(page, "pattern").fill("1,2")
    press(page, "hold_out_like")
    expect(page.get_by_text("invalid state")).to_be_visible()
    expect(held).to_have_count(4)
    # What was typed stays, to be mended.
    expect(box(page, "pattern")).to_have_value("1,2")
    fill(page, count="3")
    press(page, "draw")
    expect(held).to_have_count(3)
    fill(page, name="a/b", learning_rate="x")
    start(page)
    expect(page.get_by_text("invalid name")).to_be_visible()
    expect(page.get_by_text("invalid learning rate")).to_be_visible()
    expect(held).to_have_count(3)
    press(page, "hold_out_none")
    expect(held).to_have_count(0)
    violations = [each["id"] for each in Axe().run(page).response["violations"]]
    assert violations == []


def test_the_address_says_the_form_and_back_takes_back_one_step(site, page):
    open_page(page, site)
    held = page.locator("[data-key=hold_out] tr.held")
    expect(held).to_have_count(1)
    assert query_of(page) == {"rules": "small"}
    first = held.locator("button").get_attribute("aria-label")
    page.locator("[data-key=hold_out] tbody tr:not(.held) button").first.click()
    fill(page, width="16", name="other")
    choose(page, "RNN")
    expect(page).to_have_url(re.compile("models=gpt2,rnn"))
    said = query_of(page)
    assert {name: said[name] for name in said if name != "held"} == {
        "rules": "small",
        "models": "gpt2,rnn",
        "name": "other",
        "width": "16",
    }
    assert len(said["held"].split(";")) == 2
    page.reload()
    expect(held).to_have_count(2)
    expect(box(page, "width")).to_have_value("16")
    expect(page.locator("[data-key=models] [aria-pressed=true]")).to_have_text(["GPT-2", "RNN"])
    for _ in range(3):
        page.go_back()
    expect(box(page, "width")).to_have_value("")
    expect(page.locator("[data-key=models] [aria-pressed=true]")).to_have_text(["GPT-2"])
    expect(held).to_have_count(2)
    page.go_back()
    expect(held).to_have_count(1)
    expect(held.locator("button")).to_have_attribute("aria-label", first or "")
    page.go_forward()
    expect(held).to_have_count(2)
    # On the way to another page and back nothing is lost.
    page.get_by_role("link", name="Probe").click()
    expect(page.locator(BOARD)).to_be_visible()
    page.get_by_role("link", name="Train").click()
    expect(held).to_have_count(2)
    expect(page).to_have_url(re.compile("held="))


def test_defaults_are_those_of_the_chosen_models(site, page):
    page.goto(f"{site}/train")
    expect(box(page, "epochs")).to_have_attribute("placeholder", "3 (default)")
    expect(box(page, "heads")).to_have_attribute("placeholder", "4 (default)")
    choose(page, "RNN")
    expect(box(page, "learning_rate")).to_have_attribute("placeholder", "by model")
    rates = [f"{default_recipe(name).learning_rate:g}" for name in ("gpt2", "rnn")]
    expect(page.get_by_text(f"learning rate {rates[0]} (GPT-2), {rates[1]} (RNN)")).to_be_visible()
    expect(box(page, "heads")).to_be_disabled()


def test_what_is_wrong_in_an_address_is_said_and_the_rest_is_kept(site, page):
    page.goto(f"{site}/train?rules=small&held=1,0;0,0,1&width=16&seed=x&watch=mine/nothing")
    expect(page.locator("[data-key=hold_out] tr.held")).to_have_count(1)
    expect(page.get_by_text("invalid state")).to_be_visible()
    expect(page.get_by_text("not a seed")).to_be_visible()
    expect(page.get_by_text("there is no such training")).to_be_visible()
    expect(page.locator(".training_progress")).to_be_visible()
    expect(box(page, "width")).to_have_value("16")
    page.goto(f"{site}/train?rules=nowhere&width=16")
    expect(page.get_by_text("there is no such world")).to_be_visible()
    page.locator("select[data-key=rules]").select_option("small")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(8)
    expect(page.get_by_text("there is no such world")).to_have_count(0)
    expect(box(page, "width")).to_have_value("16")


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


def servers(place: Path) -> set[int]:
    """Return the servers that run in `place`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"streamlit" in command and (process / "cwd").resolve() == place.resolve():
                found.add(int(process.name))
        except OSError:
            continue
    return found


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
