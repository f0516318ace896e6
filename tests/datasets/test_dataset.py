"""Datasets: byte identity, hold-outs, damaged files."""

from __future__ import annotations

import hashlib
import json
import random

import pytest

from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    Sizes,
    generate,
    load_dataset,
    parse_hold_out,
    random_hold_out,
)
from playground.errors import RequestError
from playground.worlds import state_text

TRAIN_SHA256 = "97732227d0b16657bca327289c4494d0c67ccf4e910de7a42408c2b48b33b447"


def test_files_are_the_original_byte_for_byte(default_world, tmp_path):
    held_out = parse_hold_out("1,0,1,0,1", default_world)
    generate(DatasetSpec(world=default_world, held_out=held_out), tmp_path / "d")
    content = (tmp_path / "d" / "train.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest() == TRAIN_SHA256
    assert (tmp_path / "d" / "heldout.jsonl").read_text() == (
        '{"prompt": "1,0,1,0,1", "completion": "\\n0,1,0,1\\n3 - 2\\n"}\n'
    )


def test_all_splits_come_from_one_stream(spec, tmp_path):
    sizes = Sizes(train=300, valid=40, test=20)
    generate(DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=sizes), tmp_path / "d")
    generator, expected = random.Random(42), []
    while len(expected) < 360:
        state = tuple(generator.randint(0, 1) for _ in spec.world.inputs)
        if state not in spec.held_out:
            expected.append(state_text(state))
    lines = [
        json.loads(line)
        for split in ("train", "valid", "test")
        for line in (tmp_path / "d" / f"{split}.jsonl").read_text().splitlines()
    ]
    assert [line["prompt"] for line in lines] == expected
    for line in lines:
        state = spec.world.parse_state(line["prompt"])
        assert line["completion"] == spec.template.completion(state)
    held_out = [json.loads(line) for line in (tmp_path / "d" / "heldout.jsonl").read_text().splitlines()]
    assert [line["prompt"] for line in held_out] == [state_text(state) for state in spec.held_out]


def test_a_dataset_is_read_as_it_was_written(spec, tmp_path):
    small = DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=Sizes(train=50, valid=5, test=5))
    generate(small, tmp_path / "d")
    dataset = load_dataset(tmp_path / "d")
    assert dataset.spec == small
    texts = [json.loads(line) for line in (tmp_path / "d" / "train.jsonl").read_text().splitlines()]
    assert [spec.template.decode(row) for row in dataset.train] == [
        t["prompt"] + t["completion"] for t in texts
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,0", "got '1,0', which has 2"),
        ("1,0,1,0,1;x", "'x'"),
        ("", "got nothing"),
        (" ; ;", "got nothing"),
        ("1, 0,1,0,1", "white space"),
    ],
)
def test_hold_outs_that_are_wrong(default_world, text, said):
    with pytest.raises(RequestError, match=said):
        parse_hold_out(text, default_world)


def test_not_all_states_can_be_held_out(world):
    everything = ";".join(state_text(state) for state in world.states)
    with pytest.raises(RequestError, match="leave states to train on"):
        parse_hold_out(everything, world)
    with pytest.raises(RequestError, match="leave states to train on"):
        random_hold_out(world, len(world.states), 0)
    with pytest.raises(RequestError, match="leave states to train on"):
        random_hold_out(world, -1, 0)


def test_hold_outs(default_world):
    assert len(parse_hold_out(SHIPPED_HOLD_OUT, default_world)) == 6
    assert parse_hold_out("1,0,1,0,1;1,0,1,0,1", default_world) == ((1, 0, 1, 0, 1),)
    drawn = random_hold_out(default_world, 5, 7)
    assert len(set(drawn)) == 5
    assert drawn == random_hold_out(default_world, 5, 7) != random_hold_out(default_world, 5, 8)


@pytest.mark.parametrize(
    "text",
    ["1,0,1,0,1; 0,0,0,0,0", "1,0,1,0,1;0,0,0,0,0;", " 1,0,1,0,1 ;\n0,0,0,0,0 ; ", ";1,0,1,0,1;;0,0,0,0,0"],
)
def test_spaces_around_states_and_a_last_semicolon_say_nothing(default_world, text):
    assert parse_hold_out(text, default_world) == ((1, 0, 1, 0, 1), (0, 0, 0, 0, 0))
    assert len(parse_hold_out("1,*,0,*,*; 0,0,0,0,0;", default_world)) == 9


