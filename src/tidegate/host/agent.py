"""The process behind `tidegate@INSTANCE.service`: it carries one open deployment to its end.

It lives only while a deployment is open. SIGKILL, lost SSH and reboot all lead to the same
start: read the record, take the decision that is recorded, or wait for the lease to run out
and then undo.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from typing import Any, Dict, Optional

from tidegate.host import clock, deployment, journal, migrations, protocol
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.journal import Journal
from tidegate.host.ops import Ops
from tidegate.host.paths import Paths
from tidegate.host.run import CancelledError
from tidegate.host.wire import Wire, failure, success

# A record that a newer Tidegate wrote: systemd must not start us again (RestartPreventExitStatus).
NEWER = 3
TICK_S = 0.1
# A host in doubt asks its witness again after so long.
AGAIN_S = 2.0
# Answers to the same request are repeated, not worked out again.
REMEMBERED = 64


class Agent:
    """Serves requests over the instance's socket and watches the lease."""

    def __init__(self, paths: Paths, record: Dict[str, Any]) -> None:
        self.paths = paths
        self.journal = Journal(paths.journal(int(record["number"])))
        self.context = Context(paths, record, self.journal, threading.Event())
        self.ops = Ops(self.context)
        self.ended = threading.Event()
        self._answers: Dict[str, Dict[str, Any]] = {}
        self._work = threading.Lock()
        self._lease = threading.Lock()
        self._ask_at = 0.0
        self.renew(float(record["lease_s"]))

    def renew(self, lease_s: float) -> None:
        """The controller lives: give it `lease_s` more seconds."""
        with self._lease:
            self._deadline = clock.boottime() + lease_s

    def serve(self) -> None:
        """Recover what is decided, then answer until the deployment is closed."""
        listener = _listen(self.paths)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        notify_ready()
        self._recover()
        while not self.ended.wait(TICK_S):
            if self._lapsed():
                self._give_up()
        listener.close()
        _remove_socket(self.paths)

    def _lapsed(self) -> bool:
        """Whether the controller is gone; a host in doubt does not wait for it any more."""
        if self.context.record["state"] == "in-doubt":
            return clock.boottime() > self._ask_at
        with self._lease:
            return clock.boottime() > self._deadline

    def _recover(self) -> None:
        """Go on with what was decided; an undecided deployment waits for its controller."""
        with self._work:
            state = self.context.record["state"]
            outcome = self.ops.outcome()
            if outcome and state not in protocol.ENDED:
                self.context.info("recover", f"the decision was {outcome}")
                self._finish(outcome)

    def _give_up(self) -> None:
        """The lease ran out: undo alone, or ask the witness where we have voted; then close."""
        self.context.cancel.set()
        with self._work:
            if self.ended.is_set() or not self._lapsed():
                return
            state = self.context.record["state"]
            if state not in (*protocol.ENDED, *protocol.ENDING, "in-doubt"):
                self.context.info("recover", "the controller is gone: its lease ran out")
                self.ops.lapse()
        outcome = self._outcome()
        with self._work:
            if self.context.record["state"] not in protocol.ENDED:
                if not outcome:
                    return
                self._finish(outcome)
            self._close()

    def _outcome(self) -> str:
        """What is recorded here or, in doubt, on the witness; nothing while that is silent."""
        if self.context.record["state"] != "in-doubt" or self.ops.outcome():
            return self.ops.outcome()
        try:
            return self.ops.ask()
        except HostError as problem:
            self._ask_at = clock.boottime() + AGAIN_S
            self.context.info("in-doubt", f"keeping both versions: {problem.message}")
            return ""

    def _finish(self, outcome: str) -> None:
        self.context.cancel.clear()
        try:
            self.ops.finish({"outcome": outcome})
        except HostError as problem:
            self.context.info("recover", f"will be tried again: {problem.message}")
            raise SystemExit(1) from None

    def _close(self) -> None:
        migrations.settle(self.context)
        deployment.close(self.paths)
        self.ended.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        wire = Wire(connection.makefile("rb"), connection.makefile("wb"))
        first = wire.read() or {}
        after = int(first.get("from", 0))
        for event in journal.read(self.paths.journal(self.context.number), after):
            wire.write({"event": event})
        self.journal.listen(wire.event)
        try:
            while True:
                request = wire.read()
                if request is None:
                    return
                threading.Thread(target=self._answer, args=(wire, request), daemon=True).start()
        except (HostError, OSError, ValueError):
            return
        finally:
            self.journal.forget(wire.event)

    def _answer(self, wire: Wire, request: Dict[str, Any]) -> None:
        ident = str(request.get("id", ""))
        try:
            if request["op"] in UNQUEUED:
                answer = self._unqueued(request)
            else:
                with self._work:
                    answer = self._answers.get(ident) or self._work_out(request)
                    self._remember(ident, answer)
        except SystemExit:
            os._exit(1)
        except Exception as problem:  # this thread's end would leave the controller waiting
            answer = failure(self._state(), as_host_error(problem))
        wire.answer(ident, answer)
        if request["op"] == "release" and answer["ok"]:
            self.ended.set()

    def _remember(self, ident: str, answer: Dict[str, Any]) -> None:
        if ident:
            self._answers[ident] = answer
            while len(self._answers) > REMEMBERED:
                self._answers.pop(next(iter(self._answers)))

    def _unqueued(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Requests that are answered while another is at work."""
        self._entitled(request)
        op, args = request["op"], request.get("args") or {}
        result: Dict[str, Any] = {}
        if op == "renew":
            self.renew(float(args.get("lease_s", self.context.record["lease_s"])))
        elif op == "fence":
            self.ops.settle(str(args.get("outcome") or ""))
            self.renew(-1.0)
        else:
            result["outcome"] = self.ops.decide(str(args.get("outcome")))
            if result["outcome"] == "abort":
                self.context.cancel.set()
        return success(self._state(), result)

    def _work_out(self, request: Dict[str, Any]) -> Dict[str, Any]:
        op, args = request["op"], request.get("args") or {}
        try:
            if op == "acquire":
                raise deployment.locked(self.context.record)
            if op not in OPS:
                raise HostError("input", "unknown-op", f"no operation {op!r}", subject=op)
            self._entitled(request)
            if "lease_s" in args:
                self.renew(float(args["lease_s"]))
            if op == "release":
                return self._release()
            result = getattr(self.ops, op)(args)
            return success(self._state(), result)
        except (HostError, CancelledError, OSError) as problem:
            return self._failed(op, problem)

    def _failed(self, op: str, problem: BaseException) -> Dict[str, Any]:
        """A bad prepare or switch is put back at once; the answer says why and the state."""
        error = as_host_error(problem)
        if op in ("prepare", "migrate", "switch") and protocol.undoes_alone(
            self.context.record["state"]
        ):
            self.ops.give_up()
            self._finish("abort")
        return failure(self._state(), error)

    def _release(self) -> Dict[str, Any]:
        self.ops.release()
        deployment.close(self.paths)
        return success("idle", {})

    def _entitled(self, request: Dict[str, Any]) -> None:
        """Only who holds the token; a newer one may say that this deployment is over."""
        record = self.context.record
        token = int(request.get("token") or 0)
        newer = request["op"] == "fence" and protocol.may_join(token, record["token"])
        if token != record["token"] and not newer:
            raise deployment.stale(str(request.get("deployment", "")), record)

    def _state(self) -> str:
        return deployment.public_state(self.context.record)


OPS = frozenset(
    {"secrets", "part", "prepare", "migrate", "switch", "watch", "verify", "verdict", "finish"}
    | {"note", "release", "seed", "destroy", "retire"}
)
UNQUEUED = frozenset({"renew", "decide", "fence"})


def as_host_error(problem: BaseException) -> HostError:
    """Any failure as the protocol's error."""
    if isinstance(problem, HostError):
        return problem
    if isinstance(problem, CancelledError):
        return HostError("refused", "cancelled", "the deployment was given up", hint="")
    if isinstance(problem, OSError) and problem.errno == 28:
        return HostError(
            "error",
            "disk-full",
            "the disk of this host is full",
            subject=str(problem.filename or ""),
            hint="free some space, then deploy again",
        )
    return HostError("error", "host-failed", f"{type(problem).__name__}: {problem}")


def serve(paths: Paths) -> int:
    """Carry the open deployment to its end; returns the exit status for systemd."""
    try:
        record: Optional[Dict[str, Any]] = deployment.load(paths)
    except HostError as problem:
        print(json.dumps(problem.as_dict()), flush=True)
        return NEWER
    if record is None:
        # Killed right after the deployment was closed: systemd does not ask the unit's
        # condition again before a restart, and an end without READY would be a failure.
        notify_ready()
        return 0
    Agent(paths, record).serve()
    return 0


def notify_ready() -> None:
    """Tell systemd that the socket answers: sd_notify(3), READY=1."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"READY=1", address.replace("@", "\0", 1))


def _listen(paths: Paths) -> socket.socket:
    paths.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_socket(paths)
    listener = socket.socket(socket.AF_UNIX)
    old = os.umask(0o177)
    try:
        listener.bind(str(paths.socket))
    finally:
        os.umask(old)
    listener.listen(16)
    return listener


def _remove_socket(paths: Paths) -> None:
    with contextlib.suppress(FileNotFoundError):
        paths.socket.unlink()
