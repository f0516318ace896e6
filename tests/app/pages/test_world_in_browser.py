"""Page World in a real browser: rules typed, marked, fixed, shared, saved; and on to probing a trained model."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from playground.datasets import default_hold_out
from playground.worlds import network_of_world, parse_world, state_text
from tests.app.browser import BOARD, serve, settle, violations, visit, wait_for_board
from tests.conftest import SECOND_RULES

SMALL = "# A chain of two.\ninputs: X, Y, Z\nfirst = X NAND Y\nsecond = first XOR Z\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working directory in which nothing is kept yet."""
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def site(place: Path) -> Iterator[str]:
    with serve(place) as address:
        yield address


def editor(page: Page):
    return page.locator(".rules_editor textarea")


def open_page(page: Page, address: str, rules: str = SMALL) -> None:
    page.goto(f"{address}/world?rules={quote(rules)}")
    expect(editor(page)).to_have_value(rules.replace("\r\n", "\n"))
    settle(page)


def faults(page: Page):
    return page.locator(".rules_editor .faults li")


def no_faults(page: Page) -> None:
    expect(page.locator(".rules_editor .said")).to_have_text("✓ No faults.")


def rows(page: Page):
    return page.locator("[data-key=truth_table] .state_table tbody tr")


@pytest.mark.journey
def test_a_fault_is_marked_where_it_stands_and_gone_when_it_is_mended(site, page):
    open_page(page, site)
    expect(rows(page)).to_have_count(8)
    editor(page).press("Control+End")
    editor(page).press_sequentially("third = second and X", delay=20)
    expect(faults(page)).to_have_count(1)
    expect(faults(page).locator("button")).to_have_text("✗ 5:16")
    expect(faults(page)).to_contain_text("Operators are written in capitals: AND.")
    expect(page.locator(".rules_editor .line .mistake")).to_have_text("and")
    expect(page.locator(".rules_editor .number.wrong")).to_have_text("✗5")
    expect(page.locator(".structure .stale")).to_have_text("of the last text without faults")
    expect(page.locator("[data-key=truth_table] .caption")).to_contain_text("of the last text without faults")
    faults(page).locator("button").click()
    page.keyboard.type("AND")
    expect(editor(page)).to_have_value(f"{SMALL}third = second AND X")
    no_faults(page)
    expect(page.locator(".structure .stale")).to_be_hidden()
    expect(page.locator("[data-key=truth_table] thead").first).to_contain_text("third")
    expect(page.locator(".structure .facts")).to_contain_text("first → second → third")
    settle(page)
    assert violations(page, ("rules", "structure")) == []


def test_what_is_typed_while_an_answer_is_on_its_way_stays_and_so_do_caret_and_focus(site, page):
    open_page(page, site, "inputs: A, B, C\nout = A\n")
    editor(page).press("Control+End")
    text = "".join(f"out{index} = A XOR B AND C\n" for index in range(9))
    # About as quick as somebody can, with pauses that ask the server now and then.
    for part in text.splitlines(keepends=True):
        page.keyboard.type(part, delay=12)
        page.wait_for_timeout(190)
    expect(editor(page)).to_have_value(f"inputs: A, B, C\nout = A\n{text}")
    no_faults(page)
    assert editor(page).evaluate("box => [box.selectionStart, box.getRootNode().activeElement === box]") == [
        len(f"inputs: A, B, C\nout = A\n{text}"),
        True,
    ]
    expect(page.locator(".structure .balances li")).to_have_count(10)
    editor(page).press("Tab")
    assert editor(page).input_value().endswith("C\n"), "the key leaves the field"


def test_the_rules_are_in_the_address_outlive_a_reload_and_come_back_in_the_history(site, page):
    open_page(page, site)
    typed = f"{SMALL}third = X\n"
    editor(page).fill(typed)
    expect(page).to_have_url(re.compile("third"))
    page.reload()
    expect(editor(page)).to_have_value(typed)
    settle(page)
    page.get_by_label("World").select_option("default")
    expect(editor(page)).to_have_value(re.compile("newA = A XOR C"))
    settle(page)
    page.go_back()
    expect(editor(page)).to_have_value(typed)
    settle(page)
    page.go_forward()
    expect(editor(page)).to_have_value(re.compile("newA = A XOR C"))


TELL_AND_LEAVE = """(steps) => {
  const box = [...document.querySelectorAll("*")].map((each) => each.shadowRoot?.querySelector(".rules_editor textarea")).find(Boolean);
  const acts = {
    type: () => { box.value += "# One more.\\n"; box.dispatchEvent(new Event("input")); box.dispatchEvent(new Event("blur")); },
    leave: () => [...document.querySelectorAll("a")].find((each) => each.textContent.includes("Train")).click(),
  };
  for (const step of steps) acts[step]();
}"""


