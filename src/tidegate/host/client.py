"""A controller on the server itself: the same pipe, without SSH."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import uuid
from typing import Any, BinaryIO, Callable, Dict, Optional, cast

from tidegate.host import deployment, generations
from tidegate.host.errors import HostError
from tidegate.host.files import read_json
from tidegate.host.paths import Paths
from tidegate.host.wire import Wire

LEASE_S = 15.0


class Client:
    """Speaks to `tidegate-host attach`; renews the lease while it is open."""

    def __init__(self, paths: Paths, show: Callable[[Dict[str, Any]], None]) -> None:
        self.deployment = ""
        self._paths = paths
        self._show = show
        self._token = 0
        self._done = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-I", sys.argv[0], "attach", "--project", paths.instance],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._wire = Wire(cast(BinaryIO, self._process.stdout), cast(BinaryIO, self._process.stdin))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def acquire(self, environment: str, owner: str, reason: str) -> None:
        """Open a deployment and keep its lease."""
        answer = self.call(
            "acquire",
            {"environment": environment, "owner": owner, "reason": reason, "lease_s": LEASE_S},
        )
        self.deployment, self._token = answer["deployment"], answer["token"]
        threading.Thread(target=self._renew, daemon=True).start()

    def join(self, told: Dict[str, Any], owner: str, environment: str) -> None:
        """Open a deployment that the witness has decided, and keep its lease."""
        self.deployment, self._token = told["deployment"], int(told["token"])
        mine = generations.host_of(self._paths, deployment.current_number(self._paths))
        self.call(
            "join",
            {
                "environment": environment,
                "owner": owner,
                "reason": "by hand",
                "lease_s": LEASE_S,
                "number": told["number"],
                "token": told["token"],
                "host": mine,
                "witness": read_json(self._paths.witness_place),
            },
        )
        threading.Thread(target=self._renew, daemon=True).start()

    def put_back(self) -> None:
        """End what was begun as it is recorded, or by abort; what cannot, the lease's end does."""
        with contextlib.suppress(HostError):
            outcome = self.call("decide", {"outcome": "abort"})["outcome"]
            self.call("finish", {"outcome": outcome})
            self.call("release", {})

    def call(self, op: str, args: Dict[str, Any]) -> Dict[str, Any]:
        """One request and its answer; HostError when the host says no."""
        ident = self._send(op, args)
        while True:
            frame = self._wire.read()
            if frame is None:
                raise HostError("error", "agent-down", "the pipe to the deployment broke")
            if "event" in frame:
                self._show(frame["event"])
            if frame.get("id") == ident:
                return self._result(frame)

    def _result(self, frame: Dict[str, Any]) -> Dict[str, Any]:
        if frame["ok"]:
            found: Dict[str, Any] = frame["result"]
            return found
        error = frame["error"]
        raise HostError(
            error["class"],
            error["code"],
            error["message"],
            subject=error["subject"],
            hint=error["hint"],
            log=error["log"],
        )

    def _send(self, op: str, args: Dict[str, Any], ident: Optional[str] = None) -> str:
        ident = ident or uuid.uuid4().hex
        self._wire.write(
            {
                "v": 1,
                "id": ident,
                "op": op,
                "deployment": self.deployment,
                "token": self._token,
                "args": args,
            }
        )
        return ident

    def _renew(self) -> None:
        while not self._done.wait(LEASE_S / 3):
            self._send("renew", {"lease_s": LEASE_S}, "renew")
