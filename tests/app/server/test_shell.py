"""What the server adds to the HTML of pages, and that a page then asks for nothing in vain."""

from __future__ import annotations

import re
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.testclient import TestClient

from shell import Shell
from tests.app.browser import serve, settle
from ui.pages import FIRST, PAGES

BELOW = "tools/experiment"
ADDRESSES = ["", *(name for name in PAGES if name != FIRST)]
_MODULES = re.compile(r'<link rel="modulepreload" href="\./modules/([^"]+)">')


@pytest.fixture(scope="module", params=["", f"/{BELOW}"])
def site(request, workplace):
    """Return the address of a server's first page, at the root and below a path."""
    with serve(workplace, f"--server.baseUrlPath={request.param}") as address:
        yield f"{address}{request.param}/"


def ask(address: str, method: str = "GET", **headers: str):
    """Return the status, headers and body of an answer."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc)
    connection.request(
        method, parts.path, headers={key.replace("_", "-"): value for key, value in headers.items()}
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.mark.parametrize("page", ADDRESSES)
def test_a_page_names_the_modules_that_it_needs(site, page):
    status, headers, body = ask(site + page, Accept_Encoding="gzip")
    text = body.decode()
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    assert text.count("BACKEND_BASE_URL") == 1
    assert text.index("BACKEND_BASE_URL") < text.index("</head>")
    modules = _MODULES.findall(text)
    assert {"client/main.js", f"app_pages/{page or 'probe'}/{page or 'probe'}.js"} < set(modules)
    assert len(modules) == len(set(modules))
    for module in modules:
        assert ask(f"{site}modules/{module}")[0] == 200


def test_a_page_always_comes_whole(site):
    _, _, body = ask(site)
    _, head, _ = ask(site, "HEAD")
    again = ask(site, If_None_Match=head["etag"], Range="bytes=0-9", If_Modified_Since=head["last-modified"])
    assert again[0] == 200
    assert again[2] == body
    assert not {"etag", "last-modified", "accept-ranges"} & set(again[1])


def test_other_answers_stay_as_they_are(site):
    status, head, body = ask(site, "HEAD")
    assert (status, body) == (200, b"")
    script = re.search(rb'src="\./(static/js/[^"]+)"', ask(site)[2])[1].decode()
    status, headers, _ = ask(site + script)
    assert status == 200
    assert ask(site + script, If_None_Match=headers["etag"])[0] == 304
    assert ask(site + script, Range="bytes=0-9")[::2] == (206, ask(site + script)[2][:10])
    assert ask(f"{site}_stcore/health")[2] == b"ok"
    assert ask(f"{site}mechanism/_stcore/health")[0] == 404
    assert int(head["content-length"]) < len(ask(site)[2])


def _answered(answer, path: str = "/", method: str = "GET"):
    return TestClient(Shell(answer)).request(method, path)


def test_html_that_comes_in_pieces():
    pieces = ["<html><he", "ad></he", "ad><body>é</body></html>"]
    answer = _answered(StreamingResponse(iter(pieces), media_type="text/html"))
    assert answer.text.startswith("<html><head><script>window.__streamlit")
    assert answer.text.endswith("</head><body>é</body></html>")
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "HEAD", 200), ("/", "POST", 200), ("/", "GET", 404), ("/static/index.html", "GET", 200)],
)
def test_what_is_no_page(path, method, status):
    plain = HTMLResponse("<head></head>", status)
    assert _answered(plain, path, method).headers == TestClient(plain).request(method, path).headers


def test_text_that_is_no_html():
    assert _answered(StreamingResponse(iter(["</head>"]), media_type="text/plain")).text == "</head>"


def test_no_page_asks_in_vain_or_elsewhere(profile, site):
    """Also: a module is asked for once, though the page names it and other modules import it."""
    for name in ADDRESSES:
        page = profile.new_page()
        answers, asked = [], []
        page.on("response", lambda response, answers=answers: answers.append((response.status, response.url)))
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        sockets = []
        page.on("websocket", lambda socket, sockets=sockets: sockets.append(socket.url))
        page.goto(site + name)
        expect(page.locator(".client.page")).not_to_be_empty()
        expect(page.get_by_text("Loading the model")).to_have_count(0)
        settle(page)
        assert [answer for answer in answers if answer[0] >= 400] == []
        places = {urlsplit(url).netloc for url in asked if url.startswith("http")}
        assert places == {urlsplit(site).netloc}
        assert sockets == [f"{site}_stcore/stream".replace("http", "ws", 1)]
        assert urlsplit(page.url).path == urlsplit(site + name).path
        modules = Counter(url for url in asked if "/modules/" in url and url.endswith(".js"))
        assert set(modules.values()) == {1}
        page.close()


def test_pages_follow_each_other(page, site):
    """By the navigation, by a reload, and by Back and Forward."""
    page.goto(f"{site}world")
    expect(page.locator(".rules_editor")).to_be_visible()
    page.get_by_role("link", name="Probe").click()
    expect(page.locator(".board[data-condition]")).to_be_visible()
    assert urlsplit(page.url).path == urlsplit(site).path
    page.reload()
    expect(page.locator(".board[data-condition]")).to_be_visible()
    page.go_back()
    expect(page.locator(".rules_editor")).to_be_visible()
    assert urlsplit(page.url).path == urlsplit(f"{site}world").path
    page.go_forward()
    expect(page.locator(".board[data-condition]")).to_be_visible()
