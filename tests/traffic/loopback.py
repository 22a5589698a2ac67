"""A real HAProxy on loopback, and copies that answer with their own names."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tidegate.host.front import command, ready
from tidegate.traffic.proxy import FOLDER


def version() -> tuple[int, ...]:
    """HAProxy's version here; (0,) where there is none."""
    if shutil.which("haproxy") is None:
        return (0,)
    told = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else (0,)


needs_haproxy = pytest.mark.skipif(
    version() < (3, 0), reason="needs the fronts' HAProxy: 3.0 or newer"
)


class Answers(socketserver.BaseRequestHandler):
    """Answers HTTP with the copy's name, any other bytes with its name before them."""

    def handle(self) -> None:
        """Until the caller goes."""
        name: bytes = self.server.name  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                if b" HTTP/1." not in data:
                    self.request.sendall(name + b":" + data)
                    continue
                if b"/slow" in data:
                    time.sleep(0.6)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(name)
                self.request.sendall(head + name)


class Server(socketserver.ThreadingTCPServer):
    """One copy at an address of its own."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        super().__init__(address, Answers)
        self.name = name.encode()


@contextlib.contextmanager
def served(name: str, address: str, port: int) -> Iterator[None]:
    """A copy that runs until the end."""
    with Server(name, (address, port)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()


@contextlib.contextmanager
def proxied(folder: Path, fds: Mapping[str, int] | None = None) -> Iterator[None]:
    """HAProxy on a folder's haproxy.cfg as in its container, `fds` passed in by these names."""
    given = fds or {}
    process = subprocess.Popen(
        command().replace(FOLDER, str(folder)).split(),
        env={**os.environ, **{name: str(fd) for name, fd in given.items()}},
        pass_fds=tuple(given.values()),
        stderr=subprocess.DEVNULL,
    )
    try:
        ready(folder)
        yield
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port that nobody has on any loopback address."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        return int(taken.getsockname()[1])


def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`folder`, which is at its own path for the proxy, too: there is no container around it."""
    for module in ("proxy", "front", "edge", "admin"):
        monkeypatch.setattr(f"tidegate.traffic.{module}.FOLDER", str(folder))
    return folder


def told(connection: socket.socket, data: bytes) -> bytes:
    """Send, and what comes back first."""
    connection.sendall(data)
    return connection.recv(65536)


def get(connection: socket.socket, path: str = "/", host: str = "x") -> str:
    """One HTTP request on a connection: its body, or its status where it is not 200."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed without an answer")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status = head.split()[1].decode()
    return (body or connection.recv(65536)).decode() if status == "200" else status
