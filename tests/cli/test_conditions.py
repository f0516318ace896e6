"""Named conditions: their file, and the commands that keep, share and compare them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from playground.errors import RequestError
from playground.inference import open_model
from playground.interventions import (
    MOST_CONDITIONS,
    NamedCondition,
    delete_condition,
    export_conditions,
    import_conditions,
    load_conditions,
    rename_condition,
    save_condition,
)

SILENT = NamedCondition("silent head", ("zero:L1H2@>newB..",), "who takes over?")
FLIPPED = NamedCondition("Vorzeichen ±", ("flip:W_E[0,:]", "force:newB=!"))

SLOW_SAVE = """
import fcntl, pathlib, sys, time
lock, path, content = sys.argv[1:]
with open(lock, "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("begun", flush=True)
    time.sleep(1)
    pathlib.Path(path).write_text(content)
"""
"""A process that reads the file when there is none, and writes it a second later."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "conditions.json"


def test_what_is_saved_is_read_back_in_its_order(path):
    assert load_conditions(path) == {}
    save_condition(SILENT, path)
    save_condition(FLIPPED, path)
    assert list(load_conditions(path).values()) == [SILENT, FLIPPED]
    assert json.loads(path.read_text()) == {
        "version": 1,
        "conditions": {
            "silent head": {"interventions": ["zero:L1H2@>newB.."], "note": "who takes over?"},
            "Vorzeichen ±": {"interventions": ["flip:W_E[0,:]", "force:newB=!"], "note": ""},
        },
    }
    assert [str(each) for each in load_conditions(path)["Vorzeichen ±"].values] == list(FLIPPED.interventions)


def test_a_condition_is_replaced_only_if_that_is_said(path):
    other = NamedCondition(SILENT.name, ("zero:L0",))
    save_condition(SILENT, path)
    save_condition(SILENT, path)
    with pytest.raises(RequestError, match="'silent head'"):
        save_condition(other, path)
    assert load_conditions(path)[SILENT.name] == SILENT
    save_condition(other, path, replace_old=True)
    assert list(load_conditions(path).values()) == [other]


def test_renamed_and_deleted(path):
    save_condition(SILENT, path)
    save_condition(FLIPPED, path)
    rename_condition(SILENT.name, "quiet", path)
    assert list(load_conditions(path)) == ["quiet", FLIPPED.name]
    with pytest.raises(RequestError, match="Vorzeichen"):
        rename_condition("quiet", FLIPPED.name, path)
    delete_condition("quiet", path)
    for change in (lambda: delete_condition("quiet", path), lambda: rename_condition("quiet", "x", path)):
        with pytest.raises(RequestError, match="Vorzeichen ±"):
            change()
    assert list(load_conditions(path)) == [FLIPPED.name]


@pytest.mark.parametrize(
    "name", ["", " ", " x", "x\n", "a\tb", "\x00", "x" * 61, "hidden\u200b", "right\u202eleft", "half\ud800"]
)
def test_names_can_be_read(name):
    with pytest.raises(RequestError, match="1 to 60 visible characters"):
        NamedCondition(name, ("zero:L0",))


def test_what_looks_the_same_is_the_same_name(path):
    save_condition(NamedCondition("caf\u00e9", ("zero:L0",)), path)
    with pytest.raises(RequestError):
        save_condition(NamedCondition("cafe\u0301", ("zero:L1",)), path)
    delete_condition("cafe\u0301", path)
    assert load_conditions(path) == {}


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(RequestError) as error:
        NamedCondition("", ("burn:L0", "zero:", "zero:L1"), "x" * 501)
    assert len(error.value.faults) == 4
    with pytest.raises(RequestError, match="at least one intervention"):
        NamedCondition("nothing", ())


GOOD = '{"version": 1, "conditions": {"a": {"interventions": ["zero:L0"]}}}'
DAMAGED = {
    "half": GOOD[:40],
    "no text": b"\xff\xfe\x00",
    "a list": "[]",
    "empty": "",
    "another version": GOOD.replace("1,", "2,"),
    "something beside": GOOD[:-1] + ', "more": 1}',
    "no conditions": '{"version": 1}',
    "another form": '{"version": 1, "conditions": {"a": ["zero:L0"]}}',
    "an unknown key": GOOD.replace('"zero:L0"]', '"zero:L0"], "colour": "red"'),
    "a number": GOOD.replace('"zero:L0"', "3"),
    "a note that is none": GOOD.replace('"zero:L0"]', '"zero:L0"], "note": 3'),
    "a name twice": '{"version": 1, "conditions": {"a": {"interventions": ["zero:L0"]}, "a": {"interventions": ["zero:L1"]}}}',
    "no intervention": GOOD.replace("zero", "burn"),
    "no name": GOOD.replace('"a"', '"\\u0000"'),
    "deep": "[" * 100_000,
    "a version that is none": GOOD.replace("1,", "true,"),
    "a number of 6,000 digits": GOOD.replace("1,", "1" * 6_000 + ","),
    "too many": json.dumps(
        {
            "version": 1,
            "conditions": {f"n{i}": {"interventions": ["zero:L0"]} for i in range(MOST_CONDITIONS + 1)},
        }
    ),
}


@pytest.mark.parametrize("case", list(DAMAGED))
def test_a_damaged_file_is_named_and_loses_nothing(path, case):
    content = DAMAGED[case]
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(content)
    for act in (
        lambda: load_conditions(path),
        lambda: save_condition(SILENT, path, replace_old=True),
        lambda: delete_condition("a", path),
        lambda: import_conditions(export_conditions([SILENT]), path),
    ):
        with pytest.raises(RequestError) as error:
            act()
        assert len(error.value.faults) == 1
        assert error.value.faults[0].where.startswith(str(path))
        assert error.value.faults[0].where.isprintable()
        assert "recursion" not in str(error.value)
        assert "sys." not in str(error.value)
    assert path.read_bytes() == content
    good = path.with_name("good.json")
    save_condition(SILENT, good)
    with pytest.raises(RequestError, match="uploaded"):
        import_conditions(content, good, where="uploaded.json")
    assert list(load_conditions(good)) == [SILENT.name]


def test_an_import_brings_all_or_nothing(path):
    save_condition(SILENT, path)
    text = export_conditions([NamedCondition("new", ("zero:L0",)), NamedCondition(SILENT.name, ("zero:L3",))])
    with pytest.raises(RequestError, match="got 'silent head'"):
        import_conditions(text, path)
    assert list(load_conditions(path)) == [SILENT.name]
    assert import_conditions(text.encode(), path, replace_old=True) == ("new", SILENT.name)
    assert import_conditions(text, path) == ("new", SILENT.name)
    assert load_conditions(path)[SILENT.name].interventions == ("zero:L3",)


def test_there_is_an_end_to_it(path):
    many = [NamedCondition(f"number {number}", ("zero:L0",)) for number in range(MOST_CONDITIONS)]
    import_conditions(export_conditions(many), path)
    with pytest.raises(RequestError, match="at most 200"):
        save_condition(SILENT, path)
    assert len(load_conditions(path)) == MOST_CONDITIONS


def test_tabs_that_save_at_once_lose_nothing(path):
    def save(number: int) -> None:
        save_condition(NamedCondition(f"number {number}", ("zero:L0",)), path)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(load_conditions(path)) == sorted(f"number {number}" for number in range(12))


def test_a_save_waits_for_another_process(path):
    lock, other = path.with_name(f".{path.name}.lock"), export_conditions([FLIPPED])
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_SAVE, str(lock), str(path), other], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        save_condition(SILENT, path)
    assert list(load_conditions(path).values()) == [FLIPPED, SILENT]


