"""Blocks of every type, in the report, on the terminal and as JSON: the same numbers everywhere."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from playground.analysis import (
    Bar,
    Bars,
    Block,
    Column,
    Curve,
    Graph,
    Heatmap,
    Line,
    Row,
    Selection,
    Sentence,
    Table,
    block_document,
)
from playground.cli.output.blocks import print_blocks
from playground.report import exhibit_of

NAN = float("nan")
VALUES = np.array([[0.25, NAN, -0.5], [0.0, 0.75, 0.125]])

SENTENCE = Sentence(text="Nothing was measured.")
CAUTION = Sentence(text="This misleads.", is_caution=True)
TABLE = Table(
    title="cases",
    caption="Every case.",
    columns=(Column("state", kind="state"), Column("part", kind="part"), Column("lead", "in logits")),
    rows=(
        Row(("0,1", "L0H1", -1.5), as_expected=False, selects=Selection("L0H1", ">p", options=(("x", "y"),))),
        Row(("1,1", "embed", NAN)),
    ),
)
HEATMAP = Heatmap(
    title="effect of each part",
    caption="How far.",
    row_axis="part",
    column_axis="token",
    rows=("L0H0", "L0H1"),
    columns=("A", "B", ">p"),
    values=VALUES,
    unit="effect",
    largest=1.0,
    groups=("L0", "L0"),
    cases=lambda row, column: TABLE,
    selects=lambda row, column: Selection("L0H0", "A"),
)
CURVE = Curve(
    title="kept",
    caption="What is kept.",
    axis="edges",
    places=(1, 10),
    lines=(Line("right", np.array([0.5, 1.0])), Line("0,1", np.array([0.0, 1.0]), is_faint=True)),
)
BARS = Bars(
    title="explained",
    caption="By which formula.",
    axis="share",
    bars=(Bar("L0H0", 0.5, "NOT D", (0.25, 0.75)), Bar("L0H1", -0.75)),
    reference=("chance", 0.125),
    spread_names=("0,1", "1,1"),
)
GRAPH = Graph(
    title="dependencies",
    caption="What depends on what.",
    inputs=("A", "B"),
    outputs=("p",),
    counts=("sum",),
    expected=np.array([[1.0, 0.5, NAN], [1.0, 1.0, 0.0]]),
    found=np.array([[0.0, 0.5, NAN], [1.0, 0.25, 0.75]]),
    titles=("rules", "model"),
)
ALL: tuple[Block, ...] = (SENTENCE, CAUTION, TABLE, HEATMAP, CURVE, BARS, GRAPH)


def printed(*blocks: Block) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_blocks(console, blocks)
    return console.file.getvalue()


@pytest.mark.parametrize("block", ALL, ids=lambda block: type(block).__name__)
def test_a_block_is_strict_json_with_its_type_and_all_its_data(block):
    document = json.loads(json.dumps(block_document(block), allow_nan=False))
    assert document["type"] == type(block).__name__.lower()
    for name, value in document.items():
        if isinstance(value, str) and name != "type":
            assert value == getattr(block, name)


def test_json_has_the_numbers_and_what_a_row_selects():
    assert block_document(HEATMAP)["values"] == [[0.25, None, -0.5], [0.0, 0.75, 0.125]]
    assert not {"cases", "selects"} & set(block_document(HEATMAP))
    first, second = block_document(TABLE)["rows"]
    assert first == {
        "cells": ["0,1", "L0H1", -1.5],
        "as_expected": False,
        "selects": {"part": "L0H1", "token": ">p", "x": "y"},
    }
    assert (second["cells"][2], second["selects"]) == (None, None)
    assert block_document(BARS)["bars"][0] == {
        "name": "L0H0", "value": 0.5, "note": "NOT D", "spread": [0.25, 0.75]
    }  # fmt: skip


def test_the_report_draws_the_same_numbers():
    grid = exhibit_of(HEATMAP)
    assert np.array_equal(np.array(grid.figure.data[0].z, dtype=float), VALUES, equal_nan=True)
    assert (grid.figure.layout.coloraxis.cmin, grid.figure.layout.coloraxis.cmax) == (-1, 1)
    assert grid.title == "effect of each part (part × token)"
    table = exhibit_of(TABLE)
    assert table.texts == (("0,1", "L0H1", "−1.50"), ("1,1", "embed", "–"))
    assert table.numeric == (False, False, True)
    faint, line = exhibit_of(CURVE).figure.data
    assert list(line.y) == [0.5, 1.0]
    assert list(faint.text) == ["0,1"] * 3
    (bars,) = exhibit_of(BARS).figure.data
    assert list(bars.x) == [0.5, -0.75]
    assert "sum" in exhibit_of(GRAPH).svg
    assert [exhibit_of(each).kind for each in (SENTENCE, CAUTION)] == ["sentence", "caution"]


def test_the_terminal_says_what_stands_out():
    text = printed(*ALL)
    assert "Nothing was measured." in text
    assert "But: This misleads." in text
    assert "cases: Every case." in text
    assert "−1.50" in text
    assert (
        "effect of each part: L0H1 at B 0.75, L0H0 at >p −0.50, L0H0 at A 0.25, L0H1 at >p 0.12\n" in text
    ), "the largest first; nothing of what is nought or unknown"
    assert "kept, right: 1 0.50, 10 1.00\n" in text
    assert "explained: L0H1 −0.75, L0H0 0.50 (NOT D) (chance 0.12)\n" in text
    assert "sum depends on A 1.00, B 0.25, p 0.75\n" in text


def test_the_terminal_leaves_out_what_is_folded_and_counts_the_rows_that_it_does_not_print():
    assert not printed(*(replace(block, folded=True) for block in ALL))
    long = replace(TABLE, rows=TABLE.rows * 10)
    assert printed(long).rstrip().endswith("and 8 more rows")


def test_a_heatmap_of_nothing_is_drawn():
    empty = replace(HEATMAP, values=np.full((2, 3), NAN), largest=None)
    assert exhibit_of(empty).figure.layout.coloraxis.cmax == 1
    assert "effect of each part: nothing" in printed(empty)
