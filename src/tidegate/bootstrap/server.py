"""A bare server becomes ready: one SSH command, one POSIX script on its stdin, twice is as once.

The script's arguments are words of an argv, quoted once at the SSH edge; none is a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tidegate.config.unreadable import unreadable
from tidegate.edges.process import Command, run
from tidegate.edges.ssh import Ssh
from tidegate.errors import InfrastructureError, InputError

TIMEOUT_S = 900.0
FIRST_PORT = 80
KEY_HINT = "name the public half: --key ~/.ssh/id_ed25519.pub"
# Who logs in may be root, or may become it without a password (`-n`: never ask).
AS_ROOT = 'if [ "$(id -u)" = 0 ]; then exec sh -s -- "$@"; else exec sudo -n sh -s -- "$@"; fi'
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_KEY = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what the script did: ``changed`` or kept as it was."""

    changed: bool
    text: str


def script(name: str) -> bytes:
    """A script of this package."""
    return files("tidegate.bootstrap").joinpath(name).read_bytes()


def prepare_server(
    ssh: Ssh, user: str, key: str, signer: str, *, first_port: int = FIRST_PORT
) -> list[Step]:
    """Run the script over ``ssh``, a login that is root or may use sudo without a password.

    Raises ``InfrastructureError`` with the step that failed.
    """
    if not _USER.fullmatch(user):
        hint = "lower case letters, digits, '-' and '_', as in ssh: deploy@203.0.113.10"
        raise InputError(f"{user!r} cannot be a user's name", code="user-name", hint=hint)
    if not _KEY.fullmatch(key) or "\n" in key:
        raise InputError(f"{key[:40]!r} is no public key", code="public-key", hint=KEY_HINT)
    argv = ("sh", "-c", AS_ROOT, "sh", user, key, signer, str(first_port))
    done = ssh.run(Command(argv, stdin=script("server.sh")), timeout_s=TIMEOUT_S)
    lines = done.text.splitlines()
    steps = [Step(line[0] == "+", line[2:]) for line in lines if line[:2] in ("+ ", "= ")]
    if done.returncode == 0:
        return steps
    said = [line[2:] for line in lines if line.startswith("! ")]
    if not said and "sudo:" in done.complaint:
        raise InfrastructureError(
            f"{ssh.name}: {done.complaint.splitlines()[-1]}",
            code="bootstrap-sudo",
            hint="give --root-ssh root@…, or let this user sudo without a password",
        )
    raise InfrastructureError(
        f"{ssh.name}: {said[-1] if said else done.complaint or 'the script ended early'}",
        code="bootstrap-failed",
        log=tuple(step.text for step in steps if step.changed),
    )


def login_key(destination: str, config: str) -> str:
    """The public key that ssh would use for a destination: its IdentityFile's, else the agent's.

    Rules: ``ssh -G`` prints the effective configuration (ssh(1)).
    """
    argv = ("ssh", *(("-F", config) if config else ()), "-G", destination)
    for line in run(Command(argv)).text.splitlines():
        name, _, value = line.partition(" ")
        if name == "identityfile":
            public = Path(f"{value}.pub").expanduser()
            if public.is_file():
                return read_key(public)
            private = Path(value).expanduser()
            if private.is_file():
                derived = run(Command(("ssh-keygen", "-y", "-P", "", "-f", str(private))))
                if derived.returncode == 0:
                    return derived.text.strip()
    loaded = run(Command(("ssh-add", "-L")))
    if loaded.returncode == 0 and loaded.text.strip():
        return loaded.text.splitlines()[0].strip()
    raise InputError(
        "no SSH key of yours was found",
        code="ssh-key-missing",
        hint="make one with ssh-keygen -t ed25519, or name one: --key ~/.ssh/other.pub",
    )


def read_key(path: Path) -> str:
    """The first line of a public key's file; ``InputError`` where it is none."""
    try:
        line = path.expanduser().read_text(encoding="utf-8").strip().splitlines()[0]
    except IndexError:
        raise InputError(f"{path} is empty", code="public-key", hint=KEY_HINT) from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(str(path), error, code="public-key") from None
    if not _KEY.fullmatch(line):
        raise InputError(f"{path} is no public key", code="public-key", hint=KEY_HINT)
    return line
