"""Pages of RNN, CNN and MANN, and page Compare, in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.datasets import JUDGEMENTS
from tests.app.browser import (
    ANSWERS,
    COMPARISON,
    EDITS,
    MAPS,
    SCORES,
    add_by_text,
    edited_tokens,
    query_of,
    settle,
    tokens_of,
    violations,
    visit,
    wait_for_board,
    wait_for_comparison,
)
from tests.support.judged_by_hand import MARKS

STATE = "1,0,1,0,1"
ROW = 21
"""Of that state among the 32."""
ARCHITECTURES = ("gpt2", "rnn", "cnn", "mann")


def open_probe(page: Page, address: str, query: str, *shows: str) -> None:
    visit(page, f"{address}/?{query}")
    wait_for_board(page, *(shows or (STATE,)), picture=MAPS)
    settle(page)


def open_compare(page: Page, address: str, query: str = "", *shows: str) -> None:
    visit(page, f"{address}/compare?name=default&model=gpt2&{query}")
    wait_for_comparison(page, *(shows or (STATE,)))
    settle(page)


def point_at(page: Page, site: str, unit: int, token: int, units: int) -> None:
    canvas = page.locator(f'{MAPS} [data-map="{site}"] canvas').first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(
        box["x"] + (token + 0.5) * box["width"] / 22, box["y"] + (unit + 0.5) * box["height"] / units
    )


UNITS = (
    ("rnn", "L1.h", 7, 24),
    ("rnn", "L0.f", 3, 24),
    ("cnn", "L2.conv", 11, 24),
    ("mann", "read_weights", 5, 16),
    ("mann", "memory", 3, 16),
    ("mann", "L0.c", 20, 24),
)


def test_a_click_on_a_unit_ablates_it_and_pointing_at_it_reads_it(page, address, models):
    token = 12
    for model, site, unit, units in UNITS:
        open_probe(page, address, f"name=default&model={model}")
        point_at(page, site, unit, token, units)
        hook = next(each.hook for each in models[model].network.maps if str(each.site) == site)
        recorded = models[model].baseline_run.recorded[hook][ROW, token, unit]
        status = page.locator(f"{MAPS} .status")
        expect(status).to_contain_text(f"{site}[{unit}] at newB=")
        value = recorded
        if recorded.dim():
            value = recorded[int(status.inner_text().split("component ")[1].split(":")[0])]
        shown = float(status.inner_text().split(": ")[1].split(";")[0])
        assert shown == pytest.approx(float(value), abs=2e-3)
        page.mouse.down()
        page.mouse.up()
        wait_for_board(page, STATE, f"zero:{site}[{unit}]", picture=MAPS)
        settle(page)
        assert edited_tokens(page) == tokens_of(models[model], f"zero:{site}[{unit}]")
        assert query_of(page)["on"] == f"zero:{site}[{unit}]"
        expect(page.locator(EDITS)).to_contain_text(f"zero:{site}[{unit}]")
        whole = page.locator(f'{MAPS} [data-map="{site}"] .whole')
        expect(whole).to_have_attribute("aria-pressed", "false")
        expect(whole).to_contain_text("▸1")
        marked = page.locator(f'{MAPS} [data-map="{site}"] [data-group=edited] .acted')
        assert marked.evaluate_all("all => all.map(each => each.title)") == [f"{site}[{unit}] zero"]


def test_whole_parts_at_positions(page, address, models):
    whole = (("rnn", "L0.c"), ("rnn", "L1"), ("cnn", "L0"), ("cnn", "L3.conv"), ("mann", "memory"))
    for model, site in whole:
        open_probe(page, address, f"name=default&model={model}&kind=mean&at=@>newB..")
        page.locator(f'{MAPS} button[data-site="{site}"]').click()
        done = f"mean:{site}@>newB.."
        wait_for_board(page, STATE, done, picture=MAPS)
        settle(page)
        assert edited_tokens(page) == tokens_of(models[model], done), (model, done)


def test_units_by_keyboard_alone(page, address, models):
    open_probe(page, address, "name=default&model=rnn")
    page.locator(f'{MAPS} [data-units="L0.h"]').focus()
    for key in ("PageDown", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
        if key == "ArrowUp":
            expect(page.locator(f"{MAPS} .status")).to_contain_text("L0.h[9] baseline: A=1")
    wait_for_board(page, STATE, "zero:L0.h[9]", picture=MAPS)
    settle(page)
    assert edited_tokens(page) == tokens_of(models["rnn"], "zero:L0.h[9]")
    page.keyboard.press("Space")
    wait_for_board(page, STATE, picture=MAPS)


def test_the_receptive_field_of_the_chosen_token_is_drawn(page, address, models):
    open_probe(page, address, "name=default&model=cnn&token=>newB&large=L1.conv")
    network, position = models["cnn"].network, 11
    for drawn in (each for each in network.maps if not each.detail):
        marks = page.locator(f'{MAPS} [data-map="{drawn.site}"] [data-group=baseline] .reach span')
        classes = marks.evaluate_all("all => all.map(span => span.className)")
        assert [i for i, name in enumerate(classes) if name == "on"] == list(
            network.receptive_field(drawn, position)
        )
    page.locator(".large").scroll_into_view_if_needed()
    expect(page.locator(".js-plotly-plot .shapelayer path")).to_have_count(
        len(
            network.receptive_field(
                next(each for each in network.maps if str(each.site) == "L1.conv"), position
            )
        )
    )
    settle(page)
    page.locator("[data-key=token]").select_option(label="newA")
    page.wait_for_function("() => location.search.includes('token=newA')")
    settle(page)
    last = page.locator(f'{MAPS} [data-map="L3.conv"] [data-group=baseline] .reach span.on')
    expect(last).to_have_count(1)
    open_probe(page, address, "name=default&model=cnn&state=0,1,1,1,0&token=A&large=L1.conv", "0,1,1,1,0")
    page.locator(".large").scroll_into_view_if_needed()
    expect(page.locator("[data-key=token]")).to_be_visible()


def test_units_and_slots_are_ranked(page, address, models):
    from playground.analysis import ablations, measure_effect, rank

    # The models are shown in different states: the second one is not yet there while the first one's is shown.
    for model, noun, count, state in (("rnn", "L", 24, STATE), ("mann", "memory", 16, "0,1,1,1,0")):
        open_probe(page, address, f"name=default&model={model}&state={state}", state)
        if model == "rnn":
            page.locator("[data-key=rank]").first.click()
        measured, baseline = models[model], models[model].board()
        effects = [measure_effect(baseline, measured.board([each]), each) for each in ablations(measured)]
        ranked = [str(effect.intervention.site) for effect in rank(effects, baseline)][:count]
        expect(page.locator(".ranking button.element")).to_have_text(ranked)
        assert all(site.startswith(noun) for site in ranked)


def test_compare_shows_every_model_as_it_is_its_costs_scores_and_answers(page, address, models):
    open_compare(page, address, "state=0,1,1,1,0", "0,1,1,1,0")
    rows = page.locator(f"{COMPARISON} tbody tr").evaluate_all(
        "rows => rows.map(tr => [...tr.querySelectorAll('td.mono[title]')].map(td => td.textContent))"
    )
    for index, name in enumerate(ARCHITECTURES):
        board, width = models[name].board(), 6
        for state, row in enumerate(rows):
            shown = row[index * width : (index + 1) * width]
            judged = board.judged[state, board.template.answer_positions]
            expected = [
                token + MARKS[JUDGEMENTS[place]]
                for token, place in zip(tokens_of(models[name])[state], judged, strict=True)
            ]
            assert shown == expected
    marked = page.locator(f"{COMPARISON} tr.held-out-row td.first").all_inner_texts()
    assert marked == ["1,0,1,0,1", "1,1,1,1,1"]
    for name in ARCHITECTURES:
        cells = page.locator(f'{SCORES} tr[data-model="{name}"] td').all_inner_texts()
        run, board = models[name].checkpoint.run, models[name].board()
        assert cells[0] == f"{run.parameters:,}"
        assert cells[1] == f"{run.seconds:,.0f}"
        assert cells[2] == f"{run.samples:,}"
        assert "TFLOP" in cells[3]
        rights = [board.correct, *(board.written == board.truth).T]
        as_written = [board.correct, *(board.written == board.truth_as_written).T]
        for cell, right, follows in zip(cells[4:], rights, as_written, strict=True):
            shares = [[each[~board.held_out].sum(), each[board.held_out].sum()] for each in (right, follows)]
            figures = [f"{shares[0][0]}/30", f"◆ {shares[0][1]}/2"]
            if shares[0] != shares[1]:
                figures.append(f"≈ {shares[1][0]}/30 ◆ {shares[1][1]}/2")
            assert cell.split("\n") == figures
        note = page.locator(f'{SCORES} tr[data-notes="{name}"]')
        if board.accuracy.seen < 1:
            expect(note).to_contain_text(f"{name} has not learnt the states that it was shown")
        else:
            assert note.count() == 0
    state = models["gpt2"].world.states.index((0, 1, 1, 1, 0))
    for name in ARCHITECTURES:
        row = page.locator(f'{ANSWERS} tr[data-row="{name}"]')
        shown = row.locator(".cell").all_inner_texts()
        board = models[name].board()
        assert [text.rstrip("✗≈†") for text in shown] == [
            models[name].template.visible(token) for token in board.tokens[state]
        ]
        titles = row.locator("td[title]").evaluate_all("all => all.map(td => td.title)")
        given = models[name].template.prompt_length
        said = [float(title.split("probability ")[1].split(";")[0]) for title in titles]
        assert np.allclose(said, board.token_probability[state, given:], atol=1e-4)


def test_what_means_nothing_to_a_model_is_said_in_words_and_to_no_model_is_an_error(page, address, models):
    on = "zero:memory[3];zero:L1"
    open_compare(page, address, f"on={on}", STATE, on)
    notes = page.locator(f'{SCORES} tr[data-notes="gpt2"]')
    expect(notes).to_contain_text("zero:memory[3]: not applied to gpt2")
    expect(page.locator(f'{SCORES} tr[data-notes="mann"]')).to_contain_text("zero:L1: not applied to mann")
    expect(page.locator(EDITS)).to_contain_text("not applied to gpt2, rnn, cnn")
    unfit = page.locator(f"{EDITS} .unfit")
    expect(unfit.first).to_have_attribute(
        "title", re.compile("^gpt2: expected one of .*\n.*rnn: expected one of ")
    )
    expect(unfit.last).to_have_text("⊘ not applied to mann")
    applied = {"gpt2": "zero:L1", "rnn": "zero:L1", "cnn": "zero:L1", "mann": "zero:memory[3]"}
    titles = page.locator(f"{COMPARISON} tbody tr:first-child td.mono[title]").evaluate_all(
        "all => all.map(td => td.title)"
    )
    for index, (name, done) in enumerate(applied.items()):
        written = [title.split("wrote ")[1][0] for title in titles[index * 6 : index * 6 + 6]]
        assert written == tokens_of(models[name], done)[0]

    # What no model has is an error, and the rest stays.
    open_compare(page, address, "on=zero:slots[3];zero:memory[99];zero:L0.h", STATE, "zero:L0.h")
    alerts = " ".join(page.locator(".compare > .fault").all_inner_texts())
    assert "zero:slots[3]" in alerts
    assert "an index within memory[0..15,0..23]" in alerts
    assert query_of(page)["on"] == "zero:L0.h"


@pytest.mark.journey
def test_clicks_on_compare_and_the_way_to_probe_and_back(page, address):
    open_compare(page, address)
    add_by_text(page, "zero:L0")
    wait_for_comparison(page, STATE, "zero:L0")
    settle(page)
    page.locator(f"{COMPARISON} button", has_text="0,0,0,0,1").click()
    wait_for_comparison(page, "0,0,0,0,1", "zero:L0")
    settle(page)
    page.get_by_role("link", name="Probe").click()
    wait_for_board(page, "0,0,0,0,1", "zero:L0")
    settle(page)
    assert query_of(page)["on"] == "zero:L0"
    page.get_by_role("link", name="Compare").click()
    wait_for_comparison(page, "0,0,0,0,1", "zero:L0")
    settle(page)
    page.locator(f"{COMPARISON} thead button", has_text="◆").click()
    page.wait_for_selector(f"{COMPARISON} th[aria-sort=ascending] button[data-focus='sort held-out']")
    settle(page)
    first = page.locator(f"{COMPARISON} tbody td.first").all_inner_texts()[:2]
    assert first == ["1,0,1,0,1", "1,1,1,1,1"]
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    wait_for_comparison(page, "0,0,0,0,1", "zero:L0")


def test_another_architecture_keeps_the_condition(page, address):
    open_probe(page, address, "name=default&model=rnn&state=0,0,1,0,0&on=zero:L0.h", "0,0,1,0,0", "zero:L0.h")
    page.locator("[data-key=model]").select_option(label="default/cnn")
    wait_for_board(page, "0,0,1,0,0", "zero:L0.h", picture='.maps[data-shape^="L0.conv"]')
    settle(page)
    expect(page.locator(EDITS)).to_contain_text("not applied to cnn")
    assert page.locator(f"{ANSWERS} th.acted").count() == 0
    assert page.locator(f"{ANSWERS} tr").count() == 3
    assert query_of(page)["model"] == "cnn"


OURS = (".board", ".maps", ".strip", ".ranking", ".comparison", ".scores")


def test_nothing_that_axe_finds_on_probe_is_ours(page, address):
    queries = {
        "name=default&model=rnn&on=zero:L0.h[3]": f"{STATE} zero:L0.h[3]",
        "name=default&model=mann": STATE,
        "name=default&model=cnn&state=0,1,1,1,0": "0,1,1,1,0",
    }
    for query, shows in queries.items():
        open_probe(page, address, query, shows)
        assert violations(page, OURS) == [], query


def test_nothing_that_axe_finds_on_compare_is_ours(page, address):
    open_compare(page, address, "on=zero:L0", STATE, "zero:L0")
    assert violations(page, OURS) == []


_CUT = """part => {
    const [box, end] = [part.getBoundingClientRect(), part.querySelector("tr").lastElementChild];
    const fits = box.left >= 0 && box.right <= innerWidth && document.documentElement.scrollWidth <= innerWidth;
    const scroller = [part, ...part.querySelectorAll("*")].find((each) => each.scrollWidth > each.clientWidth + 1
        && getComputedStyle(each).overflowX === "auto");
    if (scroller) scroller.scrollLeft = scroller.scrollWidth;
    return fits && end.getBoundingClientRect().right <= box.right + 1 ? "" : part.className;
}"""
"""The name of a part whose last column cannot be brought into sight; "" if it can."""


def test_nothing_is_cut_on_compare_from_900_pixels_on(page, address):
    open_compare(page, address, "on=zero:L0", STATE, "zero:L0")
    for width in (1440, 900, 720):
        page.set_viewport_size({"width": width, "height": 1000})
        for part in (COMPARISON, SCORES, ANSWERS):
            page.wait_for_function(f"""() => innerWidth === {width}""")
            assert page.locator(part).evaluate(_CUT) == "", width
