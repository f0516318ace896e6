"""The examples of docs/extending.md, installed as packages of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "extending"
DOCUMENT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def install(example: str, place: Path) -> Path:
    """Install an example with pip, without a network, and return the folder that it is in.

    Args:
        example: the name of its folder.
        place: an empty folder; pip builds in a copy, so that the project's own stays clean.
    """
    source, packages = place / "source", place / "packages"
    shutil.copytree(EXAMPLES / example, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", packages]
    subprocess.run([*pip, *options, source], check=True, capture_output=True, text=True)
    return packages
