"""Named sets of edits in a real browser: save by name, load, compare, share."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from playground.inference import compare_conditions, open_model
from playground.interventions import NamedCondition, export_conditions, load_conditions, save_condition
from tests.app.browser import (
    BOARD,
    EDITS,
    press_edit,
    query_of,
    settle,
    violations,
    wait_for_comparison,
)

TABLE = ".sets[data-condition]"
FAULTS = ".compare > .fault"
SAVED = (
    NamedCondition("no MLP", ("zero:L1.mlp",), "what does it bring?"),
    NamedCondition("forced & mixed", ("force:newB=!", "mean:L0H1@>newB..")),
    NamedCondition("memory", ("zero:memory[3]",), "only the MANN has one"),
    NamedCondition("half", ("zero:memory[3]", "zero:L2")),
)


@pytest.fixture(scope="module")
def model(workplace):
    return open_model(workplace / "models" / "default" / "gpt2", "cpu")


@pytest.fixture
def file(workplace) -> Iterator[Path]:
    """Return where the app keeps conditions; it is gone after the test."""
    path = workplace / "conditions.json"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def filled(file) -> Path:
    file.write_text(export_conditions(SAVED))
    return file


def open_conditions(page: Page, address: str, on: str = "", *, names: str | None = None) -> None:
    page.goto(f"{address}/compare?name=default&model=gpt2&view=sets&on={on}")
    wait_for_names(page, ";".join(each.name for each in SAVED) if names is None else names)


def wait_for_names(page: Page, names: str) -> None:
    """Wait until the table has conditions of these names, and knows all of them."""
    expect(page.locator(".sets")).to_have_attribute("data-names", names)
    expect(page.locator(".sets")).to_have_attribute("data-pending", "false")
    settle(page)


def row_of(page: Page, name: str):
    return page.locator(f'{TABLE} tr[data-name="{name}"]')


def press(page: Page, action: str, name: str) -> None:
    page.locator(f'{TABLE} [data-focus="{action} {name}"]').click()


def tray_shows(page: Page, text: str) -> None:
    expect(page.locator(".edits")).to_have_attribute("data-edits", text)
    settle(page)


@pytest.mark.journey
def test_edits_are_saved_by_keyboard_and_a_taken_name_is_asked_about(page, address, file):
    open_conditions(page, address, "zero:L0H1;mean:L1@newB", names="")
    page.locator('[data-key="named_sets"] summary').focus()
    page.keyboard.press("Enter")
    name = page.locator('[data-key="set_name"]')
    name.focus()
    page.keyboard.type("two of them")
    page.keyboard.press("Tab")
    page.keyboard.type("a note")
    page.keyboard.press("Enter")
    wait_for_names(page, "two of them")
    saved = NamedCondition("two of them", ("zero:L0H1", "mean:L1@newB"), "a note")
    assert load_conditions(file) == {"two of them": saved}
    expect(name).to_have_value("")
    press_edit(page, "remove 0")
    tray_shows(page, "mean:L1@newB")
    name.fill("two of them")
    page.keyboard.press("Enter")
    expect(page.locator('[data-key="notice"]')).to_contain_text("already")
    assert load_conditions(file)["two of them"] == saved
    page.locator('[data-key="notice_act"]').click()
    expect(page.locator('[data-key="notice"]')).to_contain_text("Replaced")
    assert load_conditions(file)["two of them"].interventions == ("mean:L1@newB",)
    page.locator('[data-key="notice_act"]').click()
    expect(page.locator('[data-key="notice"]')).to_contain_text("as before")
    assert load_conditions(file) == {"two of them": saved}


def test_every_number_is_the_librarys(page, address, filled, model):
    open_conditions(page, address, "zero:L0")
    compared = {"unedited": compare_conditions(model, [])[0]}
    compared["the edits"] = compare_conditions(model, [NamedCondition("x", ("zero:L0",))])[1]
    compared |= {
        each.name: one for each, one in zip(SAVED, compare_conditions(model, SAVED)[1:], strict=True)
    }
    for name, one in compared.items():
        row = row_of(page, name)
        figures = [text.split("\n") for text in row.locator("td").all_inner_texts()]
        if one.board is None:
            assert figures == [["–"]] * 9
            continue
        right, held_out = one.board.correct, one.board.held_out
        shares = [f"{right.sum()}/32", f"{right[~held_out].sum()}/30", f"{right[held_out].sum()}/2"]
        assert [figure[0] for figure in figures[:3]] == shares
        if one.board.correct_do is not None:
            assert figures[0][1] == f"do {one.board.correct_do.sum()}/32"
        by_answer, as_written = one.board.tally_by_answer, one.board.tally_by_answer_as_written
        for answer, figure in zip(model.world.answers, figures[3:], strict=True):
            wanted = [["forced"]] if answer not in by_answer else []
            for tally in [by_answer[answer]] if answer in by_answer else []:
                (seen, all_seen), (unseen, all_unseen) = tally["seen"], tally["held_out"]
                wanted = [[f"{seen}/{all_seen}", f"◆ {unseen}/{all_unseen}"]]
                if as_written[answer] != tally:
                    (seen, _), (unseen, _) = as_written[answer]["seen"], as_written[answer]["held_out"]
                    wanted[0].append(f"≈ {seen}/{all_seen} ◆ {unseen}/{all_unseen}")
            assert [figure] == wanted
        assert row.locator(".unfit").count() == len(one.faults)
    expect(row_of(page, "half").locator(".unfit")).to_contain_text("zero:memory[3]")
    with page.expect_download() as download:
        page.locator(TABLE).get_by_label("download named sets as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["set"] for row in rows] == list(compared)
    right_in = {name: int(one.board.correct.sum()) for name, one in compared.items() if one.board is not None}
    assert sum(int(rows[2][f"{group}_right"]) for group in ("seen", "held_out")) == right_in["no MLP"]
    page.locator(f"{TABLE} thead button", has_text="all").click()
    order = page.locator(f"{TABLE} tbody tr").evaluate_all("rows => rows.map(tr => tr.dataset.name)")
    values = {each.name: right_in.get(each.name, -1) for each in SAVED}
    assert order == ["unedited", "the edits", *sorted(values, key=values.__getitem__)]


def test_load_add_undo_rename_and_delete(page, address, filled):
    open_conditions(page, address, "zero:L0H0")
    press(page, "load", "forced & mixed")
    tray_shows(page, "force:newB=!;mean:L0H1@>newB..")
    press(page, "add", "no MLP")
    tray_shows(page, "force:newB=!;mean:L0H1@>newB..;zero:L1.mlp")
    press(page, "add", "forced & mixed")
    expect(page.locator(FAULTS).first).to_contain_text("this output is already forced")
    settle(page)
    for shown in (
        "force:newB=!;mean:L0H1@>newB..;zero:L1.mlp",
        "force:newB=!;mean:L0H1@>newB..",
        "zero:L0H0",
    ):
        press_edit(page, "undo")
        tray_shows(page, shown)
    press(page, "rename", "memory")
    page.keyboard.type("slot 3")
    page.keyboard.press("Enter")
    wait_for_names(page, "no MLP;forced & mixed;slot 3;half")
    press(page, "rename", "half")
    page.keyboard.type("slot 3")
    page.keyboard.press("Enter")
    expect(page.locator(FAULTS).first).to_contain_text("'slot 3'")
    settle(page)
    press(page, "delete", "no MLP")
    wait_for_names(page, "forced & mixed;slot 3;half")
    assert "no MLP" not in load_conditions(filled)
    page.locator('[data-key="notice_act"]').click()
    wait_for_names(page, "forced & mixed;slot 3;half;no MLP")
    assert load_conditions(filled)["no MLP"] == SAVED[0]


def test_files_go_out_and_come_in(page, address, filled, tmp_path):
    open_conditions(page, address)
    with page.expect_download() as download:
        page.locator('[data-key="download_all"]').click()
    assert download.value.path().read_text() == export_conditions(SAVED)
    with page.expect_download() as download:
        press(page, "file", "no MLP")
    one = download.value.path()
    assert one.read_text() == export_conditions(SAVED[:1])
    press(page, "delete", "no MLP")
    wait_for_names(page, "forced & mixed;memory;half")
    (tmp_path / "one.json").write_text(one.read_text())
    upload = page.locator("input[type=file]")
    upload.set_input_files(tmp_path / "one.json")
    wait_for_names(page, "forced & mixed;memory;half;no MLP")
    other = NamedCondition("no MLP", ("nuke:L0.mlp.W_in[3,:]",))
    (tmp_path / "other.json").write_text(export_conditions([other]))
    upload.set_input_files(tmp_path / "other.json")
    expect(page.locator('[data-key="notice"]')).to_contain_text("others of the same name: 'no MLP'")
    settle(page)
    assert load_conditions(filled)["no MLP"] == SAVED[0]
    page.locator('[data-key="notice_act"]').click()
    expect(row_of(page, "no MLP")).to_contain_text("nuke:L0.mlp.W_in[3,:]")
    settle(page)
    document = {"version": 1, "conditions": {"bad": {"interventions": ["zero:L0H0", "burn:L1"]}}}
    (tmp_path / "bad.json").write_text(json.dumps(document))
    upload.set_input_files(tmp_path / "bad.json")
    expect(page.locator(FAULTS).first).to_contain_text("bad.json, 'bad'")
    settle(page)
    assert list(load_conditions(filled)) == ["forced & mixed", "memory", "half", "no MLP"]


def test_bad_names_an_empty_tray_and_a_damaged_file_are_explained(page, address, file):
    save_condition(SAVED[0], file)
    open_conditions(page, address, names="no MLP")
    page.locator('[data-key="named_sets"] summary').click()
    page.locator('[data-key="set_name"]').fill("nothing")
    page.keyboard.press("Enter")
    expect(page.locator(".named-sets .fault").first).to_contain_text("at least one intervention")
    expect(page.locator('[data-key="set_name"]')).to_have_value("nothing")
    file.write_text("{")
    page.reload()
    expect(page.locator(FAULTS).first).to_contain_text("conditions.json")
    expect(page.locator(EDITS)).to_be_visible()
    settle(page)
    assert file.read_text() == "{"


def test_nothing_that_axe_finds_is_ours(page, address, filled):
    open_conditions(page, address, "zero:L0")
    page.locator('[data-key="named_sets"] summary').click()
    expect(page.locator('[data-focus="load half"]').last).to_be_visible()
    assert violations(page, (".sets", ".exchange", ".named-sets")) == []


def test_sets_are_loaded_in_the_sidebar_of_any_page_and_lead_to_their_comparison(page, address, filled):
    page.goto(f"{address}/?name=default&model=gpt2&on=zero:L0H0")
    page.wait_for_selector(BOARD)
    page.locator('[data-key="named_sets"] summary').click()
    page.locator('.named-sets [data-focus="load no MLP"]').click()
    tray_shows(page, "zero:L1.mlp")
    page.locator('[data-key="compare_sets"]').click()
    wait_for_names(page, ";".join(each.name for each in SAVED))
    assert query_of(page)["view"] == "sets"
    expect(row_of(page, "the edits")).to_contain_text("zero:L1.mlp")
    page.locator('[data-key="view"] [data-value=""]').click()
    wait_for_comparison(page)
    page.go_back()
    wait_for_names(page, ";".join(each.name for each in SAVED))


def test_the_address_of_the_former_page_leads_there(page, address, filled):
    page.goto(f"{address}/conditions?name=default&model=gpt2&on=zero:L0")
    wait_for_names(page, ";".join(each.name for each in SAVED))
    assert query_of(page)["view"] == "sets"
    assert query_of(page)["on"] == "zero:L0"
