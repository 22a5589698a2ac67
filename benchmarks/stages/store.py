"""Keeps lines: rows of clients at /rows, and at /done what migrations did. POST adds one."""

import http.server
import os
import pathlib
from typing import Any

DATA = pathlib.Path("/data")


class Handler(http.server.BaseHTTPRequestHandler):
    """One file for each path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """All lines."""
        file = DATA / self.path.strip("/")
        self.answer(200, file.read_bytes() if file.exists() else b"")

    def do_POST(self) -> None:
        """One more line, on the disk before it is acknowledged."""
        line = self.rfile.read(int(self.headers["Content-Length"])) + b"\n"
        with (DATA / self.path.strip("/")).open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.answer(201, b"kept")

    def answer(self, status: int, body: bytes) -> None:
        """Bytes, and no more."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
