"""Which files the browser gets as modules, under which address."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.app.browser import serve
from tests.app.server.requests_by_hand import ask

BELOW = "tools/experiment"


@pytest.fixture(scope="module", params=["", BELOW])
def site(request, tmp_path_factory):
    """Return the port of a server, and the path below which it has the modules."""
    with serve(tmp_path_factory.mktemp("site"), f"--server.baseUrlPath={request.param}") as address:
        yield urlsplit(address).port, f"/{request.param}/modules".replace("//", "/")


def get(site, path: str) -> tuple[int, dict[str, str], str]:
    port, modules = site
    return ask(port, f"{modules}/{path}", f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("client/board/board.js", "text/javascript; charset=utf-8"),
        ("app_pages/probe/parts/mosaic.js", "text/javascript; charset=utf-8"),
        ("app_pages/probe/parts/mosaic.css", "text/css; charset=utf-8"),
    ],
)
def test_scripts_and_styles_are_served(site, path, kind):
    status, headers, text = get(site, path)
    assert (status, headers["content-type"]) == (200, kind)
    assert text
    assert headers["cache-control"] == "no-cache"
    assert headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "client",
        "client/",
        "ui/client.py",
        "client/nothing.js",
        "page.css",
        "script.py",
        "client/../page.css",
        "client/../script.py",
        "static/fonts/inter.LICENSE.txt",
        ".streamlit/config.toml",
        "client/.hidden.js",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_served(site, path):
    status, _, text = get(site, path)
    assert status in (400, 404)
    assert "import" not in text


@pytest.mark.parametrize(
    "path", ["..%2fpage.css", "client/..%2f..%2fscript.py", "client/%2e%2e/%2e%2e/pyproject.toml"]
)
def test_no_path_leaves_its_folder(site, path):
    assert get(site, path)[0] in (400, 404)
