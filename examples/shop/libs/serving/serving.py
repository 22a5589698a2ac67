"""HTTP for our services: routes by method and path, a thread per connection, an orderly end.

On SIGTERM the server accepts no more and lets each request under way finish.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What the client asked: its body, and the parts of the path that the route names."""

    body: bytes = b""
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A status with a page (text) or data (anything else, sent as JSON)."""

    status: int
    content: Any = ""
    location: str = ""


Route = Callable[[Request], Answer]


class Routes:
    """The functions that answer, by method and path; ``{name}`` in a path is one part of it."""

    def __init__(self) -> None:
        self._known: list[tuple[str, re.Pattern[str], Route]] = []

    def on(self, method: str, path: str) -> Callable[[Route], Route]:
        """Let the decorated function answer METHOD PATH."""

        def add(function: Route) -> Route:
            pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
            self._known.append((method, pattern, function))
            return function

        return add

    def answer(self, method: str, path: str, body: bytes = b"") -> Answer:
        """The answer to one request; 404 and 405 where nobody is there to give one."""
        others = False
        for known, pattern, function in self._known:
            if found := pattern.fullmatch(path):
                if known == method:
                    return function(Request(body, found.groupdict()))
                others = True
        return Answer(405 if others else 404, {"error": "there is nothing here"})


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    timeout = 75
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.connection)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return self.send(Answer(413, {"error": "too long"}))
        path = self.path.partition("?")[0]
        try:
            found = self.server.routes.answer(self.command, path, self.rfile.read(length))
        except Exception as error:
            self.log_error("%s %s: %r", self.command, self.path, error)
            found = Answer(500, {"error": "something is wrong here"})
        return self.send(found)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def send(self, answer: Answer) -> None:
        """Send an answer, and say when it is the connection's last one."""
        is_page = isinstance(answer.content, str)
        kind = "text/html; charset=utf-8" if is_page else "application/json"
        data = (answer.content if is_page else json.dumps(answer.content) + "\n").encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if answer.location:
            self.send_header("Location", answer.location)
        if self.server.stopping.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that went well."""


class Server(ThreadingHTTPServer):
    """Serves on all addresses; ``run`` returns after SIGTERM, with nothing cut off."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, routes: Routes) -> None:
        super().__init__(("", port), Handler)
        self.routes = routes
        self.open_sockets: set[socket.socket] = set()
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def run(self) -> None:
        """Serve until SIGTERM."""
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=self.stop).start())
        self.serve_forever(poll_interval=0.1)
        self.server_close()  # waits for the requests under way

    def stop(self) -> None:
        """Accept no more; idle connections end, busy ones can still answer."""
        self.stopping.set()
        self.shutdown()
        for connection in list(self.open_sockets):
            with contextlib.suppress(OSError):  # it has just ended by itself
                connection.shutdown(socket.SHUT_RD)
