"""A release is what a known person or machine signed: checked here before anything runs.

Source: ssh-keygen(1), `-Y verify`, OpenSSH 8.1 and newer; allowed signers as in its section
ALLOWED SIGNERS.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict

from tidegate.host.canon import canonical
from tidegate.host.errors import HostError
from tidegate.host.run import Result, run

NAMESPACE = "tidegate-release"
PRINCIPAL = "deployer"


def verify(release: Dict[str, Any], signature: str, allowed_signers: Path) -> None:
    """Raise HostError (refused) unless an allowed signer signed `release`."""
    if not allowed_signers.exists():
        raise HostError(
            "refused",
            "no-signers",
            "this host knows no signers yet, so it accepts no release",
            subject=str(allowed_signers),
            hint="run `tidegate host bootstrap`",
        )
    result = _verified(allowed_signers, PRINCIPAL, NAMESPACE, canonical(release), signature)
    if result.returncode != 0:
        raise HostError(
            "refused",
            "bad-signature",
            "the release is not signed by a signer of this host",
            subject=str(allowed_signers),
            hint="run `tidegate host bootstrap` with the key that signs, or sign with a known key",
            log=(result.stderr or result.stdout).strip().splitlines()[-3:],
        )


def signed_by(name: str, line: str, content: bytes, signature: str, namespace: str) -> bool:
    """Whether the owner of the public key `line` signed `content`."""
    with tempfile.NamedTemporaryFile("w", suffix=".allowed") as file:
        file.write(f"{name} {' '.join(line.split()[:2])}\n")
        file.flush()
        result = _verified(Path(file.name), name, namespace, content, signature)
    return result.returncode == 0


def _verified(
    allowed_signers: Path, principal: str, namespace: str, content: bytes, signature: str
) -> Result:
    with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        argv = ["ssh-keygen", "-Y", "verify", "-f", str(allowed_signers), "-I", principal]
        return run(
            [*argv, "-n", namespace, "-s", file.name],
            stdin=content,
            check=False,
            env={"LC_ALL": "C", "HOME": str(Path.home())},
        )
