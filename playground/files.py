"""Locations of files, and atomic writing: a final name never holds a half-written file.

Data and models are kept in the working directory. Bundled files (worlds, the shipped model, the
app) are in the checkout, or inside the installed package.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from loguru import logger

from playground.errors import RequestError, quote
from playground.json_text import parse_json, unreadable
from playground.places import behind_links, status_of, take_over

Kind = Literal["data", "models"]
DEFAULT, SHIPPED = "default", "shipped"
PREVIOUS = ".previous"

_LONGEST = 40
"""Characters of a name repeated in its temporary name: file systems allow 255 bytes, and a character has up to 4."""
_ATTEMPTS = 5
_ALL_MAY_WRITE = 0o666
_PACKAGE = Path(__file__).parent
_DAMAGED = "Restore the file, or create it again."
_JSON_NAMES = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def project_root() -> Path:
    """Return the folder that holds `app/`, `data/worlds/` and `models/shipped/`."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "app" / "streamlit_app.py").is_file() else _PACKAGE / "bundled"


def default_rules() -> Path:
    """Return the file with the rules of the default world."""
    return project_root() / "data" / "worlds" / "default.rules"


def is_name(name: str) -> bool:
    """Return whether `name` is valid for data, models or rules."""
    reserved = name == "worlds" or name.endswith(PREVIOUS)
    return not reserved and bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", name))


def check_name(name: str) -> None:
    """Check that `name` can name a folder of data or models.

    Raises:
        RequestError: if it is empty or has characters other than letters, digits, `.`, `_` and `-`.
    """
    if not is_name(name):
        raise RequestError.of(
            message="invalid name",
            expected="at most 64 letters, digits, '.', '_' and '-'; not 'worlds', not ending in '.previous'",
            got=quote(name) if name else "nothing",
            hint="Choose another name.",
        )


def folder_to_write(kind: Kind, name: str, *, replace_shipped: bool) -> Path:
    """Return the folder of `name` in the working directory.

    Raises:
        RequestError: for an invalid name, and for `shipped` unless `replace_shipped` is set.
    """
    check_name(name)
    if name == SHIPPED and not replace_shipped:
        raise RequestError.of(
            message=f"{kind}/{SHIPPED} comes with the project",
            expected="another --name, or --replace-shipped",
            got=f"--name {SHIPPED}",
            hint="Everything else works with any name.",
        )
    return Path(kind) / name


def folders_to_read(kind: Kind, name: str) -> Iterator[Path]:
    """Yield the folders in which `name` may be found, in order.

    Most names are looked up in the working directory only; `default` is also looked up as `shipped`. The
    shipped models are also found in the project itself.
    """
    check_name(name)
    yield Path(kind) / name
    if name == DEFAULT:
        yield Path(kind) / SHIPPED
    if name in (DEFAULT, SHIPPED) and kind == "models":
        yield project_root() / kind / SHIPPED


def names_in_use(kind: Kind) -> list[str]:
    """Return the names of data or models in the working directory."""
    folder = Path(kind)
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and is_name(path.name))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: to a temporary file in the same folder, flushed, then moved.

    A symbolic link stays, and its target is written. The new file gets the mode of the file it replaces and,
    where allowed, its owner; hard links keep the old content. Anything but a regular file,
    such as a named pipe, is written to directly.

    Raises:
        OSError: if it cannot be written, even if only the file itself is read-only; it names `path`.
    """
    try:
        target = behind_links(path)
        old = status_of(target)
        if old is not None and not stat.S_ISREG(old.st_mode):
            with target.open("wb") as file:
                file.write(content)
            return
        _replace(target, content, old)
    except OSError as error:
        if error.errno is not None:
            error.filename, error.filename2 = str(path), None
        raise


def _replace(target: Path, content: bytes, old: os.stat_result | None) -> None:
    temporary = target.with_name(f".{target.name[:_LONGEST]}.{secrets.token_hex(6)}")
    # A private file must not be readable by others meanwhile; a new file gets the mode that the umask allows.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if old else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if old:
                take_over(temporary, old)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document to `path` atomically, see `dump_json`."""
    write_text(path, dump_json(document, indent=2) + "\n")


def dump_json(document: Any, *, indent: int | None = None, ascii_only: bool = True) -> str:
    """Return a document as JSON; NaN and infinity become null.

    Args:
        document: made of dictionaries, lists, strings and numbers.
        indent: spaces per level; None for a single line.
        ascii_only: whether to escape all other characters.
    """
    return json.dumps(_finite(document), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def _finite(document: Any) -> Any:
    match document:
        case float():
            return document if math.isfinite(document) else None
        case dict():
            return {name: _finite(each) for name, each in document.items()}
        case list() | tuple():
            return [_finite(each) for each in document]
    return document


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file `path`, see `parse_json`.

    Raises:
        RequestError: if there is no such file, or no JSON object in it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(str(path), "a readable file", error.strerror or str(error), _DAMAGED) from error
    document = parse_json(content, str(path), _DAMAGED)
    if not isinstance(document, dict):
        raise unreadable(str(path), "a JSON object", _JSON_NAMES[type(document)], _DAMAGED)
    return document


def previous(folder: Path) -> Path:
    """Return the folder that keeps the predecessor of `folder`: beside it, or beside its link target."""
    place = Path(os.path.realpath(folder)) if folder.is_symlink() else folder
    return place.with_name(place.name + PREVIOUS)


def _settle(building: Path, folder: Path) -> None:
    """Flush every file of `building` to disk, with the modes of the files it replaces in `folder`.

    Libraries write private files, so new files get the mode that the umask allows, like the new folder.
    """
    usual = stat.S_IMODE(building.stat().st_mode) & _ALL_MAY_WRITE
    for path in building.rglob("*"):
        if path.is_file():
            old = folder / path.relative_to(building)
            if old.is_file():
                take_over(path, old.stat())
            else:
                path.chmod(usual)
            with path.open("rb") as file:
                os.fsync(file.fileno())
    if folder.is_dir():
        take_over(building, folder.stat())


def _swap(building: Path, folder: Path) -> None:
    """Move `building` to `folder`, and the old `folder` to its predecessor's place."""
    moved = False
    for attempt in range(_ATTEMPTS):
        try:
            if folder.exists():
                shutil.rmtree(previous(folder), ignore_errors=True)
                folder.replace(previous(folder))
                moved = True
            building.replace(folder)
        except OSError:
            # Between any two of these lines, another process may put its own folder there.
            if attempt == _ATTEMPTS - 1:
                raise
        except BaseException:
            if moved and not folder.exists():
                previous(folder).replace(folder)
            raise
        else:
            return


def _partial(folder: Path) -> str:
    return f".{folder.name}.partial-"


def remove_partial(folder: Path) -> None:
    """Remove unfinished successors of `folder` left by killed processes; no other process may be writing one."""
    folder = behind_links(folder)
    for path in folder.parent.glob(f"{_partial(folder)}*"):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def successor(folder: Path) -> Iterator[Path]:
    """Yield a new folder to fill; it replaces `folder` when the block ends without an error.

    The old folder is kept as `NAME.previous`. The new folder and its files get the modes and, where allowed, the
    owners of the old ones of the same name. A symbolic link stays, and its target is replaced. After an error
    or an interruption, nothing has changed.

    Raises:
        OSError: if the folder cannot be written, even if only the old folder itself is read-only.
    """
    folder = behind_links(folder)
    status_of(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = folder.with_name(f"{_partial(folder)}{secrets.token_hex(4)}")
    building.mkdir()
    try:
        yield building
        _settle(building, folder)
        _swap(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    logger.debug("{} is in place", folder)