def damage_line(text):
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("file", "damage", "said"),
    [
        ("train.jsonl", None, "train.jsonl: this dataset is not complete"),
        ("train.jsonl", lambda t: t[: t.rindex("\n", 0, -1) + 1], "expected 50 lines, got 49"),
        ("train.jsonl", lambda t: t[:-9], "train.jsonl, line 50"),
        ("valid.jsonl", lambda t: t.replace("0", "7"), "valid.jsonl, line 1"),
        ("valid.jsonl", lambda t: "[]\n" + t, "valid.jsonl, line 1"),
        ("valid.jsonl", lambda t: t.replace("\n", "\u2028\n", 1), "valid.jsonl, line 1"),
        ("valid.jsonl", lambda t: "[" * 100_000 + "\n" + t, "valid.jsonl, line 1"),
        ("train.jsonl", lambda t: t + '{"prompt": 1e400}\n', "train.jsonl, line 51"),
        ("train.jsonl", lambda t: t + "9" * 5_000 + "\n", "train.jsonl, line 51"),
        ("train.jsonl", lambda t: t.replace("\n", "\n\n", 1), "train.jsonl, line 2"),
        ("train.jsonl", lambda t: t.replace("prompt", "\ufeffprompt", 1), "train.jsonl, line 1"),
        ("heldout.jsonl", None, "heldout.jsonl"),
        ("heldout.jsonl", lambda t: "", "expected 2 lines, got 0"),
        ("dataset.json", None, "dataset.json"),
        ("dataset.json", lambda t: t[:-20], "expected JSON, got"),
        ("dataset.json", lambda t: "[]", "JSON object"),
        ("dataset.json", lambda t: t.replace("world", "word"), "world: expected a value, got nothing"),
    ],
)
def test_damaged_datasets_are_explained(spec, tmp_path, file, damage, said):
    small = DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=Sizes(train=50, valid=5, test=5))
    generate(small, tmp_path / "d")
    path = tmp_path / "d" / file
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage(path.read_text()))
    with pytest.raises(RequestError, match=said):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize(
    "written",
    [
        lambda lines: "\ufeff" + "".join(lines),
        lambda lines: "".join(lines).replace("\n", "\r\n"),
        lambda lines: "".join(lines).removesuffix("\n"),
        # What some take for the end of a line is text within JSON.
        lambda lines: "".join(f'{line[:-2]}, "note": "a\u2028b\u2029c\x85d\x7f"}}\n' for line in lines),
    ],
    ids=["mark", "windows", "no last line feed", "separators"],
)
def test_samples_are_read_however_their_lines_are_written(spec, tmp_path, written):
    small = DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=Sizes(train=50, valid=5, test=5))
    generate(small, tmp_path / "d")
    before = load_dataset(tmp_path / "d")
    for name in ("train", "valid", "test", "heldout"):
        path = tmp_path / "d" / f"{name}.jsonl"
        content = written(path.read_bytes().decode().splitlines(keepends=True))
        path.write_bytes(content.encode())
    after = load_dataset(tmp_path / "d")
    assert (after.train == before.train).all()
    assert (after.valid == before.valid).all()


@pytest.mark.parametrize("state", [0, 1])
def test_a_held_out_state_or_a_wrong_answer_among_the_samples_is_found(spec, tmp_path, state):
    small = DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=Sizes(train=50, valid=5, test=5))
    generate(small, tmp_path / "d")
    template, held_out = spec.template, spec.held_out[state]
    path = tmp_path / "d" / "train.jsonl"
    lines = path.read_text().splitlines()
    line = {"prompt": template.prompt(held_out), "completion": template.completion(held_out)}
    path.write_text("\n".join([*lines[:-1], json.dumps(line)]) + "\n")
    with pytest.raises(RequestError, match=r"line 50.*no state that is held out"):
        load_dataset(tmp_path / "d")
    wrong = json.loads(lines[0]) | {"completion": template.completion(held_out)[::-1]}
    path.write_text("\n".join([json.dumps(wrong), *lines[1:]]) + "\n")
    with pytest.raises(RequestError, match=r"line 1: .*the completion"):
        load_dataset(tmp_path / "d")


def test_an_interrupted_generate_leaves_what_was_there(spec, tmp_path, monkeypatch):
    small = DatasetSpec(world=spec.world, sizes=Sizes(train=50, valid=5, test=5))
    generate(small, tmp_path / "d")
    before = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("playground.datasets.dataset.write_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate(small, tmp_path / "d")
    assert {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["d"]
