"""Signs releases with an SSH key, made at need: ``ssh-keygen -Y sign`` (OpenSSH 8.1 and newer).

``TIDEGATE_SIGNING_KEY`` names a private key, or a public one whose private half is in the
agent; else ~/.config/tidegate/signing_key is used and, the first time, made.
"""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from tidegate.edges.private_dir import config_dir
from tidegate.edges.process import Command, checked, run
from tidegate.errors import InputError

NAMESPACE = "tidegate-release"


def owner() -> str:
    """Who deploys, for people: ``user@machine``."""
    return f"{getpass.getuser()}@{socket.gethostname().partition('.')[0]}"


def signing_key() -> Path:
    """The key's file; made when there is none and none was named."""
    named = os.environ.get("TIDEGATE_SIGNING_KEY", "")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise InputError(
                f"there is no signing key {path}",
                code="signing-key",
                hint="TIDEGATE_SIGNING_KEY names an SSH key file",
            )
        return path
    path = config_dir() / "signing_key"
    if not path.exists():
        _generate(path)
    return path


def public_key(key: Path) -> str:
    """Its public half as one line, as allowed_signers wants it."""
    if key.suffix == ".pub":
        return key.read_text().strip()
    beside = key.with_name(f"{key.name}.pub")
    if beside.is_file():
        return beside.read_text().strip()
    done = run(Command(("ssh-keygen", "-y", "-P", "", "-f", str(key))))
    return checked(done, code="signing-key", what=f"{key} cannot be read").text.strip()


def sign(key: Path, content: bytes) -> str:
    """The armoured signature over ``content``."""
    argv = ("ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE)
    done = run(Command(argv, stdin=content), timeout_s=60.0)
    return checked(
        done,
        code="signing",
        what=f"{key} does not sign",
        hint="a key with a passphrase needs ssh-add first",
    ).text


def _generate(path: Path) -> None:
    """Under a name of our own first: two processes may meet here, and one key wins."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", owner(), "-f", str(fresh))
    checked(run(Command(argv)), code="signing-key", what="no signing key could be made")
    try:
        os.link(fresh, path)  # fails where the name exists, unlike rename
        fresh.with_name(f"{fresh.name}.pub").replace(f"{path}.pub")
    except FileExistsError:
        fresh.with_name(f"{fresh.name}.pub").unlink()
    fresh.unlink()
