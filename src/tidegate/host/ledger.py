"""The audit log of an instance: one JSON line an event, each carrying the digest of the last.

A line that a power cut tore off is dropped at the next write; a line that somebody changed
breaks the chain, and `verify` says where.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Dict, List

from tidegate.host.canon import digest
from tidegate.host.errors import HostError
from tidegate.host.files import fsync_dir, make_dir

START = "sha256:" + "0" * 64
FORMAT = 1


def append(path: Path, event: Dict[str, Any]) -> Dict[str, Any]:
    """Add `event`; returns the entry as written, durable when this returns."""
    make_dir(path.parent)
    fd = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # The deployment's process and a controller's pipe may both have something to add.
        fcntl.flock(fd, fcntl.LOCK_EX)
        entries, length = _read(path)
        last: Dict[str, Any] = entries[-1] if entries else {"n": 0, "hash": START}
        entry = {"format": FORMAT, **event, "n": last["n"] + 1, "prev": last["hash"]}
        entry["hash"] = digest(entry)
        os.ftruncate(fd, length)
        os.lseek(fd, length, os.SEEK_SET)
        os.write(fd, json.dumps(entry, sort_keys=True).encode() + b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)
    if length == 0:
        fsync_dir(path.parent)
    return entry


def entries(path: Path) -> List[Dict[str, Any]]:
    """All whole entries, oldest first."""
    return _read(path)[0]


def verify(path: Path) -> int:
    """The number of entries, when every one follows from the one before; else HostError."""
    previous = START
    count = 0
    for count, entry in enumerate(entries(path), 1):
        body = {key: value for key, value in entry.items() if key != "hash"}
        if (
            entry.get("prev") != previous
            or entry.get("n") != count
            or digest(body) != entry["hash"]
        ):
            raise HostError(
                "error",
                "ledger-broken",
                f"the ledger was changed at entry {count}",
                subject=str(path),
                hint="compare with a backup of the file",
            )
        previous = entry["hash"]
    return count


def _read(path: Path) -> "tuple[List[Dict[str, Any]], int]":
    """The whole entries and the length of the file up to the last of them."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    length = raw.rfind(b"\n") + 1
    found = [json.loads(line) for line in raw[:length].splitlines() if line]
    return found, length
