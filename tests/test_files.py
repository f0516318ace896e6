"""Files that are never half-written, whenever one is interrupted."""

from __future__ import annotations

import errno
import multiprocessing
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from playground.files import previous, successor, write_text
from playground.places import fault_of, is_refusal
from tests.support.permissions import binding, is_root


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


OLD, NEW = "old", "new"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077, 0o000])
def test_a_new_file_has_the_mode_that_every_program_would_give_it(tmp_path, mask):
    with umask(mask):
        write_text(tmp_path / "ours", NEW)
        (tmp_path / "any").write_text(NEW)
        fill(tmp_path / "folder", NEW)
        (tmp_path / "any folder").mkdir()
        for _ in range(2):  # Also that of one that is there.
            fill(tmp_path / "folder", NEW)
    assert mode_of(tmp_path / "ours") == mode_of(tmp_path / "any") == 0o666 & ~mask
    assert mode_of(tmp_path / "folder") == mode_of(tmp_path / "any folder")
    assert mode_of(tmp_path / "folder" / "file") == mode_of(tmp_path / "any")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755, 0o666])
def test_a_file_that_is_written_again_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "file"
    path.write_text(OLD)
    path.chmod(mode)
    write_text(path, NEW)
    assert (path.read_text(), mode_of(path)) == (NEW, mode)


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o777])
def test_a_folder_that_is_written_again_keeps_its_mode_and_those_of_its_files(tmp_path, mode):
    fill(tmp_path / "run", OLD)
    (tmp_path / "run").chmod(mode)
    (tmp_path / "run" / "file").chmod(0o600)
    with successor(tmp_path / "run") as building:
        (building / "file").write_text(NEW)
        (building / "another").write_text(NEW)
        (building / "another").chmod(0o600)  # As libraries leave what they write.
    assert mode_of(tmp_path / "run") == mode
    assert mode_of(tmp_path / "run" / "file") == 0o600
    assert mode_of(tmp_path / "run" / "another") == 0o666 & ~current_umask()
    assert (tmp_path / "run.previous" / "file").read_text() == OLD


def current_umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


def test_the_owner_stays(tmp_path):
    # Only root gives files to others; anybody else to the groups that they are in.
    owner = (1234, 4321) if is_root() else (os.getuid(), os.getgroups()[-1])
    (tmp_path / "file").write_text(OLD)
    fill(tmp_path / "run", OLD)
    for path in (tmp_path / "file", tmp_path / "run", tmp_path / "run" / "file"):
        os.chown(path, *owner)
    (tmp_path / "file").chmod(0o640)
    write_text(tmp_path / "file", NEW)
    fill(tmp_path / "run", NEW)
    for path in (tmp_path / "file", tmp_path / "run", tmp_path / "run" / "file"):
        assert (path.stat().st_uid, path.stat().st_gid) == owner
    assert mode_of(tmp_path / "file") == 0o640


def test_an_owner_that_cannot_stay_opens_nothing_to_another_group():
    # Nobody else comes to what pytest makes.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "file"
        path.write_text(OLD)
        if is_root():
            os.chown(path, 1234, 4321)
        path.chmod(0o662)
        process = multiprocessing.get_context("fork").Process(target=_write_as_nobody, args=(path,))
        process.start()
        process.join(600)
        assert process.exitcode == 0
        assert path.read_text() == NEW
        # Without root's rights the file is one's own, before and after.
        assert path.stat().st_uid == (65534 if is_root() else os.getuid())
        assert mode_of(path) == (0o622 if is_root() else 0o662)


def _write_as_nobody(path: Path) -> None:
    if is_root():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    write_text(path, NEW)


@dataclass(frozen=True)
class Link:
    """A way that leads to a file or folder.

    Args:
        steps: links, each with what it names; relative to its own folder, or to the test's if it begins with `/`.
        target: where it ends.
    """

    steps: dict[str, str]
    target: str

    def make(self, place: Path) -> tuple[Path, Path]:
        for name, named in self.steps.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).symlink_to(str(place) + named if named.startswith("/") else named)
        (place / self.target).parent.mkdir(exist_ok=True)
        return place / next(iter(self.steps)), place / self.target


