"""What is shown of exchanges, held against the cases behind it and against what the rules say, counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from playground.analysis.base.presentation import Block, Heatmap, Sentence, Table
from playground.analysis.base.view import View
from playground.analysis.interchange.accuracy import INTERCHANGE
from playground.analysis.interchange.free import FREE, decode_exchange
from playground.analysis.interchange.interchange import Interchange, measure_interchange
from playground.analysis.interchange.patching import ALL, DIFFERENCE, HELD_OUT, PATCHING, SEEN
from playground.analysis.interchange.tokens import TOKENS
from playground.inference import Model, load_model
from tests.analysis.handmade import make_by_hand

X, Y, Z = range(3)
EXPECTED: dict[tuple[str, str], Callable] = {
    ("mid", "input:X"): lambda base, source: source[X] & base[Y],
    ("mid", "input:Y"): lambda base, source: base[X] & source[Y],
    ("mid", "written:mid"): lambda base, source: source[X] & source[Y],
    ("mid", "recomputed:X AND Y"): lambda base, source: source[X] & source[Y],
    ("last", "input:X"): lambda base, source: source[X] & base[Y] | base[Z],
    ("last", "input:Y"): lambda base, source: base[X] & source[Y] | base[Z],
    ("last", "input:Z"): lambda base, source: base[X] & base[Y] | source[Z],
    ("last", "written:mid"): lambda base, source: source[X] & source[Y] | base[Z],
    ("last", "written:last"): lambda base, source: source[X] & source[Y] | source[Z],
    ("last", "recomputed:X AND Y"): lambda base, source: source[X] & source[Y] | base[Z],
    ("last", "recomputed:mid OR Z"): lambda base, source: source[X] & source[Y] | source[Z],
}
"""What an answer becomes by each variable of the world in `handmade.py`, on texts that are all right."""
ANSWERS = {"mid": lambda state: state[X] & state[Y], "last": lambda state: state[X] & state[Y] | state[Z]}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    """Return the model made by hand, with two states said to be held out."""
    found = make_by_hand(tmp_path_factory.mktemp("by_hand") / "cnn")
    other = Model(found.checkpoint)
    other.dataset = replace(found.dataset, held_out=((0, 1, 0), (1, 1, 0)))
    assert other.baseline.held_out.sum() == 2
    return other


@pytest.fixture(scope="module")
def steps(model) -> list[Interchange]:
    return list(measure_interchange(model))


@pytest.fixture(scope="module")
def patched(model) -> Interchange:
    *_, found = PATCHING.measure(model, (), None, None)
    return found


def state_of(cell: object) -> tuple[int, ...]:
    return tuple(map(int, str(cell).split(",")))


def number(text: object) -> float:
    return float(str(text).replace("−", "-"))


def first(blocks) -> Heatmap:
    block = next(iter(blocks))
    assert isinstance(block, Heatmap)
    return block


def check(blocks: list[Block], measured: Interchange) -> None:
    """Check that every number of heatmaps lies where it can lie, and that clicks name what there is."""
    assert blocks
    for block in blocks:
        if isinstance(block, Heatmap):
            known = block.values[np.isfinite(block.values)]
            if block.unit == "share":
                assert ((known >= 0) & (known <= 1)).all()
            assert block.values.shape == (len(block.rows), len(block.columns))
            for place in np.ndindex(block.values.shape):
                assert block.selects is not None
                selected = block.selects(*place)
                assert selected.part in measured.sites
                assert selected.token == block.columns[place[1]]
                if block.row_axis == "part":
                    assert selected.part == block.rows[place[0]]


@pytest.mark.parametrize("answer", ["mid", "last"])
@pytest.mark.parametrize("among", [ALL, SEEN, HELD_OUT, DIFFERENCE])
def test_recovered_effects_are_the_means_of_their_cases(model, patched, answer, among):
    view = View(model, answer=answer, options={"among": among})
    (block,) = PATCHING.present(patched, view)
    assert (block.rows[0], set(block.rows)) == ("embed", set(patched.sites))
    held_out = {(0, 1, 0), (1, 1, 0)}
    states = model.world.states
    pairs = {
        (base, source)
        for base in states
        for source in states
        if sum(one != other for one, other in zip(base, source, strict=True)) == 1
        and ANSWERS[answer](base) != ANSWERS[answer](source)
        and (among in (ALL, DIFFERENCE) or bool({base, source} & held_out) == (among == HELD_OUT))
    }
    moved = 0
    for place in np.ndindex(block.values.shape):
        table = block.cases(*place)
        rows = {(state_of(row.cells[0]), state_of(row.cells[1])): number(row.cells[4]) for row in table.rows}
        assert set(rows) == pairs
        assert list(rows.values()) == sorted(rows.values(), reverse=True)
        unseen = [bool({*pair} & held_out) for pair in rows]
        assert f"in {sum(unseen)} of them" in table.caption
        effects = np.array(list(rows.values()))
        mean = effects.mean()
        if among == DIFFERENCE:
            mean = effects[unseen].mean() - effects[~np.array(unseen)].mean()
        assert block.values[place] == pytest.approx(mean, abs=0.011)
        moved += abs(mean) > 0.5
        for row in table.rows:
            base, source = (ANSWERS[answer](state_of(cell)) for cell in row.cells[:2])
            assert row.cells[2] == f"{base} → {source}"
    assert moved or among == DIFFERENCE
    check([block], patched)


def test_pairs_can_be_chosen_where_states_were_held_out(model, patched, all_seen):
    (option,) = PATCHING.options(View(model))
    assert [value for value, _ in option.choices] == [ALL, SEEN, HELD_OUT, DIFFERENCE]
    assert PATCHING.options(View(all_seen)) == ()
    unknown = first(PATCHING.present(patched, View(model, answer="last", options={"among": "?"})))
    assert unknown.title == first(PATCHING.present(patched, View(model, answer="last"))).title
    every = list(PATCHING.present(patched, View(model)))
    assert [(block.title, block.folded) for block in every] == [
        ("recovered effect on mid", True),
        ("recovered effect on mid, held out", True),
        ("recovered effect on last", False),
        ("recovered effect on last, held out", True),
    ]
    check(every, patched)


@pytest.mark.parametrize(("answer", "variable"), EXPECTED)
def test_accuracies_are_the_shares_of_their_cases(model, steps, answer, variable):
    measured, expected = steps[-1], EXPECTED[answer, variable]
    view = View(model, answer=answer, options={"variable": variable})
    blocks = list(INTERCHANGE.present(measured, view))
    block, table, summary = blocks
    assert [each.folded for each in blocks] == [False, True, True]
    states = model.world.states
    pairs = {
        (base, source): expected(base, source)
        for base in states
        for source in states
        if base != source and expected(base, source) != ANSWERS[answer](base)
    }
    assert f"{len(pairs)} pairs" in block.caption
    assert "it is so in 0 of them" in block.caption
    for row, column in np.ndindex(block.values.shape):
        cases = block.cases(row, column)
        said = {(state_of(each.cells[0]), state_of(each.cells[1])): each for each in cases.rows}
        assert {pair: int(each.cells[2]) for pair, each in said.items()} == pairs
        right = [each.as_expected for each in cases.rows]
        assert right == sorted(right), "what is not as expected comes first"
        assert right == [each.cells[2] == each.cells[3] for each in cases.rows]
        assert block.values[row, column] == pytest.approx(np.mean(right))
        assert block.selects(row, column).options == (("variable", variable),)
    (framed,) = block.framed
    assert block.values[framed] == block.values.max()
    name = variable.partition(":")[2]
    chosen = [each for each in table.rows if each.selects.options == (("variable", variable),)]
    ((label, part, token, right, of, accuracy, unpatched),) = [each.cells for each in chosen]
    assert str(label).startswith(name)
    assert (part, token) == (block.rows[framed[0]], block.columns[framed[1]])
    assert (of, unpatched) == (len(pairs), 0)
    assert accuracy == pytest.approx(block.values.max()) == pytest.approx(right / of)
    row = [each.options for each in (summary.selects(row, 0) for row in range(len(summary.rows)))].index(
        (("variable", variable),)
    )
    assert summary.values[row] == pytest.approx(block.values.max(0))
    for column in range(len(summary.columns)):
        cases = summary.cases(row, column)
        assert np.mean([each.as_expected for each in cases.rows]) == pytest.approx(
            summary.values[row, column]
        )
        assert summary.notes[row][column] in cases.title
    check(blocks, measured)


def test_every_variable_can_be_chosen_the_one_that_is_read_first(model, steps):
    for answer, read in (("mid", "written:mid"), ("last", "written:mid")):
        (option,) = INTERCHANGE.options(View(model, answer=answer))
        values = [value for value, _ in option.choices]
        assert set(values) == {variable for name, variable in EXPECTED if name == answer}
        if answer == "last":
            assert values[0] == read
        unsaid, said, unknown = (
            first(INTERCHANGE.present(steps[-1], View(model, answer=answer, options=options)))
            for options in ({}, {"variable": values[0]}, {"variable": "written:nothing"})
        )
        assert unsaid.title == said.title == unknown.title
    assert INTERCHANGE.options(View(model)) == ()


def test_without_an_answer_every_variable_is_shown(model, steps):
    blocks = list(INTERCHANGE.present(steps[-1], View(model)))
    check(blocks, steps[-1])
    open_ones = [block.title for block in blocks if not block.folded]
    assert open_ones == ["where last's variables are found best", "last: the best part at each token"]
    by_variable = [block.title for block in blocks if isinstance(block, Heatmap) and block.row_axis == "part"]
    assert len(by_variable) == sum(answer == "last" for answer, _ in EXPECTED)
    table = blocks[[block.title for block in blocks].index(open_ones[0])]
    accuracies = [row.cells[5] for row in table.rows]
    assert accuracies == sorted(accuracies, reverse=True)


def test_what_has_not_been_measured_is_not_shown_as_a_number(model, steps):
    measured = steps[1]
    assert 0 < measured.progress[0] < measured.progress[1]
    site_of = {site: index for index, site in enumerate(measured.sites)}
    for answer in (None, "last"):
        for method in (PATCHING, INTERCHANGE):
            blocks = list(method.present(measured, View(model, answer=answer)))
            check(blocks, measured)
            for block in blocks:
                if isinstance(block, Table):
                    places = [(row.selects.part, row.selects.token) for row in block.rows]
                    assert all(
                        measured.done[site_of[part], measured.tokens.index(token)] for part, token in places
                    )
                elif block.row_axis == "part":
                    done = measured.done[[site_of[part] for part in block.rows]]
                    assert (np.isfinite(block.values) == done).all()
                    for place in np.ndindex(done.shape):
                        assert (block.cases(*place) is not None) == done[place]
                else:
                    done = measured.done.any(0)
                    assert (np.isfinite(block.values) == done).all()
                    assert all(
                        (block.cases(0, column) is not None) == done[column] for column in range(len(done))
                    )
    nothing = replace(measured, done=np.zeros_like(measured.done))
    (block,) = INTERCHANGE.present(nothing, View(model, answer="last"))
    assert np.isnan(block.values).all()
    assert block.framed == ()


def test_exchanged_tokens_of_a_model_of_which_it_is_known(model):
    *_, measured = TOKENS.measure(model, (), None, None)
    overview, details = TOKENS.present(measured, View(model, answer="last"))
    check([overview, details], measured)
    assert overview.rows == ("mid", "last")
    assert overview.columns == ("X", "Y", "Z", "mid")
    # It computes the one from the inputs, and reads the other from what stands written.
    expected = [[1, 1, np.nan, np.nan], [0, 0, 1, 1]]
    np.testing.assert_array_equal(overview.values, expected)
    assert overview.marked == (1,)
    assert overview.cases(0, 2) is None
    cases = overview.cases(1, 0)
    rule = EXPECTED["last", "input:X"]
    for row in cases.rows:
        base, source = map(state_of, row.cells[:2])
        assert row.cells[2:] == (str(rule(base, source)), str(ANSWERS["last"](base)))
    assert details.folded
    assert details.rows == ("X (input)", "Y (input)", "Z (input)", "mid (as written)", "last (as written)")
    for row, column in np.ndindex(details.values.shape):
        right = [each.as_expected for each in details.cases(row, column).rows]
        assert details.notes[row][column] == f"{sum(right)} of {len(right)} pairs"
        assert details.values[row, column] == pytest.approx(np.mean(right))
    half = replace(measured, done=np.array([[False, True, True, False]]))
    overview, details = TOKENS.present(half, View(model, answer="last"))
    np.testing.assert_array_equal(overview.values, [[np.nan, 1, np.nan, np.nan], [np.nan, 0, 1, np.nan]])
    assert (np.isfinite(details.values) == half.done).all()
    assert details.cases(0, 0) is overview.cases(1, 3) is None
    every = list(TOKENS.present(measured, View(model)))
    assert [block.folded for block in every] == [False, True, False]


def test_decoded_freely_it_follows_what_the_world_says(model, steps):
    *_, found = FREE.measure(model, (), None, None)
    assert found.done.all()
    folded, table = FREE.present(found, View(model))
    assert (folded.folded, table.folded) == (True, False)
    (alone,) = FREE.present(found, View(model, answer="last"))
    assert alone.rows == table.rows
    assert {row.selects.options[0][1] for row in table.rows} == {
        variable for answer, variable in EXPECTED if answer == "last"
    }
    measured, at = steps[-1], model.template.positions["last"]
    for row in table.rows:
        part, token, _, _, free = row.cells
        assert (row.selects.part, row.selects.token, row.selects.answer) == (part, token, "last")
        rule = EXPECTED["last", row.selects.options[0][1]]
        texts = decode_exchange(model, measured, str(part), str(token))
        pairs = [tuple(model.world.states[index] for index in pair) for pair in measured.pairs.tolist()]
        counted = [
            int(model.template.vocabulary[text[at]]) == rule(*pair)
            for text, pair in zip(texts.tolist(), pairs, strict=True)
            if rule(*pair) != ANSWERS["last"](pair[0])
        ]
        assert free == f"{sum(counted)} of {len(counted)}"
    waiting = replace(found, done=np.zeros_like(found.done))
    assert {row.cells[4] for block in FREE.present(waiting, View(model)) for row in block.rows} == {None}
    (sentence,) = FREE.present(next(FREE.run(model, (), None)).result, View(model))
    assert isinstance(sentence, Sentence)
    none = replace(found, answers=("mid",) * len(found.answers))
    (sentence,) = FREE.present(none, View(model, answer="last"))
    assert "last" in sentence.text


def test_what_no_pair_of_states_tells_is_said(model, steps):
    """Nothing is known of a variable where no bit stands written."""
    measured = replace(steps[-1], outputs=np.full_like(steps[-1].outputs, -1))
    blocks = list(
        INTERCHANGE.present(measured, View(model, answer="last", options={"variable": "written:mid"}))
    )
    assert isinstance(blocks[0], Sentence)
    assert "mid as written" in blocks[0].text
    named = [row.selects.options for row in blocks[1].rows]
    assert (("variable", "written:mid"),) not in named
    assert (("variable", "input:X"),) in named


@pytest.mark.parametrize(
    ("architecture", "groups"), [("gpt2", ["", "L0", "L1", "L2", "L3"]), ("mann", ["", "L0", ""])]
)
def test_parts_stand_layer_by_layer(architecture, groups):
    model = load_model("shipped", architecture)
    found = next(measure_interchange(model, neighbours_only=True))
    block = first(PATCHING.present(found, View(model, answer=model.world.answers[-1])))
    assert sorted(block.rows) == sorted(found.sites)
    assert [group for group, _ in groupby(block.groups or ())] == groups
    if architecture == "gpt2":
        assert block.rows[:6] == ("embed", "L0H0", "L0H1", "L0H2", "L0H3", "L0.attn")
