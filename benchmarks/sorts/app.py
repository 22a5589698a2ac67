"""Five small services in one image; each answer says which copy gave it.

``python app.py web|api|chat|echo|store``. ``server.py`` is that of examples/hello.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import socketserver
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
from server import ROUTES, Answer, Request, Server, route

ROLE = sys.argv[1]
VERSION = Path(__file__).with_name("VERSION").read_text().strip()
WHO: dict[str, Any] = {"service": ROLE, "version": VERSION, "host": socket.gethostname()}
PEERS = ("api", "chat", "store")
idle: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()


def ask(service: str) -> Any:
    """The answer of another service, called by its name as its callers do."""
    with urlopen(f"http://{service}:8000/version", timeout=5) as answer:
        return json.load(answer)


def ask_echo() -> dict[str, str]:
    """The TCP service says its version when asked for it."""
    with socket.create_connection(("echo", 7000), 5) as connection:
        connection.sendall(b"version?\n")
        return {"service": "echo", "version": connection.makefile().readline().strip()}


def first_called() -> str:
    """Which version of api this copy reached when it was new."""
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        try:
            return str(ask("api")["version"])
        except OSError:
            time.sleep(0.1)
    return "none"


def connect() -> psycopg.Connection:
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id text PRIMARY KEY)")
    return connection


def execute(query: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """One committed statement over a connection that was idle, or a new one."""
    try:
        connection = idle.get_nowait()
        try:
            connection.execute("SELECT 1")
        except psycopg.OperationalError:
            connection = connect()
    except queue.Empty:
        connection = connect()
    with connection.transaction():
        cursor = connection.execute(query.encode(), values)
        found = cursor.fetchall() if cursor.description else []
    idle.put(connection)
    return found


@route("GET", "/version")
@route("GET", "/health")
def version(_: Request) -> Answer:
    return 200, WHO


@route("GET", "/slow")
def slow(request: Request) -> Answer:
    time.sleep(min(float(request.query.get("s", "2")), 10))
    return 200, WHO


@route("GET", "/internal")
def internal(_: Request) -> Answer:
    return 200, {"caller": WHO, "called": ask("api")}


@route("GET", "/all")
def everything(_: Request) -> Answer:
    """The copy of each service that serves now, as callers inside see it."""
    return 200, {"web": WHO, **{name: ask(name) for name in PEERS}, "echo": ask_echo()}


@route("POST", "/rows")
def write(request: Request) -> Answer:
    execute("INSERT INTO rows VALUES (%s) ON CONFLICT DO NOTHING", (request.body.decode(),))
    return 201, {}


@route("GET", "/rows")
def rows(_: Request) -> Answer:
    return 200, {"ids": [name for (name,) in execute("SELECT id FROM rows")]}


class Echo(socketserver.StreamRequestHandler):
    """Line by line, until the client has enough."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(f"{VERSION}\n".encode() if line == b"version?\n" else line)


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    print(f"{ROLE} {VERSION}", flush=True)
    if ROLE == "echo":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        EchoServer(("", 7000), Echo).serve_forever()
    if ROLE == "web":
        WHO["first_called"] = first_called()
    if ROLE == "store":
        with Path("/store/starts").open("a") as starts:
            starts.write(f"{VERSION}\n")
    Server(8000).run()


if __name__ == "__main__":
    assert ROUTES
    main()
