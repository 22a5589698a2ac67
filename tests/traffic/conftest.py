"""A lab server on which two services stand behind a front and the edge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.traffic.specs import CASES
from tidegate.host.build import zipapp
from tidegate.lab import Server
from tidegate.testing.prove.site import fresh

PARTS = Path(__file__).with_name("on_server")
HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello"
FOLDER = "/home/deploy/stage"
NAME = "test-traffic"


class Stage(NamedTuple):
    """The server, and the commands of ``on_server/stage.py`` there."""

    server: Server
    do: Callable[..., Any]


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A new server with everything running, slot a live."""
    lab = fresh(NAME)
    server = lab.server(NAME)
    server.run(["mkdir", "-p", f"{FOLDER}/configs"])
    files = {path.name: path.read_bytes() for path in PARTS.glob("*.py")}
    files["server.py"] = (HELLO / "server.py").read_bytes()
    files["tidegate.pyz"] = zipapp()
    files.update({f"configs/{path.name}": path.read_bytes() for path in CASES.glob("*.cfg")})
    files.update({f"configs/{name}": b"" for name in ("live.map", "callers.map")})
    for name, data in files.items():
        server.run(["sh", "-c", f"cat > {FOLDER}/{name}"], input=data)

    def do(*words: str) -> Any:
        argv = ["env", f"PYTHONPATH={FOLDER}/tidegate.pyz", "python3", f"{FOLDER}/stage.py"]
        return json.loads(server.run([*argv, *words]).stdout)

    assert do("up") == "started"
    yield Stage(server, do)
    lab.down()
