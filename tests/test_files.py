"""Files that are never half-written, whenever one is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.files import successor, write_text


def fill(folder: Path, text: str) -> None:
    with successor(folder) as building:
        (building / "file").write_text(text)


def test_a_successor_takes_the_place_and_the_old_one_is_kept(tmp_path):
    for text in ("first", "second", "third"):
        fill(tmp_path / "run", text)
    assert (tmp_path / "run" / "file").read_text() == "third"
    assert (tmp_path / "run.previous" / "file").read_text() == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.previous"]


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_between_the_moves_leaves_the_old_one(tmp_path, monkeypatch, call, error):
    fill(tmp_path / "run", "old")
    replace, calls = Path.replace, []

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == call:
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(error):
        fill(tmp_path / "run", "new")
    assert (tmp_path / "run" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_somebody_elses_folder_in_between_is_replaced_too(tmp_path, monkeypatch):
    replace, calls = Path.replace, []

    def other_was_quicker(self, target):
        if not calls:
            calls.append(self)
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / "file").write_text("the other's")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", other_was_quicker)
    fill(tmp_path / "run", "mine")
    assert (tmp_path / "run" / "file").read_text() == "mine"
    assert (tmp_path / "run.previous" / "file").read_text() == "the other's"


def test_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_text(tmp_path / "file", "old")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
