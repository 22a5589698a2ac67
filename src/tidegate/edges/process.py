"""Commands are values; a shell string exists only at the SSH edge, quoted once there.

Times are seconds. ``run`` raises ``InfrastructureError`` for a program that is missing or
that takes longer than its limit; a non-zero exit status is an answer, not an exception.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.errors import InfrastructureError

PACKAGE_OF = {
    "git": "git",
    "podman": "podman",
    "skopeo": "skopeo",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. ``redact`` lists words that never appear in a log or an error."""

    argv: tuple[str, ...]
    stdin: bytes = field(default=b"", repr=False)
    redact: tuple[str, ...] = field(default=(), repr=False)

    def quoted(self) -> str:
        """For the shell at the far end of an SSH connection (POSIX quoting)."""
        return shlex.join(self.argv)

    def shown(self) -> str:
        """For people: quoted, with the redacted words masked."""
        text = self.quoted()
        for word in self.redact:
            text = text.replace(word, "***")
        return text


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended."""

    command: Command
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def complaint(self) -> str:
        """What it said on stderr (else on stdout), with the redacted words masked."""
        text = (self.stderr or self.stdout).decode(errors="replace").strip()
        for word in self.command.redact:
            text = text.replace(word, "***")
        return text


def run(
    command: Command,
    *,
    timeout_s: float = 600.0,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Completed:
    """Run to the end; ``env`` is added to this process's own environment."""
    try:
        done = subprocess.run(
            command.argv,
            input=command.stdin,
            capture_output=True,
            timeout=timeout_s,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError:
        raise missing_program(command.argv[0]) from None
    except subprocess.TimeoutExpired:
        raise InfrastructureError(
            f"{command.argv[0]} took longer than {timeout_s:.0f} s: {command.shown()}",
            code="command-timeout",
        ) from None
    return Completed(command, done.returncode, done.stdout, done.stderr)


def checked(completed: Completed, *, code: str, what: str, hint: str = "") -> Completed:
    """The same, or an ``InfrastructureError`` that carries the command's own last words."""
    if completed.returncode == 0:
        return completed
    lines = tuple(completed.complaint.splitlines()[-20:])
    message = f"{what}: {lines[-1] if lines else f'exit status {completed.returncode}'}"
    raise InfrastructureError(message, code=code, hint=hint, log=lines)


def missing_program(name: str) -> InfrastructureError:
    """The error for a program that is not installed here."""
    package = PACKAGE_OF.get(name, name)
    return InfrastructureError(
        f"{name} is not installed on this machine",
        code="program-missing",
        hint=f"apt-get install {package}, or dnf install {package}",
    )
