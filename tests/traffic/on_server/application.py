"""A copy: HTTP, websockets and a TCP echo; each answer says who gave it.

``python application.py SERVICE SLOT``, beside ``server.py`` of examples/hello.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

from server import Answer, Request, Server, route  # type: ignore[import-not-found]

SERVICE, SLOT = sys.argv[1:]
WHO = {"service": SERVICE, "version": SLOT}
ANSWERED = ("/", "/version", "/health", "/api", "/api/", "/api/x", "/apix")


def who(_: Request) -> Answer:
    """Who answers."""
    return 200, WHO


for path in ANSWERED:
    route("GET", path)(who)


@route("GET", "/slow")  # type: ignore[untyped-decorator]
def slow(_: Request) -> Answer:
    """Long enough for a switch to come between."""
    time.sleep(2)
    return 200, WHO


@route("GET", "/internal")  # type: ignore[untyped-decorator]
def internal(_: Request) -> Answer:
    """Who answers when api is called by its name, through its front."""
    with urlopen("http://api:8000/version", timeout=5) as answer:
        return 200, {"caller": WHO, "called": json.load(answer)}


class Echo(socketserver.BaseRequestHandler):
    """Whatever comes goes back, behind the name of the copy, until the client has enough."""

    def handle(self) -> None:
        """A line of the load's clients goes back as it is."""
        while data := self.request.recv(4096):
            named = b"" if data == b"tide\n" else f"{SLOT}:".encode()
            self.request.sendall(named + data)


class EchoServer(socketserver.ThreadingTCPServer):
    """Ends with the process."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    threading.Thread(target=EchoServer(("", 7000), Echo).serve_forever, daemon=True).start()
    Path(f"/ready/{SERVICE}-{SLOT}").touch()
    Server(8000).run()