@pytest.mark.parametrize("steps", [["type", "leave"], ["leave", "type"]])
def test_what_is_typed_at_the_moment_of_leaving_is_kept_and_the_next_page_shown(site, page, steps):
    open_page(page, site)
    page.evaluate(TELL_AND_LEAVE, steps)
    expect(page.locator("button[data-key=start]")).to_be_visible()
    page.wait_for_timeout(1_000)
    settle(page)
    expect(page.locator("button[data-key=start]")).to_be_visible()
    page.get_by_role("link", name="World").click()
    expect(editor(page)).to_have_value(f"{SMALL}# One more.\n")
    no_faults(page)
    settle(page)


def test_rules_that_are_not_saved_survive_another_page(site, page):
    open_page(page, site)
    editor(page).fill(f"{SMALL}third = X AND")
    page.get_by_role("link", name="Train").click()
    expect(page.locator("button[data-key=start]")).to_be_visible()
    assert "third" not in page.url
    settle(page)
    page.get_by_role("link", name="World").click()
    expect(editor(page)).to_have_value(f"{SMALL}third = X AND")
    expect(faults(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("third"))


def test_a_link_that_was_shared_shows_the_rules_to_somebody_else(site, page, profile):
    open_page(page, site, "out = A AND B")
    editor(page).fill(SECOND_RULES)
    no_faults(page)
    page.get_by_role("button", name="Share").click()
    link = page.locator("[data-what=Link]")
    expect(link).to_contain_text("first+%3D")
    other = profile.new_page()
    other.goto(link.inner_text())
    expect(editor(other)).to_have_value(SECOND_RULES)
    other.close()


def test_what_was_typed_last_is_what_is_saved(site, page, place):
    open_page(page, site)
    page.get_by_label("Save as").fill("mine")
    editor(page).press("Control+End")
    editor(page).press_sequentially("third = NOT X")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: data/worlds/mine.rules")).to_be_visible()
    assert (place / "data" / "worlds" / "mine.rules").read_text() == f"{SMALL}third = NOT X"
    settle(page)
    expect(page.get_by_label("World").locator("option:checked")).to_have_text("mine · A chain of two.")


def test_thirty_inputs_are_refused_with_the_reason_and_windows_line_ends_are_not(site, page):
    open_page(page, site, "out = A AND B\r\n# Windows\r\n")
    no_faults(page)
    many = ", ".join(f"X{index}" for index in range(30))
    editor(page).fill(f"inputs: {many}\nout = X1 AND X2\n")
    expect(faults(page)).to_contain_text("expected 2 to 10 inputs, got 30 inputs")
    expect(rows(page)).to_have_count(4)


def test_a_world_is_written_trained_and_its_model_taken_apart(site, page, place):
    open_page(page, site)
    page.get_by_label("Save as").fill("pair")
    page.get_by_role("button", name="Train on this world").click()
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(8)
    expect(page).to_have_url(re.compile("train.*rules=pair&name=pair"))
    assert (place / "data" / "worlds" / "pair.rules").read_text() == SMALL
    expect(page.locator("[data-key=hold_out] tr.held")).to_have_count(1)
    for name, value in {"width": "16", "layers": "1", "heads": "2", "epochs": "0.3"}.items():
        box = page.locator(f"input[data-key={name}]")
        box.fill(value)
        box.press("Enter")
    page.locator("button[data-key=start]").click()
    expect(page.locator("[data-key=ended]")).to_contain_text("pair/gpt2 done")
    page.locator("[data-key=open_run]").click()
    expect(page).to_have_url(re.compile("name=pair&model=gpt2"))
    state = page.locator(BOARD).get_attribute("data-condition")
    assert [state] == [state_text(held) for held in default_hold_out(parse_world(SMALL))]
    settle(page)
    before = page.locator(BOARD).inner_text()
    page.locator('.mosaic button[data-site="L0H1"]').click()
    wait_for_board(page, state, "zero:L0H1")
    assert page.locator(BOARD).inner_text() != before


def test_a_broken_link_in_the_history_is_explained_and_loses_nothing(site, page):
    open_page(page, site)
    visit(page, f"{site}/world?rules={quote('out = A NOR B')}")
    expect(editor(page)).to_have_value("out = A NOR B")
    settle(page)
    visit(page, f"{site}/world?rulesz=broken")
    expect(page.get_by_text("copy all of it")).to_be_visible()
    expect(editor(page)).to_have_value("out = A NOR B")
    # The address says what is shown.
    expect(page).to_have_url(re.compile("rules=out"))


def test_other_rules_are_replaced_only_after_a_question(site, page, place):
    open_page(page, site)
    page.get_by_label("Save as").fill("taken")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: data/worlds/taken.rules")).to_be_visible()
    open_page(page, site, "out = A AND B")
    page.get_by_label("Save as").fill("taken")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("a file of this name exists already")).to_be_visible()
    assert (place / "data" / "worlds" / "taken.rules").read_text() == SMALL
    page.get_by_role("button", name="Replace it").click()
    expect(page.get_by_text("Saved: data/worlds/taken.rules")).to_be_visible()
    assert (place / "data" / "worlds" / "taken.rules").read_text() == "out = A AND B"
    expect(page.get_by_role("button", name="Replace it")).to_have_count(0)


