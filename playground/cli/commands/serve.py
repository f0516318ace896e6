"""`ui`: the app in a browser."""

from __future__ import annotations

import http.client
import ipaddress
import re
import signal
import socket
import threading
import time
import webbrowser
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import typer

from playground.cli.output.streams import need_no_output
from playground.errors import Fault, RequestError, quote
from playground.files import project_root

ADDRESS = "127.0.0.1"
LOOPBACK = (ADDRESS, "localhost", "::1")
PORT = 8501
_HIGHEST_PORT = 65_535
_SECONDS_TO_START = 60.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the app is served.

    Args:
        port: to listen on.
        address: this machine's address to listen on; a network's, or 0.0.0.0 for all, lets others in.
        allowed_hosts: names by which others reach the server, besides this machine's own.
        base_path: the path under which the app is served, such as `tools/experiment`; empty for none.
    """

    port: int = PORT
    address: str = ADDRESS
    allowed_hosts: tuple[str, ...] = ()
    base_path: str = ""

    @property
    def path(self) -> str:
        """Path of the first page."""
        return "/" + "".join(f"{part}/" for part in self.base_path.split("/") if part)

    @property
    def own_address(self) -> str:
        """The address by which this machine itself reaches the server."""
        every = {"0.0.0.0": ADDRESS, "::": "::1"}  # noqa: S104
        return every.get(self.address, self.address)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it answers to, including its own address."""
        others = (name.strip("[]") for name in self.allowed_hosts)
        return tuple(dict.fromkeys((*LOOPBACK, self.own_address, *others)))

    def options(self) -> list[str]:
        """Return the Streamlit options for it."""
        return [
            f"--server.port={self.port}",
            f"--server.address={self.address}",
            f"--server.baseUrlPath={self.path.strip('/')}",
            *(f"--server.allowedHosts={name}" for name in self.names),
        ]


def ui(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = PORT,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    address: Annotated[
        str,
        typer.Option(help="Where to listen; any but 127.0.0.1 lets others of a network in (docs/server.md)."),
    ] = ADDRESS,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which others reach the app (repeat)."),
    ] = None,
    base_path: Annotated[
        str, typer.Option(metavar="PATH", help="Path below which a proxy has the app.")
    ] = "",
) -> None:
    """Open the app."""
    need_no_output()
    site = Site(port=port, address=address, allowed_hosts=tuple(allowed_host or ()), base_path=base_path)
    faults = [*_wrong_address(site), *_wrong_names(site)]
    if faults:
        raise RequestError(*faults)
    _check_port(site)
    from click import Abort
    from streamlit.web import cli

    if browser:
        threading.Thread(target=_open_browser, args=(site,), name="browser", daemon=True).start()
    # Ending the app is no failure: the server shuts down, then passes the signal on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    options = [*site.options(), "--server.headless=true"]
    with suppress(KeyboardInterrupt, Abort):
        cli.main(["run", str(project_root() / "app"), *options], standalone_mode=False)


def _open_browser(site: Site) -> None:
    """Open a browser window as soon as the server answers: Streamlit opens none for an app of this form."""
    host = f"[{site.own_address}]" if ":" in site.own_address else site.own_address
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(site.own_address, site.port, timeout=_SECONDS_TO_START)
            connection.request("GET", f"{site.path}_stcore/health", headers={"Host": ADDRESS})
            if connection.getresponse().status == http.HTTPStatus.OK:
                webbrowser.open(f"http://{host}:{site.port}{site.path}")
                return
        time.sleep(0.1)


def _wrong_address(site: Site) -> list[Fault]:
    """Return what is wrong with the address to listen on."""
    try:
        local = ipaddress.ip_address(site.address).is_loopback
    except ValueError:
        return [
            Fault(
                message="this address cannot be used",
                expected="a number such as 127.0.0.1 (this machine alone) or 0.0.0.0 (every network that it is in)",
                got=quote(site.address),
                hint="Give the names by which others reach it with --allowed-host.",
            )
        ]
    if local or site.allowed_hosts:
        return []
    return [
        Fault(
            message="an address that others can reach needs --allowed-host",
            expected=f"--allowed-host NAME with --address {site.address}",
            got="none",
            hint="Give the name or the number that they type into their browsers.",
        )
    ]


def _wrong_names(site: Site) -> list[Fault]:
    """Return what is wrong with the names and the path by which others reach the server."""
    faults = [
        Fault(
            message="invalid allowed host",
            expected="a name such as lab.example.org or a number such as 192.168.1.5, without http:// and port",
            got=quote(name),
            hint="Write: the-experiment ui --allowed-host lab.example.org.",
        )
        for name in site.allowed_hosts
        if not re.fullmatch(
            r"(\*\.)?[A-Za-z0-9]([-.\w]*\w)?|\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:]*\]?", name, re.ASCII
        )
    ]
    if not re.fullmatch(r"/?([\w~-][\w.~-]*/?)*", site.base_path, re.ASCII):
        faults.append(
            Fault(
                message="invalid base path",
                expected="names of letters, digits, '.', '_', '~' and '-', joined by '/'",
                got=quote(site.base_path),
                hint="Write: the-experiment ui --base-path tools/experiment.",
            )
        )
    return faults


def _check_port(site: Site) -> None:
    reason = ""
    if not 0 < site.port <= _HIGHEST_PORT:
        reason = "which is no port"
    else:
        with socket.socket(socket.AF_INET6 if ":" in site.address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((site.address, site.port))
            except OSError as error:
                reason = f"where nothing can listen: {error.strerror}"
    if reason:
        raise RequestError.of(
            message="this port cannot be used",
            expected=f"a free port from 1 to {_HIGHEST_PORT}",
            got=f"{site.port}, {reason}",
            hint=f"Choose another: the-experiment ui --port {PORT + 1}.",
        )
