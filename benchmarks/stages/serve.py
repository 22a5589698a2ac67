"""Says which version it is, and brings rows to the store.

VERSION is a number and a word for what is wrong with it: ``sick STAGE`` or ``sick HOST`` is
never healthy there.
"""

import http.server
import json
import os
import pathlib
from typing import Any

from ask import ask

NUMBER, _, WRONG = pathlib.Path("VERSION").read_text().strip().partition(" ")
HOST = pathlib.Path("/host").read_text().strip()
SICK = WRONG in (f"sick {os.environ['STAGE']}", f"sick {HOST}")


def whole() -> "dict[str, str]":
    """Each part of the release that a copy can see, by its version."""
    parts = {"image": NUMBER, "greeting": os.environ["GREETING"], "token": os.environ["TOKEN"]}
    return {**parts, "file": pathlib.Path("/motd").read_text()}


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /, /health, /rows; POST /rows with a row's name."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """What is asked for."""
        if self.path == "/health":
            self.answer(503 if SICK else 200, "sick" if SICK else "well")
        elif self.path == "/rows":
            self.answer(200, ask("http://store:8000/rows"))
        else:
            self.answer(200, json.dumps(whole()))

    def do_POST(self) -> None:
        """A row for the store."""
        row = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, ask("http://store:8000/rows", row))

    def answer(self, status: int, text: str) -> None:
        """Text, and no more."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a line for each request would be all that is in the journal."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
