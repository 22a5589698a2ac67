"""Signs releases with an SSH key: ``ssh-keygen -Y sign`` (ssh-keygen(1), OpenSSH 8.1)."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

from tidegate.edges.process import Command, checked, run
from tidegate.release.manifest import NAMESPACE, sign_command


def owner() -> str:
    """Who deploys, for people: ``user@machine``."""
    return f"{getpass.getuser()}@{socket.gethostname().partition('.')[0]}"


def sign(key: Path, content: bytes, namespace: str = NAMESPACE) -> str:
    """The armoured signature over ``content``."""
    done = run(Command(sign_command(str(key), namespace), stdin=content), timeout_s=60.0)
    return checked(
        done,
        code="signing",
        what=f"{key} does not sign",
        hint="a key with a passphrase needs ssh-add first",
    ).text
