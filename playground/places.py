"""Link targets, the mode and owner that a new file takes over, and faults of files that cannot be written."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from playground.errors import Fault, RequestError, StorageError

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_A_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_WRONG_PLACE = {*_NOT_A_FOLDER, errno.EISDIR, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG}
_NO_FOLDER = (
    "a file stands where a folder is needed",
    "a folder",
    "Move the file, or work in another folder.",
)


def behind_links(path: Path) -> Path:
    """Return the file that writing to `path` replaces: the target if `path` is a symbolic link.

    Raises:
        OSError: if the links are circular.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of a file or folder that may be replaced; None if there is none yet.

    Raises:
        OSError: if it is read-only, even though write access to its folder would be enough to replace it.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not _may_write(path):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise OSError(number, os.strerror(number), str(path))
    return status


def check_writable(path: Path) -> None:
    """Check that `path` can be written, as far as can be known in advance.

    Raises:
        OSError: if it cannot.
    """
    target = behind_links(path)
    if status_of(target) is None and status_of(target.parent) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))


def take_over(path: Path, old: os.stat_result) -> None:
    """Give a new file or folder the owner and mode of the one it replaces.

    If the owner cannot be kept, nobody gains access: if the group changes, it gets no more permissions than
    everybody has.

    Args:
        path: the new file or folder.
        old: the status of the one it replaces.
    """
    mode = stat.S_IMODE(old.st_mode)
    try:
        os.chown(path, old.st_uid, old.st_gid)
    except OSError:
        with suppress(OSError):
            os.chown(path, -1, old.st_gid)
        if path.stat().st_gid != old.st_gid:
            mode &= ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
    path.chmod(mode)


def is_refusal(error: OSError) -> bool:
    """Return whether another place or a permission would have helped."""
    return error.errno in _REFUSED | _WRONG_PLACE


def fault_of(error: OSError, where: Path | None = None, first: str = "") -> Fault:
    """Return the fault that says why a file could not be read or written.

    Args:
        error: as Python raised it.
        where: what was to be read or written, if the error does not name it.
        first: a sentence to put before the hint.
    """
    path = Path(str(error.filename)) if error.filename is not None else None
    # For a move, report the target.
    if getattr(error, "filename2", None):
        path = Path(str(error.filename2))
    concerned = _concerned(path) if path else None
    if path and error.errno in _NOT_A_FOLDER:
        path = concerned = _in_the_way(path)
    message, expected, hint = _words(error, path)
    place = f" ({concerned.absolute()})" if concerned else ""
    got = f"{error.strerror or error}{place}"
    return Fault(
        where=str(where or path or ""),
        message=message,
        expected=expected,
        got=got,
        hint=f"{first} {hint}".strip(),
    )


def storage_error(error: OSError, where: Path | None = None, first: str = "") -> RequestError:
    """Return `fault_of` as an error: a `StorageError` unless another place or a permission would help."""
    kind = RequestError if is_refusal(error) else StorageError
    return kind(fault_of(error, where, first))


def _in_the_way(path: Path) -> Path:
    """Return the first parent of `path` that is a file, or `path` itself."""
    leading = [*reversed(path.parents), path]
    return next((each for each in leading if os.path.lexists(each) and not each.is_dir()), path)


def _concerned(path: Path) -> Path:
    """Return what cannot be written: the path itself if it is a folder or a read-only file, otherwise its folder."""
    with suppress(OSError):
        path = behind_links(path)
    closed = _is_file(path) and not _may_write(path)
    return path if closed or _is_folder(path) else path.parent


def _is_file(path: Path) -> bool:
    """Return whether a path is a file; what is in a closed folder counts as missing."""
    with suppress(OSError):
        return path.is_file()
    return False


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder; what is in a closed folder counts as missing."""
    with suppress(OSError):
        return path.is_dir()
    return False


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _words(error: OSError, path: Path | None) -> tuple[str, str, str]:
    """Return the message, what was expected, and the hint."""
    what = path.name if path else "the file"
    if error.errno in _REFUSED:
        noun = "file" if path and _is_file(path) else "folder"
        allow = "." if error.errno == errno.EROFS else ": chmod u+w."
        return (
            f"this {noun} cannot be written to",
            "permission to write there",
            f"Work in a folder of your own (cd), or allow writing there{allow}",
        )
    known = {
        errno.ENOSPC: ("the disk is full", f"room for {what}", "Make room on it, then try again."),
        errno.EDQUOT: ("the disk is full", f"room for {what}", "Make room on it, then try again."),
        errno.EFBIG: ("no file may grow that large here", f"room for {what}", "Raise the limit (ulimit -f)."),
        errno.ENOTDIR: _NO_FOLDER,
        errno.EEXIST: _NO_FOLDER,
        errno.EISDIR: ("a folder stands where a file is needed", "a file", "Choose another name."),
        errno.ENOENT: (
            "there is no such file or folder",
            "one that exists",
            "Check the name, or make the folder.",
        ),
        errno.ELOOP: ("the symbolic links are circular", "a link to a file", "Remove the link."),
        errno.ENAMETOOLONG: ("the name is too long for the disk", "a shorter one", "Choose a shorter name."),
    }
    unknown = ("a file could not be read or written", "a working disk", "Check the disk, then try again.")
    return known.get(error.errno or 0, unknown)
