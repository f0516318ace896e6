"""Files of rules, in the working directory and bundled: finding, reading, saving."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from playground.errors import Fault, RequestError, quote
from playground.files import default_rules, is_name, write_text
from playground.places import storage_error
from playground.worlds.networks import SUFFIX as NETWORK_SUFFIX
from playground.worlds.networks import is_network, rules_of_network

SUFFIX = ".rules"
LONGEST = 20_000
"""Characters in a text of rules; ten inputs and ten outputs need far fewer."""
LARGEST = 1_000_000
"""Bytes of a file; larger files are not read."""


def list_worlds() -> list[Path]:
    """Return the files of rules: the default world, then those in the working directory, then the bundled ones.

    A local file overrides a bundled one of the same name, except for the default world.
    """
    own, along = _found_in(_folder()), _found_in(default_rules().parent)
    default = default_rules().name
    kept = [path for name, path in own.items() if name != default]
    kept += [path for name, path in along.items() if name not in own and name != default]
    return [default_rules(), *kept]


def find_rules(asked: str | Path) -> Path:
    """Return the file of a world, given by its path or by its name in `list_worlds`.

    A missing path in `data/worlds` is looked up by its name: `data/worlds/adder.rules` is found wherever the
    program runs.

    Raises:
        RequestError: if there is no such world, with the nearest names.
    """
    path = Path(asked)
    if path.is_file():
        return path
    known = {each.stem: each for each in list_worlds()}
    named = path.parent in (Path(), _folder()) and path.suffix in ("", SUFFIX)
    if named and path.stem in known:
        return known[path.stem]
    close = difflib.get_close_matches(path.stem, known, n=3)
    raise RequestError.of(
        message="there is no such world",
        expected=f"a file of rules or a Boolean network ({NETWORK_SUFFIX}), or one of {', '.join(known)}",
        got=quote(str(asked)) + (", a folder" if path.is_dir() else ""),
        hint=f"Did you mean {' or '.join(close)}?"
        if close
        else "Write the path of the file, or one of these names.",
    )


def _folder() -> Path:
    return Path("data") / "worlds"


def _found_in(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem)}


def read_rules(path: Path) -> str:
    """Return the text of a file of rules.

    Raises:
        RequestError: if there is no such file, or if it is not UTF-8 text, or too long.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise RequestError(_unreadable(str(path), str(error.strerror))) from error
    return decode_rules(content, str(path))


def decode_rules(content: bytes, name: str) -> str:
    """Return the text of rules in a file, with normalised line ends.

    Args:
        content: the bytes of the file.
        name: the name of the file; if it ends in `.bnet`, the file is a Boolean network, see `rules_of_network`.

    Raises:
        RequestError: if it is not UTF-8 text, or too long, or a Boolean network that cannot be a world.
    """
    if len(content) > LARGEST:
        raise RequestError(_unreadable(name, f"more than {LARGEST:,} bytes"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(_unreadable(name, "not UTF-8 text")) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if is_network(name):
        try:
            text = rules_of_network(text)
        except RequestError as error:
            raise RequestError(*(fault.within(name) for fault in error.faults)) from error
    check_length(text, name)
    return text


def check_length(text: str, name: str) -> None:
    """Check the length of a text of rules.

    Raises:
        RequestError: if it has too many characters.
    """
    if len(text) > LONGEST:
        raise RequestError.of(
            where=name,
            message="these rules are too long",
            expected=f"at most {LONGEST:,} characters",
            got=f"{len(text):,}",
            hint="Leave out comments, or define repeated expressions as an output above.",
        )


def _unreadable(name: str, why: str) -> Fault:
    return Fault(
        message="this file of rules cannot be read",
        expected="a readable UTF-8 file",
        got=f"{name} ({why})",
        hint="The default world is data/worlds/default.rules.",
    )


def describe_rules(text: str) -> str:
    """Return the first comment in a text of rules, or an empty text."""
    found = re.search(r"^[ \t]*#[# \t]*(\S.*?)\s*$", text, flags=re.MULTILINE)
    return found.group(1) if found else ""


def path_of_rules(name: str) -> Path:
    """Return the path of the rules file with this name in the working directory.

    Raises:
        RequestError: if the name cannot be used.
    """
    name = name.strip().removesuffix(SUFFIX)
    if not is_name(name) or f"{name}{SUFFIX}" == default_rules().name:
        raise RequestError.of(
            message="invalid name" if name else "give the world a name first",
            expected="at most 64 letters, digits, '.', '_' and '-'; not that of the default world",
            got=quote(name) if name else "no name",
            hint="Choose another name." if name else "Type one, such as my_world.",
        )
    return _folder() / f"{name}{SUFFIX}"


def save_rules(name: str, text: str, *, replace: bool) -> Path:
    """Write a text of rules to the working directory atomically; return the file.

    Args:
        name: the name to save it under.
        text: the rules, unchecked.
        replace: whether to replace an existing file of that name.

    Raises:
        RequestError: if the name cannot be used, or is taken, or the file cannot be written.
    """
    path = path_of_rules(name)
    check_length(text, str(path))
    try:
        if not replace and path.exists() and path.read_bytes() != text.encode():
            raise RequestError.of(
                where=str(path),
                message="a file of this name exists already",
                expected="a name that is not taken, or permission to replace the file",
                got=f"the name {quote(path.stem)}, which exists with other rules",
                hint="Choose another name, or replace the file.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise storage_error(error, path, "Nothing is saved, but you can download them.") from error
    return path