def test_a_folder_that_cannot_be_written_to_is_explained(path):
    path.with_name(f".{path.name}.lock").mkdir()
    with pytest.raises(RequestError, match="a folder stands where a file is needed"):
        save_condition(SILENT, path)
    assert not path.exists()


def test_whoever_comes_by_a_link_changes_the_same_file_and_waits_for_the_same_lock(path, tmp_path):
    link = tmp_path / "elsewhere" / "link.json"
    link.parent.mkdir()
    link.symlink_to(path)
    save_condition(FLIPPED, path)
    path.chmod(0o600)
    lock, other = path.with_name(f".{path.name}.lock"), export_conditions([FLIPPED])
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_SAVE, str(lock), str(path), other], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        save_condition(SILENT, link)
    assert link.is_symlink()
    assert list(load_conditions(path).values()) == [FLIPPED, SILENT]


def test_kept_shared_and_deleted_by_command(invoke, tmp_path):
    invoke("conditions", "save", "one", "--on", "zero:L1H2", "--on", "mean:L0.mlp@newB", "--note", "a note")
    invoke("conditions", "save", "two", "--on", "zero:memory[3]")
    listed = json.loads(invoke("conditions", "list", "--json"))
    assert listed[0] == {"name": "one", "interventions": ["zero:L1H2", "mean:L0.mlp@newB"], "note": "a note"}
    assert invoke("conditions", "list").splitlines()[1] == "two: zero:memory[3]"
    assert invoke("conditions", "show", "one") == "a note\nzero:L1H2\nmean:L0.mlp@newB\n"
    with pytest.raises(RequestError, match="'one'"):
        invoke("conditions", "save", "one", "--on", "zero:L0")
    (tmp_path / "shared.json").write_text(invoke("conditions", "export", "two"))
    for name in ("one", "two"):
        invoke("conditions", "delete", name)
    assert json.loads(invoke("conditions", "list", "--json")) == []
    invoke("conditions", "import", str(tmp_path / "shared.json"))
    invoke("conditions", "rename", "two", "deux")
    assert [each["name"] for each in json.loads(invoke("conditions", "list", "--json"))] == ["deux"]
    for wrong in (("show", "three"), ("import", "not.json"), ("compare", "three")):
        with pytest.raises(RequestError):
            invoke("conditions", *wrong)