LINKS = {
    "to a file beside it": Link({"link": "target"}, "target"),
    "to a file elsewhere": Link({"link": "far/target"}, "far/target"),
    "whole": Link({"link": "/far/target"}, "far/target"),
    "to a link": Link({"link": "far/link", "far/link": "../other/target"}, "other/target"),
    "to a link to a link": Link({"a": "b", "b": "/far/c", "far/c": "d"}, "far/d"),
}


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("way", list(LINKS))
def test_a_link_stays_and_what_it_names_is_written(tmp_path, way, dangling):
    link, target = LINKS[way].make(tmp_path)
    if not dangling:
        target.write_text(OLD)
        target.chmod(0o600)
    write_text(link, NEW)
    assert all((tmp_path / step).is_symlink() for step in LINKS[way].steps)
    assert not target.is_symlink()
    assert target.read_text() == NEW
    if not dangling:
        assert mode_of(target) == 0o600
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("way", list(LINKS))
def test_a_link_to_a_folder_stays_and_the_folder_is_replaced(tmp_path, way, dangling):
    link, target = LINKS[way].make(tmp_path)
    if not dangling:
        fill(target, OLD)
    fill(link, NEW)
    assert all((tmp_path / step).is_symlink() for step in LINKS[way].steps)
    assert not target.is_symlink()
    assert (link / "file").read_text() == NEW
    if not dangling:
        assert (previous(link) / "file").read_text() == OLD
    assert not list(tmp_path.rglob(".*"))


def test_a_link_where_its_target_cannot_be_written_is_not_replaced_either(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "target").write_text(OLD)
    (tmp_path / "link").symlink_to("far/target")
    (tmp_path / "far").chmod(0o500)
    with binding(), pytest.raises(PermissionError) as caught:
        write_text(tmp_path / "link", NEW)
    assert str(tmp_path / "far") in str(fault_of(caught.value))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == OLD


@pytest.mark.parametrize("write", [write_text, fill])
def test_links_in_a_circle_are_refused(tmp_path, write):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "a", NEW)
    assert (tmp_path / "a").is_symlink()


def test_what_is_read_only_is_not_written_though_its_folder_is_open(tmp_path):
    (tmp_path / "file").write_text(OLD)
    (tmp_path / "file").chmod(0o444)
    fill(tmp_path / "run", OLD)
    (tmp_path / "run").chmod(0o555)
    before = sorted(tmp_path.rglob("*"))
    with binding():
        for write, path in ((write_text, "file"), (fill, "run")):
            with pytest.raises(PermissionError) as caught:
                write(tmp_path / path, NEW)
            assert is_refusal(caught.value)
            assert "chmod u+w" in str(fault_of(caught.value))
    assert (tmp_path / "file").read_text() == OLD
    assert (tmp_path / "run" / "file").read_text() == OLD
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_is_no_place_for_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for name in ("folder", "link"):
        with pytest.raises(IsADirectoryError):
            write_text(tmp_path / name, NEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


def test_what_is_no_file_is_written_to_and_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        write_text(tmp_path / name, NEW)
        assert os.read(reading, 100) == NEW.encode()
        os.close(reading)
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "full", NEW)
    assert Path("/dev/full").is_char_device()


def test_names_as_long_as_disks_take_them(tmp_path):
    for name in ("x" * 255, "é" * 127):
        write_text(tmp_path / name, NEW)
        assert (tmp_path / name).read_text() == NEW


def test_what_stands_in_the_way_is_named_and_a_file_that_is_closed_itself(tmp_path):
    (tmp_path / "file").write_text(OLD)
    (tmp_path / "dangling").symlink_to("/nowhere/at/all")
    for name in ("file", "dangling"):
        with pytest.raises(OSError, match=r"directory|exists") as caught:
            (tmp_path / name / "folder" / "deeper").mkdir(parents=True)
        words = fault_of(caught.value)
        assert words.where == str(tmp_path / name)
        assert words.got.endswith(f"({tmp_path / name})")
    (tmp_path / "file").chmod(0o400)
    with binding():
        with pytest.raises(PermissionError) as caught:
            (tmp_path / "file").open("w")
        assert fault_of(caught.value).got.endswith(f"({tmp_path / 'file'})")


FAILURES = [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOTDIR, errno.EISDIR]
FAILURES += [errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO]


@pytest.mark.parametrize("number", FAILURES, ids=errno.errorcode.get)
def test_every_failure_says_which_folder_and_what_to_do(tmp_path, number):
    words = fault_of(OSError(number, os.strerror(number), str(tmp_path / "file")))
    assert str(tmp_path) in words.got
    assert os.strerror(number) in words.got
    assert words.hint.endswith(".")
    assert "[Errno" not in str(words)
