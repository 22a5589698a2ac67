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
from tidegate.host.run import run

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
    with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        result = run(
            [
                "ssh-keygen",
                "-Y",
                "verify",
                "-f",
                str(allowed_signers),
                "-I",
                PRINCIPAL,
                "-n",
                NAMESPACE,
                "-s",
                file.name,
            ],
            stdin=canonical(release),
            check=False,
            env={"LC_ALL": "C", "HOME": str(Path.home())},
        )
    if result.returncode != 0:
        raise HostError(
            "refused",
            "bad-signature",
            "the release is not signed by a signer of this host",
            subject=str(allowed_signers),
            hint="run `tidegate host bootstrap` with the key that signs, or sign with a known key",
            log=(result.stderr or result.stdout).strip().splitlines()[-3:],
        )
