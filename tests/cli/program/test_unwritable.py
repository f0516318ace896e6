"""Folders that cannot be written to, and disks that are full: one message that says which, and what to do."""

from __future__ import annotations

import ctypes
import resource
import signal
from functools import partial
from pathlib import Path

import pytest

from playground.interventions import NamedCondition, export_conditions, save_condition
from tests.cli.commands import WRITING
from tests.conftest import snapshot
from tests.support.permissions import bind, is_root
from tests.support.program import run_program

pytestmark = pytest.mark.slow


@pytest.fixture
def place(workplace_copy):
    # A file of more than the 1,000 bytes that are allowed below.
    for name in ("known", "another", "a third"):
        save_condition(NamedCondition(name, ("zero:L1",), "note " * 99), workplace_copy / "conditions.json")
    (workplace_copy / "shared.json").write_text(export_conditions([NamedCondition("shared", ("zero:L0",))]))
    return workplace_copy


def lines_of(errors: str) -> list[str]:
    return [line for line in errors.splitlines() if "ERROR" in line or "WARNING" in line]


@pytest.mark.parametrize("command", list(WRITING))
def test_a_folder_that_cannot_be_written_to(place, command):
    before = snapshot(place)
    folders = [path for path in (place, *place.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    result = run_program(*WRITING[command], cwd=place, prepare=bind)
    for folder in folders:
        folder.chmod(0o700)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    [line] = lines_of(result.stderr)
    assert str(place) in line
    assert "Permission denied" in line
    assert "chmod u+w" in line
    assert "[Errno" not in line
    assert snapshot(place) == before


def test_one_file_that_is_read_only(place):
    (place / "kept.npz").write_text("mine")
    (place / "kept.html").write_text("mine")
    for name in ("kept.npz", "kept.html", "conditions.json"):
        (place / name).chmod(0o400)
    before = snapshot(place)
    for command in ("export", "conditions save", "report"):
        result = run_program(*WRITING[command], cwd=place, prepare=bind)
        assert result.returncode == 2, result.stderr
        assert "this file cannot be written to" in result.stderr
        assert len(lines_of(result.stderr)) == 1
    after = snapshot(place)
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize("command", [("generate",), ("train", "rnn", "--epochs", "0.001")])
def test_a_file_where_a_folder_should_be(tmp_path, command):
    for name in ("data", "models"):
        (tmp_path / name).write_text("a file")
    result = run_program(*command, cwd=tmp_path)
    assert result.returncode == 2
    assert "a file stands where a folder is needed" in result.stderr
    assert f"({tmp_path / ('data' if command == ('generate',) else 'models')})" in result.stderr
    assert len(lines_of(result.stderr)) == 1


def let_no_file_grow(most: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


FILLING = [name for name in WRITING if name != "train all"]


@pytest.mark.parametrize("command", FILLING)
def test_files_that_may_not_grow(place, command):
    before = snapshot(place)
    result = run_program(
        *WRITING[command],
        cwd=place,
        prepare=partial(let_no_file_grow, 1_000),
    )
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    # That a result is not kept in the cache ends nothing.
    told = [line for line in lines_of(result.stderr) if "what is measured is not kept" not in line]
    said = [line for line in told if "File too large" in line]
    # Of several trainings each that began says so.
    assert said if command == "training several" else len(said) == 1, result.stderr
    assert all("no file may grow that large here" in line and "ulimit" in line for line in said)
    assert len([line for line in lines_of(result.stderr) if "ERROR" in line]) == len(said)
    after = snapshot(place)
    assert {path: after[path] for path in before} == before


def mount_a_small_disk(folder: str, kilobytes: int) -> None:
    """Have next to no room in a folder, for this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    # A name space of its own for mounts, with one for users where only root may have that,
    assert libc.unshare(0x00020000 if is_root() else 0x10020000) == 0, "this machine lets nothing be mounted"
    assert libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) == 0  # of which nobody else hears.
    Path(folder).mkdir(exist_ok=True)
    size = f"size={kilobytes}k".encode()
    assert libc.mount(b"none", folder.encode(), b"tmpfs", 0, size) == 0


FULL = {
    "at once": ("models", 0, ("train", "cnn", "--epochs", "0.001")),
    "before the first state": ("models", 12, ("train", "cnn", "--epochs", "0.001")),
    "at the first state": ("models", 40, ("train", "cnn", "--epochs", "0.001")),
    "a dataset": ("data", 100, ("generate",)),
    "an export": ("full", 8, ("export", "L0.resid", "full/kept.npz")),
    "a report": ("full", 8, ("mechanism", "--model", "cnn", "--report", "full/kept.html")),
}


@pytest.mark.parametrize("case", list(FULL))
def test_a_disk_that_is_full(place, case):
    folder, kilobytes, command = FULL[case]
    prepare = partial(mount_a_small_disk, folder, max(kilobytes, 4))
    result = run_program(*command, cwd=place, prepare=prepare)
    assert result.returncode == 1, result.stderr
    errors = [line for line in lines_of(result.stderr) if "ERROR" in line]
    assert len(errors) == 1
    assert "the disk is full" in errors[0]
    assert "No space left on device" in errors[0]
    assert "Make room" in errors[0]


def test_what_prints_needs_no_folder(place):
    """Whoever only looks may do so in a folder of somebody else's."""
    place.chmod(0o500)
    for command in (("board", "--json"), ("mechanism", "--model", "cnn"), ("guess",), ("conditions", "list")):
        result = run_program(*command, cwd=place, prepare=bind)
        assert result.returncode == 0, result.stderr
    place.chmod(0o700)
