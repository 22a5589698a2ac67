"""The operations that only read: answered with or without an open deployment."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any, Dict, Optional

from tidegate.host import clock, deployment, generations, ledger, machine, podman
from tidegate.host import observe as observed
from tidegate.host.paths import Paths

PROTOCOLS = [1]
Answer = Dict[str, Any]


def agent_digest() -> str:
    """The first 12 digits of the digest of the zipapp that this runs from."""
    folder = Path(__file__).resolve().parents[2]
    return folder.name if len(folder.name) == 12 else "source"


def hello(paths: Paths, record: Optional[Dict[str, Any]]) -> Answer:
    """Who answers here, and in which state it is."""
    return {
        "protocols": PROTOCOLS,
        "agent": agent_digest(),
        "instance": paths.instance,
        "podman": podman.version(),
        "python": platform.python_version(),
        "arch": machine.facts()["arch"],
        "boot_id": clock.boot_mark(),
        "state": deployment.public_state(record),
    }


def observe(paths: Paths, args: Dict[str, Any]) -> Answer:
    """What runs here against what should."""
    return observed.observe(paths, bool(args.get("full")))


def history(paths: Paths, args: Dict[str, Any]) -> Answer:
    """The last entries of the ledger, newest first."""
    limit = int(args.get("limit", 20))
    entries = ledger.entries(paths.ledger)[-limit:]
    return {"entries": list(reversed(entries)), "current": deployment.current_number(paths)}


def generation(paths: Paths, args: Dict[str, Any]) -> Answer:
    """A stored release with its signature."""
    found = generations.require(paths, int(args["n"]))
    return {"release": found.release, "signature": found.signature}


READING = {"observe": observe, "history": history, "generation": generation}
