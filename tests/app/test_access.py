"""Whom the server answers: every route and the websocket, asked with real requests; and what it tells browsers."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from playground.cli.commands.serve import Site
from tests.app.browser import (
    APP,
    BOARD,
    LONGEST_WAIT,
    OPTIONS,
    PROGRAM,
    serve,
    settle,
    wait_until_said,
)
from tests.ports import reserved_port
from tests.program import HANGS, run_program

NAME = "lab.example.org"
PATH = "tools/x"
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


def ask(
    port: int,
    path: str,
    host: str | None,
    origin: str | None = None,
    method: str = "GET",
    *,
    upgrade: bool = False,
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    connection.putrequest(method, path, skip_host=True)
    headers = {"Host": host, "Origin": origin, "Content-Length": "0" if method in ("POST", "PUT") else None}
    if upgrade:
        headers |= {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "streamlit",
        }
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    try:
        text = "" if response.status == 101 else response.read().decode(errors="replace")
        return response.status, {name.lower(): value for name, value in response.getheaders()}, text
    finally:
        connection.close()


def shake_hands(port: int, host: str | None, origin: str | None, path: str = "") -> int:
    """Return the status of a websocket's handshake."""
    return ask(port, f"{path}/_stcore/stream", host, origin, upgrade=True)[0]


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


def filled(text: str | None, port: int) -> str | None:
    return text if text is None else text.format(port=port, other=port + 1)


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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a server that others reach by a name, below a path."""
    place = tmp_path_factory.mktemp("lab")
    with serve(
        place, "--no-browser", "--allowed-host", NAME, "--base-path", PATH, command=PROGRAM
    ) as address:
        yield urlsplit(address).port or 0
        wait_until_said(place, f"The app is at http://127.0.0.1:{urlsplit(address).port}/{PATH}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "origin", "answered"),
    [
        (NAME, f"https://{NAME}", True),
        (NAME, f"http://{NAME}", True),
        (f"{NAME}:8443", f"https://{NAME}:8443", True),
        ("127.0.0.1:{port}", f"https://{NAME}", True),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", True),
        (NAME, f"https://{NAME}:8443", False),
        (NAME, "https://localhost", False),
        (NAME, "https://foreign.example", False),
        (NAME, f"https://x.{NAME}", False),
        (f"x.{NAME}", None, False),
        ("foreign.example", f"https://{NAME}", False),
    ],
)
def test_others_reach_a_server_by_its_name_and_path(lab, host, origin, answered):
    host, origin = filled(host, lab), filled(origin, lab)
    assert shake_hands(lab, host, origin, f"/{PATH}") == (101 if answered else 403)
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/app/static/fonts/inter.woff2", "/world"):
        assert ask(lab, f"/{PATH}{path}", host, origin)[0] == (200 if answered else 403), path


@pytest.mark.parametrize(
    ("site", "answered"),
    [
        (Site(address="127.0.0.2"), "127.0.0.2"),
        (Site(address="::1"), "::1"),
        (Site(address="192.0.2.7", allowed_hosts=("lab.example.org",)), "192.0.2.7"),
        (Site(address="0.0.0.0", allowed_hosts=("[2001:db8::1]",)), "2001:db8::1"),  # noqa: S104
    ],
)
def test_a_server_answers_to_the_address_that_it_is_said_to_be_at(site, answered):
    others = {"127.0.0.1", "localhost", "::1", *(name.strip("[]") for name in site.allowed_hosts)}
    assert set(site.names) == {answered, *others}
    assert f"--server.allowedHosts={answered}" in site.options()


@pytest.mark.slow
def test_another_address_of_this_machine_is_answered(tmp_path):
    here = "127.0.0.2"
    with serve(tmp_path, "--no-browser", "--address", here, command=PROGRAM, host=here) as address:
        for host, status in ((urlsplit(address).netloc, 200), ("127.0.0.3", 403)):
            connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=HANGS)
            connection.request("GET", "/", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


@contextmanager
def forwarded(to: int) -> Iterator[int]:
    """Pass on whatever comes to a port, as a proxy does that leaves requests as they are; give the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_ends: list[socket.socket] = [listening]

    def pump(one: socket.socket, other: socket.socket) -> None:
        try:
            while content := one.recv(65_536):
                other.sendall(content)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def accept() -> None:
        while True:
            try:
                browser, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", to))
            open_ends.extend((browser, server))
            for ends in ((browser, server), (server, browser)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        for each in open_ends:
            each.close()


@pytest.mark.slow
def test_the_app_works_in_a_browser_behind_a_proxy(lab, playwright, executable):
    with forwarded(lab) as port:
        # To a browser the name is a machine elsewhere.
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*OPTIONS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        page = browser.new_page()
        page.set_default_timeout(LONGEST_WAIT)
        wrong: list[str] = []
        page.on(
            "response",
            lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        fonts: list[str] = []
        page.on(
            "response",
            lambda answer: fonts.append(answer.url) if ".woff2" in answer.url and answer.ok else None,
        )
        page.goto(f"http://{NAME}:{port}/{PATH}/?name=shipped&model=gpt2")
        page.wait_for_selector(BOARD)
        settle(page)
        page.get_by_role("link", name="World", exact=True).click()
        expect(page.locator(".rules_editor")).to_be_visible()
        settle(page)
        page.locator(".st-key-rules_to_file button").click()
        with page.expect_download() as download:
            page.locator(".st-key-download_rules button").click()
        assert "newA = A XOR C" in Path(download.value.path()).read_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="download dependencies as PNG").click()
        assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
        browser.close()
    assert any("/fonts/inter.woff2" in url for url in fonts)
    assert wrong == []


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--allowed-host", "https://lab.example.org"), "invalid allowed host"),
        (("--allowed-host", "lab.example.org:80"), "invalid allowed host"),
        (("--allowed-host", ""), "invalid allowed host"),
        (("--base-path", "a b"), "invalid base path"),
        (("--base-path", "../x"), "invalid base path"),
        (("--base-path", "http://x"), "invalid base path"),
        (("--address", "lab.example.org"), "this address cannot be used"),
        (("--address", "0.0.0.0"), "--allowed-host NAME with --address 0.0.0.0"),  # noqa: S104
        (("--address", "192.0.2.1", "--allowed-host", "x"), "nothing can listen"),
    ],
)
def test_requests_that_are_wrong(tmp_path, options, said):
    with reserved_port() as port:
        result = run_program("ui", "--no-browser", "--port", str(port), *options, cwd=tmp_path)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
