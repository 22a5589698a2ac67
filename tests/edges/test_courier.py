"""Messages reach real servers on this machine, later where they must, and tell no secrets."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tidegate.edges import courier
from tidegate.edges.courier import Letter

TOKEN = "T0KENVALUE"


class Hook:
    """A webhook: it answers with these statuses, then with 200; ``wait_s`` before each."""

    def __init__(self, *statuses: int, wait_s: float = 0.0) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.statuses = list(statuses)
        self.wait_s = wait_s
        self.address = ""

    def letter(self, path: str = f"/hook?key={TOKEN}") -> Letter:
        """A letter to it."""
        return Letter(f"http://{self.address}{path}", "shop: production/4 serves", "by me")


@contextmanager
def listening(hook: Hook) -> Iterator[Hook]:
    """The webhook on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(hook.wait_s)
            hook.heard.append((self.path, json.loads(body)))
            self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hook
        server.shutdown()


def test_what_is_down_is_tried_again() -> None:
    """Until it takes the message, which arrives once, at the very address that was given."""
    with listening(Hook(503, 502)) as hook:
        [done] = courier.deliver([hook.letter()], (0, 0.05, 0.05, 0.05))
    assert done.why == ""
    assert [path for path, _ in hook.heard] == [f"/hook?key={TOKEN}"] * 3
    assert hook.heard[-1][1]["title"] == "shop: production/4 serves"
    assert hook.heard[-1][1]["message"] == "by me"


def test_why_tells_no_secret() -> None:
    """The reason is told, and neither the token in the path nor that in the query."""
    with listening(Hook(404)) as hook:
        told = courier.send(hook.letter(f"/{TOKEN}/x?key={TOKEN}"))
    assert "404" in told.why
    nobody = courier.send(Letter(f"http://127.0.0.1:1/{TOKEN}", "t", "b"))
    assert nobody.why
    assert TOKEN not in str((told, nobody))
    said = courier.masked(f"no {TOKEN} at hooks.example", f"https://hooks.example/a/{TOKEN}")
    assert said == "no *** at hooks.example"


def test_nobody_waits_for_a_slow_one() -> None:
    """The command goes on, and the message arrives all the same."""
    with listening(Hook(wait_s=2.5)) as hook:
        began = time.monotonic()
        assert not courier.dispatch([hook.letter()], patience_s=0.2)
        assert time.monotonic() - began < 2
        while not hook.heard:
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        assert courier._left[-1].wait(20) == 0
        assert courier.dispatch([hook.letter()], patience_s=30)


def test_what_never_arrived_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next command, without the address."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not courier.dispatch([Letter(f"nosuch://{TOKEN}", "title", "body")], patience_s=30)
    [lost] = courier.undelivered()
    assert (lost["title"], lost["why"]) == ("title", courier.UNKNOWN)
    assert TOKEN not in str(lost)
    assert courier.undelivered() == []


def test_services_keep_their_own_forms() -> None:
    """Slack's and Teams' webhooks are not just any; what has a scheme of its own stays."""
    slack = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    teams = (
        "https://prod-1.westus.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual/"
        "paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=KODuebWbDGYFr0z0eu"
    )
    for to in (slack, teams, "mailtos://me:secret@example.com"):
        assert courier.address(to) == to
    assert courier.address("https://me:pw@ci.example.com:8443/a") == (
        "jsons://me:pw@ci.example.com:8443/a"
    )


class Mail(socketserver.StreamRequestHandler):
    """As much of an SMTP server as a client needs (RFC 5321)."""

    heard: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.heard.append(text.decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def test_mail() -> None:
    """A message is a mail with its title as the subject."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_address[1]}"
        to = f"mailto://{place}?from=tidegate@example.com&to=team@example.com"
        assert courier.send(Letter(to, "production/4 serves", "by me")).why == ""
        server.shutdown()
    [mail] = Mail.heard
    assert "Subject: production/4 serves" in mail
    assert "team@example.com" in mail
