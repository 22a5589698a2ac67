"""A small HTTP server: a thread per connection, keep-alive, websockets, an orderly end.

On SIGTERM it accepts no more, lets each request under way finish, and closes the rest.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, str | dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """What the client asked, but for the path."""

    query: dict[str, str]
    body: bytes


Route = Callable[[Request], Answer]
ROUTES: dict[tuple[str, str], Route] = {}

WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def route(method: str, path: str) -> Callable[[Route], Route]:
    """Let the decorated function answer METHOD PATH."""

    def add(function: Route) -> Route:
        ROUTES[method, path] = function
        return function

    return add


def not_found(_: Request) -> Answer:
    return 404, "not found\n"


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

    def answer(self) -> None:
        url = urlsplit(self.path)
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        function = ROUTES.get((self.command, url.path), not_found)
        try:
            status, content = function(Request(dict(parse_qsl(url.query)), body))
        except Exception as error:
            self.log_error("%s: %r", self.path, error)
            status, content = 500, {"error": str(error)}
        return self.send(status, content)

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

    def send(self, status: int, content: str | dict[str, Any]) -> None:
        is_text = isinstance(content, str)
        kind = "text/html; charset=utf-8" if is_text else "application/json"
        data = (content if is_text else json.dumps(content) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.server.stopping.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def echo(self) -> None:
        """Send every text back until the other side closes (RFC 6455)."""
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_KEY, usedforsecurity=False).digest())
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        for kind, data in frames(self.rfile):
            reply = {PING: PONG}.get(kind, kind)
            self.wfile.write(bytes([0x80 | reply]) + length(len(data)) + data)
            self.wfile.flush()
            if kind == CLOSE:
                return

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that went well."""


def length(size: int) -> bytes:
    """The length field of an unmasked frame."""
    if size < 126:
        return bytes([size])
    return struct.pack("!BH", 126, size) if size < 65536 else struct.pack("!BQ", 127, size)


def frames(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each frame's kind and its unmasked data, until the stream ends."""
    while len(head := stream.read(2)) == 2:
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", stream.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", stream.read(8))
        mask = stream.read(4)
        data = stream.read(size)
        yield head[0] & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(data))


class Server(ThreadingHTTPServer):
    """Serves ROUTES on all addresses; ``run`` returns after SIGTERM, with nothing cut off."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("", port), Handler)
        self.open_sockets: set[socket.socket] = set()
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=self.stop).start())
        self.serve_forever(poll_interval=0.1)
        self.server_close()  # waits for the requests under way

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in list(self.open_sockets):  # idle ones end, busy ones can still answer
            with contextlib.suppress(OSError):  # it has just ended by itself
                connection.shutdown(socket.SHUT_RD)
