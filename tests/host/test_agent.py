"""The process that carries a deployment answers whatever happens to it."""

from __future__ import annotations

import errno
import io
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tidegate.host import deployment
from tidegate.host.agent import Agent
from tidegate.host.paths import Paths
from tidegate.host.wire import Wire


def full(*_: Any) -> None:
    """What every writer meets on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device", "/home/deploy/journal")


@pytest.mark.parametrize("op", ["prepare", "decide"])
def test_a_full_disk_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, op: str) -> None:
    """Also where not even the undoing can be written: a controller must not wait for ever."""
    paths = Paths(tmp_path, "hello")
    paths.root.mkdir(parents=True)
    record = deployment.acquire(paths, {"environment": "production", "owner": "me"}, "now")
    agent = Agent(paths, record)
    for name in ("prepare", "decide"):
        monkeypatch.setattr(agent.ops, name, full)
    here, there = socket.socketpair()
    with here, there:
        thread = threading.Thread(target=agent._converse, args=(there,), daemon=True)
        thread.start()
        wire = Wire(io.BytesIO(), here.makefile("wb"))
        wire.write({"from": 0})
        args = {"outcome": "abort"} if op == "decide" else {}
        wire.write({"id": "1", "op": op, "token": record["token"], "args": args})
        here.settimeout(10)
        answer = json.loads(here.makefile("rb").readline())
    assert (answer["id"], answer["ok"], answer["error"]["code"]) == ("1", False, "disk-full")
