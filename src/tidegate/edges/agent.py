"""The controller's end of one host: requests in, answers and events out, over one session.

A lost pipe is mended here: attach again from the last event seen and repeat what is still
unanswered under the same ids, which the host answers once only (host protocol 1). That goes
on for the lease, in seconds; after it the host has put itself back, and the error says so.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.edges import frames
from tidegate.edges.agent_install import ATTACH, Artifact, install
from tidegate.edges.process import Command
from tidegate.edges.ssh import Pipe, Ssh
from tidegate.edges.ssh_failures import BROKEN
from tidegate.errors import InfrastructureError, TidegateError

Listener = Callable[[str, Mapping[str, Any]], None]
Signer = Callable[[], str]
RETRY_S = 0.5


class Answer:
    """A request that waits for its response."""

    def __init__(self, host: str, op: str, line: bytes) -> None:
        self._host = host
        self.op = op
        self.line = line
        self._done = threading.Event()
        self._frame: Mapping[str, Any] = {}
        self._failure: TidegateError | None = None
        self.answered_at = 0.0

    def settle(self, frame: Mapping[str, Any]) -> None:
        """The response is here."""
        self._frame = frame
        self.answered_at = time.monotonic()
        self._done.set()

    def fail(self, failure: TidegateError) -> None:
        """There will be no response."""
        self._failure = failure
        self._done.set()

    def result(self, timeout_s: float | None = None) -> Mapping[str, Any]:
        """Wait for it; raises what the host said, or why it can say nothing."""
        if not self._done.wait(timeout_s):
            raise InfrastructureError(
                f"{self._host} has not answered {self.op} for {timeout_s:.0f} s",
                code="host-silent",
            )
        if self._failure is not None:
            raise self._failure
        if not self._frame.get("ok"):
            raise frames.error(self._host, self._frame)
        result = self._frame.get("result")
        return result if isinstance(result, dict) else {}


class Agent:
    """One host and one instance on it. Thread-safe: the lease is renewed from the side."""

    def __init__(
        self, ssh: Ssh, instance: str, artifact: Artifact, listener: Listener, signer: Signer
    ) -> None:
        self._ssh = ssh
        self._instance = instance
        self._artifact = artifact
        self._listener = listener
        self._signer = signer
        self._lock = threading.Lock()
        self._pending: dict[str, Answer] = {}
        self._prefix = secrets.token_hex(4)
        self._count = 0
        self._seen = 0
        self._pipe: Pipe | None = None
        self._closed = False
        self._lost: TidegateError | None = None
        self._patience_s = 0.0
        self._ours = False  # events before our own lock are somebody else's deployment
        self._forward: tuple[int, int] | None = None
        self._complaint: tuple[str, ...] = ()
        self.installed = False
        self.hello: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """The host's name in tidegate.yaml."""
        return self._ssh.name

    def attach(self, *first: tuple[str, Mapping[str, Any]]) -> list[Answer]:
        """Connect; the ``first`` requests are on their way before the host says hello.

        Uploads the host's tool when it is missing there or another version.
        """
        answers = [self.begin(op, args) for op, args in first]
        if not self._connect():
            install(self._ssh, self._artifact, self._signer())
            self.installed = True
            if not self._connect():
                raise InfrastructureError(
                    f"{self.name} does not start the tool that was just installed",
                    code="agent-install",
                    hint=f"try: ssh {self._ssh.destination.address} {ATTACH} --help",
                    log=self._complaint,
                )
        threading.Thread(target=self._read, name=f"read-{self.name}", daemon=True).start()
        return answers

    def begin(
        self, op: str, args: Mapping[str, Any], *, deployment: str = "", token: int = 0
    ) -> Answer:
        """Send a request and return at once."""
        with self._lock:
            self._count += 1
            self._ours = self._ours or op == "acquire"
            ident = f"{self._prefix}-{self._count}"
            line = frames.request(ident, op, deployment, token, args)
            answer = Answer(self.name, op, line)
            if self._lost is not None:
                answer.fail(self._lost)
                return answer
            self._pending[ident] = answer
            self._send(line)
        return answer

    def call(
        self,
        op: str,
        args: Mapping[str, Any],
        *,
        deployment: str = "",
        token: int = 0,
        timeout_s: float | None = None,
    ) -> Mapping[str, Any]:
        """Send a request and wait for its result."""
        return self.begin(op, args, deployment=deployment, token=token).result(timeout_s)

    def persist(self, patience_s: float) -> None:
        """How long a lost connection is worth mending: the lease, or 0 without one."""
        self._patience_s = patience_s

    def forward(self, local_port: int) -> int:
        """Our port as seen on the host; mended together with the connection."""
        if self._forward is None or self._forward[0] != local_port:
            self._forward = (local_port, self._ssh.forward(local_port))
        return self._forward[1]

    def close(self) -> None:
        """End the session; the connection stays open for the next command."""
        self._closed = True
        if self._forward is not None:
            self._ssh.cancel(*self._forward)
        if self._pipe is not None:
            self._pipe.close()

    def _connect(self) -> bool:
        """Open the pipe and repeat what is unanswered; False when the tool is not this one.

        An older tool may not even understand these words: it is replaced like a missing one.
        """
        words = (ATTACH, "attach", "--project", self._instance, "--agent", self._artifact.digest)
        resume = ("--from", str(self._seen)) if self._seen else ()
        pipe = self._ssh.open(Command((*words, *resume)))
        with self._lock:
            self._pipe = pipe
            for answer in self._pending.values():
                self._send(answer.line)
        line = pipe.stdout.readline(frames.MAX_FRAME + 1)
        if not line:
            failure = pipe.failure()
            pipe.close()
            if pipe.returncode() == BROKEN:
                raise failure
            self._complaint = failure.log
            return False
        first = frames.parse(line, self.name)
        if "refused" in first:
            raise frames.error(self.name, {"error": first["refused"]})
        hello = first.get("hello")
        if not isinstance(hello, dict):
            raise InfrastructureError(f"{self.name} did not say hello", code="protocol")
        if hello.get("agent") != self._artifact.digest:
            pipe.close()
            return False
        self.hello = hello
        return True

    def _send(self, line: bytes) -> None:
        """Write a line; where the pipe is broken the reader mends it and repeats the line."""
        if self._pipe is None:
            return
        try:
            self._pipe.stdin.write(line)
            self._pipe.stdin.flush()
        except (OSError, ValueError):
            return

    def _read(self) -> None:
        while not self._closed:
            try:
                self._read_pipe()
                if self._closed:
                    return
                self._mend()
            except TidegateError as failure:
                self._give_up(failure)
                return
            except Exception as problem:  # nobody may wait for a thread that is no more
                told = f"{self.name} is not heard any more: {problem!r}"
                self._give_up(InfrastructureError(told, code="unexpected"))
                raise

    def _read_pipe(self) -> None:
        assert self._pipe is not None
        stream = self._pipe.stdout
        while True:
            try:
                line = stream.readline(frames.MAX_FRAME + 1)
            except (OSError, ValueError):
                return
            if len(line) > frames.MAX_FRAME:
                raise frames.too_long(self.name)
            if not line.endswith(b"\n"):
                return
            self._dispatch(frames.parse(line, self.name))

    def _dispatch(self, frame: Mapping[str, Any]) -> None:
        event = frame.get("event")
        if isinstance(event, dict):
            if self._ours:
                self._seen = max(self._seen, int(event.get("seq", 0)))
                self._listener(self.name, event)
            return
        with self._lock:
            answer = self._pending.pop(str(frame.get("id")), None)
        if answer is not None:
            self._ours = self._ours or answer.op == "join"
            answer.settle(frame)

    def _mend(self) -> None:
        """Attach again until it works or the lease has run out."""
        assert self._pipe is not None
        failure = self._pipe.failure()
        self._pipe.close()
        deadline = time.monotonic() + self._patience_s
        while not self._closed and time.monotonic() < deadline:
            self._listener(self.name, _info("connection", f"lost, attaching again: {failure}"))
            try:
                if self._connect():
                    self._restore_forward()
                    return
            except InfrastructureError as again:
                failure = again
            time.sleep(RETRY_S)
        raise failure

    def _restore_forward(self) -> None:
        if self._forward is None:
            return
        try:
            self._ssh.forward(*self._forward)
        except InfrastructureError:
            # The same master still holds it, or the old sshd has not noticed yet: the host's
            # own retries find it, or its prepare fails and says so.
            return

    def _give_up(self, failure: TidegateError) -> None:
        with self._lock:
            self._lost = failure
            pending = list(self._pending.values())
            self._pending.clear()
        for answer in pending:
            answer.fail(failure)


def _info(step: str, message: str) -> Mapping[str, Any]:
    return {"seq": 0, "step": step, "state": "info", "ms": 0, "message": message}
