"""Which requests the server answers, tested with real requests to every route and the websocket; and its headers."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.app.browser import APP, serve, settle
from tests.app.server.requests_by_hand import ask, filled, shake_hands
from tests.support.program import HANGS

LIST_ROUTES = """
import json, sys
sys.path.insert(0, ".")
from streamlit_app import app
print(json.dumps([[route.path, sorted(getattr(route, "methods", None) or [])] for route in app._build_starlette_app().routes]))
"""


@pytest.fixture(scope="session")
def routes() -> list[tuple[str, list[str]]]:
    """Return path and methods of every route that the server has."""
    listed = subprocess.run([sys.executable, "-c", LIST_ROUTES], cwd=APP, capture_output=True, check=True)
    return [
        (re.sub(r"\{.*?\}", "x", path) or "/", methods)
        for path, methods in json.loads(listed.stdout.splitlines()[-1])
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the app in an empty folder: it shows the models that come along."""
    with serve(tmp_path_factory.mktemp("site")) as address:
        yield address


@pytest.fixture(scope="module")
def port(address: str) -> int:
    return urlsplit(address).port or 0


@pytest.mark.slow
def test_every_route_is_guarded(routes, port):
    assert {
        "/_stcore/health",
        "/_stcore/metrics",
        "/_stcore/stream",
        "/media/x",
        "/app/static/x",
        "/component/x",
    } <= {path for path, _ in routes}
    foreign = f"http://localhost:{port + 1}"
    for path, methods in routes:
        for method in methods or ["GET"]:
            for host, origin in (("foreign.example", None), (f"127.0.0.1:{port}", foreign)):
                status, headers, text = ask(port, path, host, origin, method)
                assert (status, "This server" in text or method == "HEAD") == (403, True), (
                    path,
                    method,
                    host,
                )
                assert "frame-ancestors 'self'" in headers["content-security-policy"]
            _, headers, text = ask(port, path, f"127.0.0.1:{port}", None, method)
            assert "This server" not in text
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "same-origin"
            assert "frame-ancestors 'self'" in headers["content-security-policy"]


OWN = [
    ("127.0.0.1:{port}", None),
    ("127.0.0.1", None),
    ("LOCALHOST.:{port}", None),
    ("127.0.0.1:{port}", "http://127.0.0.1:{port}"),
    ("localhost:{port}", "http://localhost:{port}"),
    ("[::1]:{port}", "http://[::1]:{port}"),
    ("127.0.0.1:{port}", "http://localhost:{port}"),
    ("localhost:9000", "http://localhost:9000"),  # the end of a tunnel
]
FOREIGN = [
    ("foreign.example", None),
    ("foreign.example:{port}", None),
    ("foreign.example:{port}", "http://foreign.example:{port}"),
    ("127.0.0.1.foreign.example:{port}", None),
    ("127.0.0.1@foreign.example", None),
    ("foreign.example@127.0.0.1", None),
    ("127.0.0.1:{port}/x", None),
    ("127.0.0.1:99999", None),
    ("http://127.0.0.1:{port}", None),
    ("", None),
    ("127.0.0.1:{port}", "http://foreign.example"),
    ("127.0.0.1:{port}", "http://foreign.example:{port}"),
    ("127.0.0.1:{port}", "http://127.0.0.1:{other}"),
    ("127.0.0.1:{port}", "http://localhost:{other}"),
    ("localhost:{port}", "http://localhost"),
    ("localhost:{port}", "https://localhost"),
    ("127.0.0.1:{port}", "http://localhost:{port}@foreign.example"),
    ("127.0.0.1:{port}", "http://127.0.0.1:{port}.foreign.example"),
    ("127.0.0.1:{port}", "null"),
    ("127.0.0.1:{port}", "file://"),
    ("127.0.0.1:{port}", "chrome-extension://abc"),
    ("127.0.0.1:{port}", ""),
]


@pytest.mark.parametrize(("host", "origin"), OWN)
def test_this_machine_is_answered(port, host, origin):
    host, origin = filled(host, port), filled(origin, port)
    assert ask(port, "/_stcore/health", host, origin)[::2] == (200, "ok")
    assert shake_hands(port, host, origin) == 101


@pytest.mark.parametrize(("host", "origin"), FOREIGN)
def test_others_are_not(port, host, origin):
    host, origin = filled(host, port), filled(origin, port)
    status, _, text = ask(port, "/", host, origin)
    # What is no request at all is refused before anybody looks at whom it names.
    assert status == 403 or (status == 400 and not host)
    assert len(text.strip().splitlines()) <= 1
    assert shake_hands(port, host, origin) in (400, 403)


def test_a_request_with_two_names_is_refused(port):
    for name, second in (("Host", "foreign.example"), ("Origin", f"http://127.0.0.1:{port}")):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", f"127.0.0.1:{port}")
        connection.putheader("Origin", f"http://127.0.0.1:{port}")
        connection.putheader(name, second)
        connection.endheaders()
        assert connection.getresponse().status in (400, 403)
        connection.close()


@pytest.mark.slow
def test_what_a_browser_frames_or_loads_from_elsewhere_is_kept_out(profile, address):
    page = profile.new_page()
    page.goto(f"{address}/world")
    expect(page.locator(".rules_editor")).to_be_visible()
    settle(page)
    refused: list[str] = page.evaluate(
        """async () => {
            const refused = [];
            await new Promise(done => {
                document.addEventListener('securitypolicyviolation', event => {
                    refused.push(event.effectiveDirective);
                    done();
                });
                document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:1/a.png'}));
            });
            return refused;
        }"""
    )
    assert refused == ["img-src"]
    page.close()
    framing = profile.new_page()
    with framing.expect_console_message(lambda message: "frame-ancestors 'self'" in message.text):
        framing.set_content(f'<iframe src="{address}/world"></iframe>')
    assert framing.frames[1].locator(".rules_editor").count() == 0
    framing.close()
