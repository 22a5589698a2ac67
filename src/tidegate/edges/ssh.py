"""One SSH connection per host, kept open between commands by OpenSSH's own multiplexing.

The first command starts the master in the background (ControlMaster=auto, ControlPersist);
later ones, of this process or the next, join it in about 10 ms. Forwards go through the
master's control socket and need no session of their own. Host keys are always checked.
Rules: ssh_config(5) and ssh(1) of OpenSSH 9.2. ``TIDEGATE_SSH_CONFIG`` names a
configuration file to use in place of ~/.ssh/config.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO

from tidegate.edges import ssh_failures
from tidegate.edges.private_dir import runtime_dir
from tidegate.edges.process import Command, Completed, missing_program, run
from tidegate.errors import InfrastructureError, TidegateError

PERSIST_S = 600
CONNECT_TIMEOUT_S = 10
ALIVE_INTERVAL_S = 5
ALIVE_COUNT = 3
CLOSE_TIMEOUT_S = 0.3


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a host is: ``user@host``, ``host``, or ``ssh://user@host:port``."""

    address: str
    config: str = ""

    def control_path(self) -> str:
        """One socket per user, address and configuration file."""
        name = hashlib.sha256(f"{self.address}\0{self.config}".encode()).hexdigest()[:16]
        return str(runtime_dir() / f"s-{name}")

    def arguments(self) -> tuple[str, ...]:
        """Everything before the destination; given on each call, so that each may begin."""
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": CONNECT_TIMEOUT_S,
            "ServerAliveInterval": ALIVE_INTERVAL_S,
            "ServerAliveCountMax": ALIVE_COUNT,
            "ControlMaster": "auto",
            "ControlPersist": PERSIST_S,
            "ControlPath": self.control_path(),
            "ForwardAgent": "no",
            "LogLevel": "ERROR",
        }
        config = ("-F", self.config) if self.config else ()
        return (*config, *(word for k, v in options.items() for word in ("-o", f"{k}={v}")))


class Pipe:
    """A command that runs at the far end: bytes in, bytes out, and why it ended."""

    def __init__(self, ssh: Ssh, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._ssh = ssh
        self._process = process
        self._errors = errors
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin = process.stdin
        self.stdout = process.stdout

    def returncode(self, timeout_s: float = 5.0) -> int:
        """Its exit status; 255 stands for a connection that broke (ssh(1))."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def failure(self) -> TidegateError:
        """Why it ended, as an error for people; before ``close``."""
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace")
        return self._ssh.failure(self.returncode(), words)

    def close(self) -> None:
        """End the session; the connection stays open."""
        with contextlib.suppress(OSError):  # the far side may be gone
            self.stdin.close()
        self.returncode(CLOSE_TIMEOUT_S)  # first: a reader of stdout holds it until the end
        self.stdout.close()
        self._errors.close()


class Ssh:
    """One host. Raises ``InfrastructureError``, and ``InputError`` for a host key."""

    def __init__(self, address: str, *, name: str = "", config: str | None = None) -> None:
        chosen = os.environ.get("TIDEGATE_SSH_CONFIG", "") if config is None else config
        self.name = name or address
        self.destination = Destination(address, chosen)

    def run(self, command: Command, *, timeout_s: float = 120.0) -> Completed:
        """Run to the end. The far command's own exit status is an answer; 255 raises."""
        done = run(Command(self._argv(command), command.stdin, command.redact), timeout_s=timeout_s)
        if done.returncode == ssh_failures.BROKEN:
            raise self.failure(done.returncode, done.complaint)
        return Completed(command, done.returncode, done.stdout, done.stderr)

    def open(self, command: Command) -> Pipe:
        """Start a command and talk to it. stderr goes to a file: a master that this call
        starts would otherwise keep the pipe open for ten minutes (OpenSSH before 8.5)."""
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by Pipe)
        try:
            process = subprocess.Popen(
                self._argv(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for us; we end the far side in order
            )
        except FileNotFoundError:
            raise missing_program("ssh") from None
        return Pipe(self, process, errors)

    def interactive(self, command: Command, *, terminal: bool) -> int:
        """Hand over this process's own stdin, stdout and stderr; the far exit status."""
        tty = ("-tt",) if terminal else ("-T",)
        argv = ("ssh", *self.destination.arguments(), *tty, self.destination.address)
        return subprocess.run((*argv, "--", command.quoted()), check=False).returncode

    def forward(self, local_port: int, remote_port: int = 0) -> int:
        """Let the host reach our 127.0.0.1:``local_port``; returns its port on the host."""
        done = self._control("forward", f"{remote_port}:127.0.0.1:{local_port}")
        if done.returncode:
            raise InfrastructureError(
                f"{self.name} does not let us forward a port: {done.complaint}",
                code="ssh-forward",
                hint="sshd_config on the host needs AllowTcpForwarding yes (or remote)",
            )
        allocated = done.text.strip()
        return int(allocated) if allocated.isdigit() else remote_port

    def cancel(self, local_port: int, remote_port: int) -> None:
        """Take a forward back, as it was asked for; one that is gone already is no error."""
        for asked in (0, remote_port):
            self._control("cancel", f"{asked}:127.0.0.1:{local_port}")

    def is_open(self) -> bool:
        """Whether a master of ours is running and answers."""
        return self._control("check").returncode == 0

    def disconnect(self) -> None:
        """End the master, and with it every session over it."""
        self._control("exit")

    def failure(self, returncode: int, words: str) -> TidegateError:
        """What an ssh exit status and its stderr mean."""
        return ssh_failures.classify(self.name, self.destination.address, returncode, words)

    def _argv(self, command: Command) -> tuple[str, ...]:
        arguments = self.destination.arguments()
        return ("ssh", *arguments, "-T", self.destination.address, "--", command.quoted())

    def _control(self, what: str, forward: str = "") -> Completed:
        reverse = ("-R", forward) if forward else ()
        arguments = self.destination.arguments()
        return run(
            Command(("ssh", *arguments, "-O", what, *reverse, self.destination.address)),
            timeout_s=CONNECT_TIMEOUT_S,
        )