def test_a_condition_comes_before_what_is_asked_beside_it(invoke):
    invoke("conditions", "save", "first", "--on", "zero:L1H2")
    arguments = ("--on", "scale:L1H2~2", "--condition", "first", "--json")
    assert json.loads(invoke("board", *arguments))["interventions"] == ["zero:L1H2", "scale:L1H2~2"]
    assert json.loads(invoke("test", "1,0,1,0,1", *arguments))["interventions"] == [
        "zero:L1H2",
        "scale:L1H2~2",
    ]
    with pytest.raises(RequestError, match="'second'"):
        invoke("board", "--condition", "second")


def test_conditions_side_by_side(invoke, workplace):
    invoke("conditions", "save", "silent", "--on", "zero:L1H2")
    invoke("conditions", "save", "in part", "--on", "force:newB=!", "--on", "zero:memory")
    invoke("conditions", "save", "elsewhere", "--on", "zero:memory")
    document = json.loads(invoke("conditions", "compare", "--json"))
    rows = {row["name"]: row for row in document["conditions"]}
    assert list(rows) == [None, "silent", "in part", "elsewhere"]
    model = open_model(workplace / "models" / "default" / "gpt2", "cpu")
    for name, text in ((None, ""), ("silent", "zero:L1H2"), ("in part", "force:newB=!")):
        board = model.board(text).to_json()
        assert rows[name]["accuracy"] == board["accuracy"]
        assert rows[name].get("accuracy_do") == board.get("accuracy_do")
        assert rows[name]["accuracy_as_written"] == board["accuracy_as_written"]
    assert rows["in part"]["not_applied"] == ["zero:memory"]
    assert (rows["elsewhere"]["accuracy"], rows["elsewhere"]["not_applied"]) == (None, ["zero:memory"])
    words = invoke("conditions", "compare", "silent", "elsewhere")
    *rows, below, never = words.splitlines()[2:]
    by_rules = [line for line in rows if ", as written" not in line]
    assert [line.split()[0] for line in by_rules] == ["unedited", "silent", "elsewhere"]
    assert "does not fit" in by_rules[-1]
    assert never == " ".join(model.baseline.never_seen)
    assert document["never_seen"] == [never]
    assert below.strip() == f"whole answers of held-out states, {model.baseline.guesses.words()}"
    forced = invoke("conditions", "compare", "in part")
    assert "in part, in part, with newB set" in forced
