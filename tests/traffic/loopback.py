"""The HAProxy of the fronts' own image on loopback, and copies that answer with their own names.

It runs in a chroot of the image's files, with a mount namespace of its own: this takes root, and
whatever HAProxy the machine has plays no part.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tidegate.host.front import command, ready
from tidegate.lab import Lab
from tidegate.lab.places import Places, default_places
from tidegate.traffic.proxy import FOLDER

IMAGE = "docker.io/library/haproxy:3.0"
INSIDE = 'root=$1; mount --bind "$2" "$1$3"; shift 3; exec chroot "$root" "$@"'
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@functools.cache
def image_root() -> Path:
    """The image's files in the lab's cache, taken out of it once per recipe."""
    places = default_places()
    with places.lock("test-haproxy"):
        if not (root := _place(places)).exists():
            lab = Lab.up((), places=places)  # the images; a server is not needed
            root = _place(places)
            _unpack(lab, root)
            lab.down()  # what servers share, unless there are some
    return root


def _place(places: Places) -> Path:
    recipe = places.registry / "images" / "haproxy"
    name = recipe.read_text()[:12] if recipe.exists() else "official"
    return places.cache / f"test-haproxy-{name}"


def _unpack(lab: Lab, root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        copy, made = Path(scratch, "copy"), Path(scratch, "root")
        registries = lab.env().get("CONTAINERS_REGISTRIES_CONF")
        skopeo = ["skopeo", f"--registries-conf={registries}"] if registries else ["skopeo"]
        subprocess.run([*skopeo, "copy", "--quiet", f"docker://{IMAGE}", f"dir:{copy}"], check=True)
        Path(f"{made}{FOLDER}").mkdir(parents=True)
        for layer in json.loads((copy / "manifest.json").read_text())["layers"]:
            blob = copy / layer["digest"].removeprefix("sha256:")
            subprocess.run(["tar", "-xf", str(blob), "-C", str(made)], check=True)
        made.rename(root)


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
    """HAProxy on a folder's haproxy.cfg as in its container, `fds` passed in by these names.

    What its journal would have on standard output is in the folder's file `journal`.
    """
    given = fds or {}
    inside = ["unshare", "--mount", "sh", "-ec", INSIDE, "sh"]
    with (folder / "journal").open("wb") as journal:
        process = subprocess.Popen(
            [*inside, image_root(), folder, FOLDER, *command().split()],
            env={"PATH": PATH, **{name: str(fd) for name, fd in given.items()}},
            pass_fds=tuple(given.values()),
            stdout=journal,
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
