"""The open deployment of an instance: its record on disk.

The record is replaced whole at each change of state, durably, so whoever starts next knows
exactly how far the last one came. Which states there are says tidegate.host.protocol.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional

from tidegate.host.errors import HostError
from tidegate.host.files import make_dir, read_json, read_text, remove, write_atomic
from tidegate.host.paths import Paths
from tidegate.host.protocol import PUBLIC, TRANSITIONS, may_join

# 1: this host is the witness. 2: another host is, and `witness` says how it is asked.
FORMAT = 2


def load(paths: Paths) -> Optional[Dict[str, Any]]:
    """The open deployment, or None; HostError (refused) when a newer Tidegate wrote it."""
    record = read_json(paths.open)
    if record is None:
        return None
    if record.get("format", 0) > FORMAT:
        raise HostError(
            "refused",
            "newer-format",
            f"a newer Tidegate has {record.get('deployment', 'a deployment')} open on this host",
            subject=str(paths.open),
            hint="upgrade Tidegate here and try again",
        )
    found: Dict[str, Any] = record
    return found


def save(paths: Paths, record: Dict[str, Any]) -> None:
    """Write the record durably."""
    write_atomic(paths.open, json.dumps(record, sort_keys=True) + "\n")


def step(paths: Paths, record: Dict[str, Any], happened: str) -> None:
    """Move `record` as the table says and write it; HostError (input) where it says nothing."""
    following = TRANSITIONS.get((record["state"], happened))
    if following is None:
        raise HostError(
            "input",
            "wrong-state",
            f"{record['deployment']} is {record['state']}: it cannot {happened}",
            subject=record["deployment"],
        )
    record["state"] = following
    save(paths, record)


def public_state(record: Optional[Dict[str, Any]]) -> str:
    """The state in the protocol's words."""
    if record is None:
        return "idle"
    return PUBLIC.get(record["state"], str(record["state"]))


@contextmanager
def exclusive(paths: Paths) -> Iterator[None]:
    """Hold the instance's file lock: only for reading and writing the record, never long."""
    make_dir(paths.root)
    fd = os.open(str(paths.lock), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def acquire(paths: Paths, args: Dict[str, Any], since: str) -> Dict[str, Any]:
    """On the witness: open the next deployment with a token higher than any before.

    HostError (refused, `locked`) when one is open, with its owner's name.
    """
    with exclusive(paths):
        record = load(paths)
        if record is not None:
            raise locked(record)
        token = highest_token(paths) + 1
        number = max([last_number(paths), *_generations(paths)]) + 1
        return _open(paths, args, number, token, since)


def join(paths: Paths, args: Dict[str, Any], since: str) -> Optional[Dict[str, Any]]:
    """On every other host: open the deployment that the witness gave out.

    None while an older one is still open here: it must come to its end first. HostError
    (refused, `stale-token`) for a token that is not higher than all before.
    """
    number, token = int(args["number"]), int(args["token"])
    with exclusive(paths):
        record = load(paths)
        if record is not None and record["token"] == token and record["number"] == number:
            return record
        if not may_join(token, highest_token(paths)):
            seen = highest_token(paths)
            raise HostError(
                "refused",
                "stale-token",
                f"{args['environment']}/{number} has token {token}, and this host has seen {seen}",
                subject=f"{args['environment']}/{number}",
                hint="a newer deployment was here; if another host is the witness, deploy from it",
            )
        if record is not None:
            return None
        return _open(paths, args, number, token, since)


def _open(
    paths: Paths, args: Dict[str, Any], number: int, token: int, since: str
) -> Dict[str, Any]:
    write_atomic(paths.token, f"{token}\n")
    write_atomic(paths.root / "number", f"{number}\n")
    witness = args.get("witness")
    record = {
        "format": 2 if witness else 1,
        "deployment": f"{args['environment']}/{number}",
        "environment": args["environment"],
        "number": number,
        "token": token,
        "owner": args["owner"],
        "reason": args.get("reason", ""),
        "since": since,
        "lease_s": float(args.get("lease_s", 15.0)),
        "state": "acquired",
        "kind": "deploy",
        "request": args.get("request", ""),
        "results": {},
        "host": args.get("host", ""),
        **({"witness": witness} if witness else {}),
        **({"gate": args["gate"]} if args.get("gate") else {}),
    }
    save(paths, record)
    return record


def close(paths: Paths) -> None:
    """Drop the lock: nothing is open any more."""
    with exclusive(paths):
        remove(paths.open)


def locked(record: Dict[str, Any]) -> HostError:
    """The refusal that names who holds the lock."""
    return HostError(
        "refused",
        "locked",
        f"{record['deployment']} is open: {record['owner']} has it since {record['since']}",
        subject=record["owner"],
        hint="wait for it to end, or for its lease to run out",
    )


def stale(name: str, record: Optional[Dict[str, Any]]) -> HostError:
    """The refusal of somebody whose deployment is over."""
    open_now = (
        f"this host is at {record['deployment']}, held by {record['owner']}"
        if record
        else "no deployment is open on this host"
    )
    return HostError(
        "refused",
        "stale-token",
        open_now,
        subject=name,
        hint="your lease ran out and your deployment was undone: deploy again",
    )


def highest_token(paths: Paths) -> int:
    """The highest token that was ever seen here, 0 before the first."""
    return int(read_text(paths.token) or 0)


def last_number(paths: Paths) -> int:
    """The number of the last deployment that was opened, 0 before the first."""
    return int(read_text(paths.root / "number") or 0)


def current_number(paths: Paths) -> int:
    """The generation that serves, 0 where none does."""
    return int(read_text(paths.current) or 0)


def _generations(paths: Paths) -> "list[int]":
    folder = paths.root / "generations"
    if not folder.is_dir():
        return []
    return [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()]
