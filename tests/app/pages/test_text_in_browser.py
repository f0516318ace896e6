"""Page Free text, and the texts to copy, in a real browser."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.inference import complete, open_model
from tests.app.browser import BOARD, EDITS, LONGEST_WAIT, launch, query_of, settle, violations, visit
from tests.support.program import run_program

ARCHITECTURES = ("gpt2", "rnn", "cnn", "mann")
STATE, PROMPT = "state=0,1,1,1,0", "0,1,1,1,0"
RIGHT = f"{PROMPT}\n1,0,0,0\n3 - 1\n"
"""Of the prompt of the state, all that the rules say."""
LINES = ".completion[data-condition]"
BOX = ".editor textarea"
PAGE_FAULTS = ".free-text > .fault"


def open_text(page: Page, address: str, text: str | None = None, on: str = "", model: str = "gpt2") -> None:
    query = {"name": "default", "model": model, "state": PROMPT} | ({} if text is None else {"text": text})
    visit(page, f"{address}/text?{urlencode(query | ({'on': on} if on else {}))}")
    wait_for_text(page, PROMPT if text is None else text)
    settle(page)


def wait_for_text(page: Page, text: str) -> None:
    """Wait until the lines go on from a text."""
    expect(page.locator(".completion")).to_have_attribute("data-text", text)


def line_of(page: Page, row: str) -> tuple[str, list[float]]:
    """Return the tokens of one line, one after the other, and their probabilities."""
    cells = page.locator(f'{LINES} tr[data-row="{row}"] td')
    tokens = cells.locator(".cell").evaluate_all("all => all.map(e => e.textContent.replace(/[✗⚑≈†]/g, ''))")
    titles = cells.evaluate_all("all => all.map(td => td.title)")
    return " ".join(tokens), [float(title.split("probability ")[1].split(";")[0]) for title in titles]


def visible(model, ids) -> str:
    return " ".join(model.template.visible(token) for token in ids.tolist())


GIVEN = {
    "all of it": (RIGHT, ""),
    "half of it": (f"{PROMPT}\n1,0", "zero:L0"),
    "a wrong half": (f"{PROMPT}\n1,1", "zero:L0;force:newD=!"),
    "half a prompt": ("1,0", ""),
    "nonsense": ("4 - ,\n\n", "zero:L0"),
}


def test_every_model_goes_on_as_the_library_says(page, address, models):
    for text, on in GIVEN.values():
        open_text(page, address, text, on, model="rnn")
        rows = {f"{name} {'edited' if on else 'baseline'}": (name, on) for name in ARCHITECTURES}
        for row, (name, done) in (rows | {"rnn baseline": ("rnn", "")}).items():
            wanted = models[name].complete(text, done)
            tokens, probabilities = line_of(page, row)
            assert tokens == visible(models[name], wanted.tokens[0])
            chances = wanted.logits[0].softmax(-1)[np.arange(21), wanted.tokens[0, 1:]]
            assert np.allclose(probabilities[1:], chances, atol=1e-4)
        given = page.locator(f'{LINES} tr[data-row="rnn baseline"] td.given').count()
        assert given == len(models["rnn"].template.encode(text))


@pytest.mark.journey
def test_the_rules_and_the_rules_under_do(page, address, models):
    open_text(page, address, f"{PROMPT}\n1,1")
    rules = page.locator(f'{LINES} tr[data-row="the rules"] td').all_inner_texts()
    under = page.locator(f'{LINES} tr[data-row="under do"] td').all_inner_texts()
    assert "".join(rules) == "0,1,1,1,0⏎1,0,0,0⏎3-1⏎"
    assert "".join(under) == "0,1,1,1,0⏎1,1,0,1⏎3-3⏎"
    expect(page.locator(f"{LINES} .legend")).to_contain_text("the rules with newB=1 set by hand")
    now = complete(models["gpt2"], f"{PROMPT}\n1,1")
    said = page.locator(f'{LINES} tr[data-row="gpt2 baseline"] td').nth(16).locator(".cell").inner_text()
    token = models["gpt2"].template.visible(now.tokens[16])
    assert said == token + {"1": "≈", "0": "†"}.get(token, "✗")
    open_text(page, address, "1,0")
    assert page.locator(f"{LINES} tr.truth").count() == 0


def test_typing_tokens_and_branches_by_keyboard_alone(page, address, models):
    open_text(page, address, on="zero:L0H1")
    page.locator(".editor").scroll_into_view_if_needed()
    focused = ""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { let e = document.activeElement; while (e && e.shadowRoot) e = e.shadowRoot.activeElement;"
            " return e ? e.tagName : ''; }"
        )
        if focused == "TEXTAREA":
            break
    assert focused == "TEXTAREA"
    page.keyboard.press("End")
    page.keyboard.type("\n1, 1")
    text = f"{PROMPT}\n1,1"
    wait_for_text(page, text)
    settle(page)
    expect(page.locator(BOX)).to_have_value(f"{PROMPT}\n1, 1")
    assert query_of(page)["text"] == text
    for name in (",", "0"):
        page.locator(f'.editor [data-focus="token {name}"]').focus()
        page.keyboard.press("Enter")
        text += name
        wait_for_text(page, text)
    page.locator('.editor [data-focus="back"]').focus()
    page.keyboard.press("Space")
    text = text[:-1]
    wait_for_text(page, text)
    settle(page)
    page.locator(f'{LINES} tr[data-row="gpt2 edited"] .cell[tabindex="0"]').focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator(f"{LINES} .panel h3")).to_contain_text("At newD")
    page.locator(f'{LINES} [data-focus="chance 0 5"]').focus()
    page.keyboard.press("Enter")
    before = models["gpt2"].complete(text).tokens[0, :16].numpy()
    wait_for_text(page, models["gpt2"].template.decode(before) + "5")


def test_what_a_model_or_the_rules_say_is_taken_up_to_a_token(page, address, models):
    open_text(page, address)
    page.locator('.editor [data-focus="right"]').click()
    wait_for_text(page, f"{PROMPT}\n")
    settle(page)
    page.locator('.editor [data-focus="written"]').click()
    now = models["gpt2"].complete(f"{PROMPT}\n").tokens[0].numpy()
    template = models["gpt2"].template
    wait_for_text(page, template.decode(now[:11]))
    settle(page)
    page.locator(f'{LINES} tr[data-row="cnn baseline"] .cell').nth(18).click()
    page.locator(f'{LINES} [data-focus="take 2"]').click()
    written = models["cnn"].complete(template.decode(now[:11])).tokens[0].numpy()
    wait_for_text(page, template.decode(written[:19]))
    settle(page)
    page.locator('.editor [data-focus="prompt"]').click()
    wait_for_text(page, PROMPT)
    settle(page)
    assert "text" not in query_of(page)
    page.locator(f'{LINES} tr[data-row="gpt2 baseline"] .cell').nth(14).click()
    page.locator(f'{LINES} [data-focus="take rules"]').click()
    wait_for_text(page, RIGHT[:15])
    settle(page)
    page.locator(BOX).fill("1,1,0,0,1\n0")
    wait_for_text(page, "1,1,0,0,1\n0")
    settle(page)
    assert query_of(page)["state"] == "1,1,0,0,1", "the state is the one that the text begins with"


def test_bad_text_is_explained_at_the_box_and_nothing_else_is_lost(page, address):
    open_text(page, address, f"{PROMPT}\n1", "zero:L0H1")
    fault = page.locator(".editor .fault")
    for typed, said in [("0,1,x", "'x'"), (RIGHT + "1", "got 23 tokens"), ("", "got 0 tokens"), ("💥", "💥")]:
        page.locator(BOX).fill(typed)
        expect(fault).to_contain_text(said)
        settle(page)
        expect(page.locator(BOX)).to_have_value(typed)
        expect(page.locator(BOX)).to_have_attribute("aria-invalid", "true")
        assert page.locator(LINES).get_attribute("data-text") == f"{PROMPT}\n1"
        assert query_of(page)["on"] == "zero:L0H1"
    assert page.locator(PAGE_FAULTS).count() == 0
    page.locator(BOX).fill("0,1")
    wait_for_text(page, "0,1")
    expect(fault).to_have_text("")
    visit(page, f"{address}/text?name=default&model=gpt2&{STATE}&text=0,1,x&on=zero:L0H1")
    wait_for_text(page, PROMPT)
    expect(page.locator(PAGE_FAULTS).first).to_contain_text("text in the address")
    expect(page.locator(EDITS)).to_contain_text("zero:L0H1")


def test_nothing_overwrites_what_is_typed_and_leaving_the_page_keeps_it(page, address):
    open_text(page, address, f"{PROMPT}\n1")
    box = page.locator(BOX)
    # An answer comes between two keys.
    box.press("End")
    box.press_sequentially(",")
    page.locator('[data-key="input A"]').click()
    expect(box).to_have_value(f"{PROMPT}\n1,")
    wait_for_text(page, f"{PROMPT}\n1,")
    # Typing is not over yet.
    box.press_sequentially("1")
    page.get_by_role("link", name="Probe").click()
    page.wait_for_selector(BOARD)
    assert query_of(page)["text"] == f"{PROMPT}\n1,1"
    page.get_by_role("link", name="Free text").click()
    wait_for_text(page, f"{PROMPT}\n1,1")
    expect(page.locator(BOX)).to_have_value(f"{PROMPT}\n1,1")
    # What models cannot read is not kept.
    page.locator(BOX).press_sequentially("x")
    page.get_by_role("link", name="Probe").click()
    page.wait_for_selector(BOARD)
    assert query_of(page)["text"] == f"{PROMPT}\n1,1"


def test_back_and_forward_are_one_step_each(page, address):
    open_text(page, address)
    page.locator('.editor [data-focus="right"]').click()
    wait_for_text(page, f"{PROMPT}\n")
    page.locator('.editor [data-focus="token 1"]').click()
    wait_for_text(page, f"{PROMPT}\n1")
    for step, text in (("back", f"{PROMPT}\n"), ("back", PROMPT), ("forward", f"{PROMPT}\n")):
        page.go_back() if step == "back" else page.go_forward()
        wait_for_text(page, text)
        expect(page.locator(BOX)).to_have_value(text)


def test_a_force_of_what_stands_in_the_text_is_said_to_do_nothing(page, address):
    open_text(page, address, f"{PROMPT}\n1,1", "force:newB=0")
    expect(page.get_by_text("newB, which stands in the text already")).to_be_visible()
    assert page.locator(f'{LINES} tr[data-row="gpt2 edited"]').count() == 0


def test_the_second_world(page, address, workplace):
    second = open_model(workplace / "models" / "second" / "gpt2", "cpu")
    page.goto(f"{address}/text?name=second&model=gpt2&text=1,0,1%0A0")
    wait_for_text(page, "1,0,1\n0")
    tokens, _ = line_of(page, "gpt2 baseline")
    assert tokens == visible(second, second.complete("1,0,1\n0").tokens[0])


def open_share(page: Page) -> list[str]:
    """Return what can be copied: the link, the script, the command."""
    page.locator('[data-key="share"]').click()
    expect(page.locator(".share pre")).to_have_count(3)
    copied = []
    for name in ("Link", "Python", "Command"):
        page.evaluate("() => navigator.clipboard.writeText('')")
        page.get_by_label(f"Copy {name}").click()
        copied.append(page.wait_for_function("() => navigator.clipboard.readText()").json_value())
    return copied


def test_the_copied_script_and_command_print_the_board(page, address, models, workplace, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    on = "zero:L0.h[3];force:newB=!"
    page.goto(f"{address}/compare?name=default&model=rnn&{STATE}&on={on}")
    page.wait_for_selector(EDITS)
    settle(page)
    _, script, command = open_share(page)
    (tmp_path / "models").mkdir()
    shutil.copytree(workplace / "models" / "default", tmp_path / "models" / "default")
    (tmp_path / "copied.py").write_text(script)
    ran = subprocess.run(
        [sys.executable, "copied.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    board = models["rnn"].board(on)
    assert ran.stdout.startswith(board.to_frame().to_string())
    assert f"right by the rules (all): {board.accuracy.all:.1%}" in ran.stdout
    program, *arguments = shlex.split(command)
    assert program == "the-experiment"
    answered = json.loads(run_program(*arguments, "--json", cwd=tmp_path).stdout)
    assert answered["states"] == json.loads(json.dumps(board.to_json()["states"]))
    assert answered["accuracy_do"] == board.to_json()["accuracy_do"]


def test_a_link_of_a_hundred_interventions_is_complete(page, playwright, executable, address):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    units = [f"zero:L{layer}.h[{unit}]@>newB.." for layer in (0, 1) for unit in range(24)]
    on = ";".join([*units, *(f"flip:L0.weight_ih[{row},0:3]" for row in range(52))])
    open_text(page, address, f"{PROMPT}\n1,1", on, model="rnn")
    link, _, command = open_share(page)
    assert all(each in shlex.split(command) for each in on.split(";"))
    another_browser = launch(playwright, executable)
    other = another_browser.new_page()
    other.set_default_timeout(LONGEST_WAIT)
    other.goto(link)
    wait_for_text(other, f"{PROMPT}\n1,1")
    settle(other)
    assert other.locator(f"{EDITS} .entry").count() == 100
    assert query_of(other)["on"] == on
    # What the app makes of the address is the same address: loading it again would be the same visit.
    assert query_of(other) == {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    another_browser.close()


def test_nothing_that_axe_finds_is_ours(page, address):
    open_text(page, address, f"{PROMPT}\n1,1", "zero:L0H1")
    page.locator(BOX).fill("0,1,x")
    expect(page.locator(".editor .fault")).to_contain_text("'x'")
    assert violations(page, (".editor", ".completion", ".share")) == []
