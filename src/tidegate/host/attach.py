"""`tidegate-host attach`: a controller's one SSH command, a pipe to the open deployment.

What only reads is answered here. `acquire` opens a deployment and starts its unit; from then
on frames go to the agent's socket. When the agent dies, systemd starts it again and the
requests that it did not answer are handed to it once more.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from typing import Any, Dict, Optional

from tidegate.host import clock, deployment, facts, gate, office, systemd
from tidegate.host.agent import as_host_error
from tidegate.host.errors import HostError
from tidegate.host.paths import Paths
from tidegate.host.wire import Frame, Wire, failure, success

# How long an older deployment may take to end when a newer one comes.
FENCE_S = 40.0
# How long an agent that was killed may take to be back.
BACK_S = 20.0


class Attachment:
    """One controller's connection to one instance on this host."""

    def __init__(self, paths: Paths, after: int) -> None:
        self.paths = paths
        self.out = Wire(sys.stdin.buffer, sys.stdout.buffer)
        self._after = after
        self._agent: Optional[Wire] = None
        self._pending: Dict[str, Frame] = {}
        self._lock = threading.Lock()

    def serve(self) -> int:
        """Say hello, then answer or pass on until standard input ends."""
        record = deployment.load(self.paths)
        self.out.write({"hello": facts.hello(self.paths, record)})
        if record is not None:
            # It may be closed just now; what only reads is answered either way.
            with contextlib.suppress(HostError):
                self._connect()
        while True:
            request = self.out.read()
            if request is None:
                return 0
            try:
                self._handle(request)
            except (HostError, OSError) as problem:
                self._refuse(request, as_host_error(problem))

    def _handle(self, request: Frame) -> None:
        op = request.get("op", "")
        args: Dict[str, Any] = request.get("args") or {}
        if op == "hello":
            hello = facts.hello(self.paths, deployment.load(self.paths))
            self._reply(request, hello)
        elif op in facts.STANDING:
            threading.Thread(target=self._read, args=(request,), daemon=True).start()
        elif op == "join":
            self._join(args)
            self._reply(request, {})
        elif op == "acquire":
            record = self._acquire(args, str(request.get("id", "")))
            self._reply(request, {k: record[k] for k in ("deployment", "token", "number")})
        else:
            self._pass_on(request)

    def _read(self, request: Frame) -> None:
        try:
            self._reply(
                request, facts.STANDING[request["op"]](self.paths, request.get("args") or {})
            )
        except Exception as problem:  # this thread's end would leave the controller waiting
            self._refuse(request, as_host_error(problem))

    def _acquire(self, args: Dict[str, Any], ident: str) -> Dict[str, Any]:
        """Open a deployment; the same request again (after a lost answer) finds its own."""
        record = deployment.load(self.paths)
        if record is None or not ident or record.get("request") != ident:
            office.claim(self.paths, str(args.get("host") or ""))
            gate.admit(self.paths, args)
            record = deployment.acquire(self.paths, {**args, "request": ident}, clock.wall())
        self._connect()
        return record

    def _join(self, args: Dict[str, Any]) -> None:
        """Open the witness's deployment here; an older one that is still open ends first."""
        until = time.monotonic() + FENCE_S
        while True:
            record = deployment.join(self.paths, args, clock.wall())
            if record is not None:
                office.remember(self.paths, args.get("witness") or {})
                self._after = 0
                self._connect()
                return
            older = deployment.load(self.paths)
            if older is not None and time.monotonic() > until:
                raise HostError(
                    "refused",
                    "in-doubt",
                    f"{older['deployment']} has not ended on this host: its witness is silent",
                    subject=older["deployment"],
                    hint="`tidegate status` says what it waits for",
                )
            with contextlib.suppress(HostError, OSError):
                self._connect()
            fence = {"id": "fence", "op": "fence", "token": args["token"], "args": {}}
            with self._lock:
                if self._agent is not None:
                    self._agent.write(fence)
            time.sleep(0.2)

    def _pass_on(self, request: Frame) -> None:
        if deployment.load(self.paths) is None:
            raise deployment.stale(str(request.get("deployment", "")), None)
        with self._lock:
            self._pending[str(request.get("id", ""))] = request
            agent = self._agent
        if agent is None:
            self._connect()
        else:
            agent.write(request)

    def _connect(self) -> None:
        """(Re)start the agent, join its events, hand it what is unanswered."""
        deadline = time.monotonic() + BACK_S
        while True:
            try:
                systemd.systemctl("start", f"tidegate@{self.paths.instance}.service", check=False)
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(self.paths.socket))
                break
            except OSError:
                if deployment.load(self.paths) is None or time.monotonic() > deadline:
                    raise HostError(
                        "error",
                        "agent-down",
                        "the deployment's unit does not answer",
                        subject=f"tidegate@{self.paths.instance}.service",
                        hint=f"on the host: systemctl --user status tidegate@{self.paths.instance}",
                    ) from None
                time.sleep(0.05)
        wire = Wire(connection.makefile("rb"), connection.makefile("wb"))
        wire.write({"from": self._after})
        with self._lock:
            self._agent = wire
            unanswered = list(self._pending.values())
        for request in unanswered:
            wire.write(request)
        threading.Thread(target=self._pump, args=(wire,), daemon=True).start()

    def _pump(self, wire: Wire) -> None:
        """From the agent to the controller, until the agent ends."""
        try:
            for frame in iter(wire.read, None):
                if "event" in frame:
                    self._after = frame["event"]["seq"]
                else:
                    with self._lock:
                        self._pending.pop(str(frame.get("id", "")), None)
                self.out.write(frame)
        except (OSError, HostError):
            pass
        self._agent_gone()

    def _agent_gone(self) -> None:
        with self._lock:
            self._agent = None
            unanswered = dict(self._pending)
        if not unanswered:
            return
        try:
            if deployment.load(self.paths) is None:
                raise HostError(
                    "refused",
                    "stale-token",
                    "the deployment was closed on this host",
                    hint="deploy again",
                )
            self._connect()
        except (HostError, OSError) as problem:
            for request in unanswered.values():
                self._refuse(request, as_host_error(problem))

    def _reply(self, request: Frame, result: Any) -> None:
        state = deployment.public_state(deployment.load(self.paths))
        self.out.answer(str(request.get("id", "")), success(state, result))

    def _refuse(self, request: Frame, problem: HostError) -> None:
        with self._lock:
            self._pending.pop(str(request.get("id", "")), None)
        self.out.answer(str(request.get("id", "")), failure("idle", problem))
