"""The host's tool as a file: built once per version, uploaded once per host.

The zipapp is deterministic, so its digest names it everywhere. Its cache here is keyed by
the names, sizes and times of the sources it is made from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from tidegate.edges.private_dir import cache_dir
from tidegate.edges.process import Command, checked
from tidegate.edges.ssh import Ssh

ATTACH = ".local/bin/tidegate-host"  # sshd starts commands in the home directory

# The upload cannot be run from a pipe: Python needs a file to import a zipapp from.
UPLOAD = (
    "umask 077; d=.local/share/tidegate/lib; mkdir -p $d && cat > $d/.upload.$$ && "
    'python3 $d/.upload.$$ install --from-upload --signer "$1"'
)
PACKAGES = ("host", "traffic")


@dataclass(frozen=True, slots=True)
class Artifact:
    """The zipapp for hosts: its first 12 hexadecimal digits of SHA-256, and where it lies."""

    digest: str
    path: Path


def artifact() -> Artifact:
    """The one of this installation, built when its sources changed."""
    folder = cache_dir("agent")
    note = folder / f"{_fingerprint()}.json"
    try:
        digest = str(json.loads(note.read_text())["digest"])
        path = folder / f"{digest}.pyz"
        if path.exists():
            return Artifact(digest, path)
    except (OSError, ValueError, KeyError):
        pass
    return _build(folder, note)


def _build(folder: Path, note: Path) -> Artifact:
    from tidegate.host.build import digest12, zipapp

    content = zipapp()
    digest = digest12(content)
    path = folder / f"{digest}.pyz"
    fresh = folder / f".{os.getpid()}.{threading.get_ident()}.pyz"  # hosts attach side by side
    fresh.write_bytes(content)
    fresh.replace(path)
    note.write_text(json.dumps({"digest": digest}))
    return Artifact(digest, path)


def _fingerprint() -> str:
    root = Path(__file__).resolve().parent.parent
    summary = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            found = file.stat()
            summary.update(f"{file}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return summary.hexdigest()[:16]


def install(ssh: Ssh, found: Artifact, signer: str) -> None:
    """Upload and unpack it with one command; ``signer`` is a public key line."""
    told = base64.b64encode(signer.encode()).decode()
    command = Command(("sh", "-c", UPLOAD, "sh", told), stdin=found.path.read_bytes())
    checked(
        ssh.run(command),
        code="agent-install",
        what=f"{ssh.name} does not take the host's tool",
        hint="the host needs python3 of at least 3.9 and a writable home directory",
    )