def test_a_duplicate_has_a_name_of_its_own_and_rules_with_faults_are_not_saved(site, page, place):
    # Rules of their own: those of a file are copied under its name.
    rules = SMALL.replace("# A chain of two.", "# Copied twice.")
    open_page(page, site, rules)
    page.get_by_label("Save as").fill("twice")
    for name in ("twice-2", "twice-3"):
        page.get_by_role("button", name="Duplicate").click()
        expect(page.get_by_text(f"Saved: data/worlds/{name}.rules")).to_be_visible()
        expect(page.get_by_label("Save as")).to_have_value(name)
    editor(page).fill("out = A AND")
    page.get_by_role("button", name="Train on this world").click()
    expect(page.get_by_text("these rules still have errors")).to_be_visible()
    assert "/world" in page.url
    assert (place / "data" / "worlds" / "twice-3.rules").read_text() == rules


def test_without_a_name_nothing_is_trained_on(site, page):
    open_page(page, site, "out = B AND A")
    page.get_by_role("button", name="Train on this world").click()
    expect(page.get_by_text("give the world a name first")).to_be_visible()


def test_files_are_uploaded_and_downloaded(site, page, tmp_path):
    open_page(page, site)
    page.get_by_role("button", name="Download", exact=True).click()
    for name, content in {"Rules": SMALL, "Boolean network": network_of_world(parse_world(SMALL))}.items():
        with page.expect_download() as got:
            page.get_by_role("button", name=re.compile(name)).click()
        assert Path(got.value.path()).read_text() == content
    page.get_by_role("button", name="Upload").click()
    chosen = page.get_by_label("Rules, or a Boolean network, from a file")
    (tmp_path / "latin.rules").write_bytes("# é".encode("latin-1"))
    chosen.set_input_files(tmp_path / "latin.rules")
    expect(page.get_by_text("latin.rules (not UTF-8 text)")).to_be_visible()
    expect(editor(page)).to_have_value(SMALL)
    (tmp_path / "my own.rules").write_bytes(b"out = A AND B\r\n")
    chosen.set_input_files(tmp_path / "my own.rules")
    expect(editor(page)).to_have_value("out = A AND B\n")
    expect(page.get_by_label("Save as")).to_have_value("my own")
    expect(chosen).to_have_count(0)


def test_long_rules_are_compressed_and_those_too_long_for_an_address_outlive_a_reload(site, page, profile):
    long = f"{SMALL}# {'long ' * 1_000}\n"
    open_page(page, site)
    editor(page).fill(long)
    expect(page).to_have_url(re.compile(r"\?rulesz=[-\w]+$"))
    other = profile.new_page()
    other.goto(page.url)
    expect(editor(other)).to_have_value(long)
    other.close()
    # A text that no compression shortens much.
    endless = SMALL + "".join(f"# {random.Random(line).random()}\n" for line in range(700))
    editor(page).fill(endless)
    expect(page).to_have_url(f"{site}/world")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("too long for an address")).to_be_visible()
    page.reload()
    expect(editor(page)).to_have_value(endless)
    page.go_back()
    page.go_forward()
    expect(editor(page)).to_have_value(endless)


def test_a_reload_right_after_a_key_keeps_it(site, page):
    open_page(page, site)
    editor(page).press("Control+End")
    editor(page).press_sequentially("# last")
    page.reload()
    expect(editor(page)).to_have_value(f"{SMALL}# last")


def test_only_the_title_is_in_the_sidebar(site, page):
    open_page(page, site)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("heading", name="the-experiment")).to_be_visible()
    expect(sidebar.locator("select, input, .edits, button[data-key]")).to_have_count(0)


@pytest.mark.parametrize("width", [900, 1100, 1440])
def test_no_column_is_lost_at_any_width(site, page, width):
    names = [f"output{number}name" for number in range(8)]
    rules = "inputs: " + ", ".join(f"input{number}long" for number in range(6))
    rules += "".join(f"\n{name} = input0long AND input1long" for name in names)
    page.set_viewport_size({"width": width, "height": 1000})
    open_page(page, site, rules)
    last = page.locator(".state_table thead th").filter(visible=True).last
    last.scroll_into_view_if_needed()
    box, shown = last.bounding_box(), page.locator(".state_table .box").bounding_box()
    assert last.get_attribute("title") == names[-1]
    assert box["x"] + box["width"] <= shown["x"] + shown["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


HOSTILE = [
    "[a](http://foreign.example)", "![a](http://foreign.example/a.png)", '<img src="http://foreign.example/a.png">',
    "<script>alert(1)</script>", "$x^2$", ":material/error:", ":red[red]", "# é <b>bold</b>",
]  # fmt: skip


def test_rules_and_what_is_wrong_with_them_are_shown_as_they_are(site, page):
    open_page(page, site, "\n".join(f"out{number} = {text}" for number, text in enumerate(HOSTILE)))
    expect(faults(page).nth(2)).to_be_visible()
    made = page.locator(".rules_editor, .world .fault").locator("a, img, svg, em, strong, script, b, .katex")
    expect(made).to_have_count(0)
