"""A server that other machines reach: by its name and below a path, at another address, behind a proxy."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from playground.cli.commands.serve import Site
from tests.app.browser import BOARD, LONGEST_WAIT, OPTIONS, PROGRAM, serve, settle, wait_until_said
from tests.app.server.requests_by_hand import ask, filled, shake_hands
from tests.support.ports import reserved_port
from tests.support.program import HANGS, run_program

NAME = "lab.example.org"
PATH = "tools/x"


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
        page.locator("[data-key=rules_to_file]").click()
        with page.expect_download() as download:
            page.locator("[data-key=download_rules]").click()
        assert "newA = A XOR C" in Path(download.value.path()).read_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="download dependencies as PNG").click()
        assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
        browser.close()
    assert any("/fonts/inter.woff2" in url for url in fonts)
    assert wrong == []


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
