"""Fetch the libraries beside this script anew; run it by hand after changing a version in the table below.

It takes one file of each package as published, lets it import the others from here, and writes the licences.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class _Package:
    """A package in the version that is used.

    Args:
        integrity: SHA-512 of the package, as its registry and package-lock.json give it.
        modules: what a script imports, with the file of the package that has it and the name it has here.
    """

    name: str
    version: str
    integrity: str
    modules: dict[str, tuple[str, str]]


_PACKAGES = (
    _Package(
        "preact",
        "11.2.0",
        "sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        {"preact": ("dist/preact.mjs", "preact.js"), "preact/hooks": ("hooks/dist/hooks.mjs", "hooks.js")},
    ),
    _Package(
        "@preact/signals-core",
        "1.14.5",
        "sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPXE/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
        {"@preact/signals-core": ("dist/signals-core.mjs", "signals-core.js")},
    ),
    _Package(
        "@preact/signals",
        "2.11.4",
        "sha512-Rb+5RPo9gWSaHtzJeauhHxiC8KP/IF2DEPkHPEOGOnuy2wnJzRqyeLRankUCYd6ADqtxS6GnWGv6Ie343d8aYw==",
        {"@preact/signals": ("dist/signals.mjs", "signals.js")},
    ),
    _Package(
        "htm",
        "3.1.1",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        {"htm": ("dist/htm.mjs", "htm.js")},
    ),
)
_FILES = {asked: own for package in _PACKAGES for asked, (_, own) in package.modules.items()}


def _fetch(package: _Package, place: Path) -> tarfile.TarFile:
    npm = Path(sys.executable).with_name("npm")
    command = [npm, "pack", f"{package.name}@{package.version}", "--silent", f"--pack-destination={place}"]
    subprocess.run(command, check=True)  # noqa: S603
    [packed] = place.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise SystemExit(f"{package.name} {package.version} is not what it was: {found}")
    return tarfile.open(packed)


def _read(packed: tarfile.TarFile, name: str) -> str:
    file = packed.extractfile(f"package/{name}")
    assert file is not None  # noqa: S101
    return file.read().decode()


def main() -> None:
    """Write every module, what the type checker takes it for, and all licences."""
    licences = []
    for package in _PACKAGES:
        with tempfile.TemporaryDirectory() as place, _fetch(package, Path(place)) as packed:
            licences.append(f"{package.name} {package.version}\n\n{_read(packed, 'LICENSE').strip()}\n")
            for asked, (name, own) in package.modules.items():
                script = re.sub(r"\n?//# sourceMappingURL=.*", "", _read(packed, name)).strip()
                script = re.sub(r'\bfrom"([^".]+)"', lambda found: f'from"./{_FILES[found[1]]}"', script)
                (_HERE / own).write_text(f"// {asked} {package.version}\n{script}\n", encoding="utf-8")
                types = 'export { default } from "htm";' if asked == "htm" else f'export * from "{asked}";'
                (_HERE / own).with_suffix(".d.ts").write_text(f"{types}\n", encoding="utf-8")
    (_HERE / "LICENSES.txt").write_text("\n\n".join(licences), encoding="utf-8")


if __name__ == "__main__":
    main()
