"""The browser's scripts: modules and styles of the app's folders, under /modules and laid out as on disk."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

_HERE = Path(__file__).parent
_FOLDERS = ("client", "app_pages")
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class _Modules(StaticFiles):
    """Serves only scripts and styles, only from `_FOLDERS`; a browser asks each time whether they changed."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file that a path names; nothing for any other file."""
        asked = Path(path)
        hidden = any(part.startswith(".") for part in asked.parts)
        if hidden or asked.suffix not in _TYPES or asked.parts[0] not in _FOLDERS:
            return "", None
        return super().lookup_path(path)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file under its own type, whatever this machine takes its suffix for."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        if response.status_code == status_code:
            response.headers["Content-Type"] = _TYPES[Path(full_path).suffix]
        return response


def make_modules() -> StaticFiles:
    """Return what serves the scripts and styles."""
    return _Modules(directory=_HERE)
