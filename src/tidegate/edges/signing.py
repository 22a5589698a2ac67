"""Signs releases with an SSH key: ``ssh-keygen -Y sign`` (ssh-keygen(1), OpenSSH 8.1)."""

from __future__ import annotations

import getpass
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tidegate.edges.process import Command, checked, run
from tidegate.errors import InputError
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


def signer(content: bytes, signature: bytes, namespace: str, people: Mapping[str, str]) -> str:
    """Who signed: one of ``people``, else the key's fingerprint; ``InputError`` where nobody did.

    Source: ssh-keygen(1), ``-Y check-novalidate`` and ``-Y find-principals``.
    """
    with tempfile.TemporaryDirectory(prefix="tidegate-signer-") as folder:
        armoured, allowed = Path(folder, "signature"), Path(folder, "allowed")
        armoured.write_bytes(signature)
        lines = (f"{name} {' '.join(key.split()[:2])}" for name, key in people.items())
        allowed.write_text("".join(f"{line}\n" for line in lines))
        base = ("ssh-keygen", "-Y")
        checking = (*base, "check-novalidate", "-n", namespace, "-s", str(armoured))
        told = run(Command(checking, stdin=content))
        if told.returncode:
            raise InputError(
                "the signature does not belong to what it stands beside",
                code="signature-bad",
                hint="somebody changed one of them after the release was made",
            )
        finding = (*base, "find-principals", "-s", str(armoured), "-f", str(allowed))
        found = run(Command(finding)).text.split()
    return found[0] if found else told.text.split()[-1]
