"""The operations that are answered with or without an open deployment; most only read."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from tidegate.host import (
    adopt,
    ahead,
    clock,
    deployment,
    gate,
    generations,
    ledger,
    machine,
    office,
    parcel,
    podman,
    witness,
)
from tidegate.host import observe as observed
from tidegate.host.files import read_text
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
    """What runs here against what should; a long release is left to be fetched in parts."""
    return parcel.slim(observed.observe(paths, bool(args.get("full"))))


def history(paths: Paths, args: Dict[str, Any]) -> Answer:
    """The last entries of the ledger, newest first."""
    limit = int(args.get("limit", 20))
    entries = ledger.entries(paths.ledger)[-limit:]
    return {"entries": list(reversed(entries)), "current": deployment.current_number(paths)}


def generation(paths: Paths, args: Dict[str, Any]) -> Answer:
    """A stored release with its signature."""
    found = generations.require(paths, int(args["n"]))
    return {"release": found.whole, "signature": found.signature}


def decision(paths: Paths, args: Dict[str, Any]) -> Answer:
    """The outcome of a deployment as it is recorded here, empty where nothing is."""
    return {"outcome": (read_text(paths.decision(int(args["number"]))) or "").strip()}


def peer_key(paths: Paths, _args: Dict[str, Any]) -> Answer:
    """The public key with which this host asks its witness."""
    return {"key": witness.peer_key(paths)}


def peers(paths: Paths, _args: Dict[str, Any]) -> Answer:
    """On the witness: its own host keys, and the peers that may ask it."""
    return {"host_keys": witness.host_keys(), "trusted": witness.trusted(paths)}


def trust(paths: Paths, args: Dict[str, Any]) -> Answer:
    """On the witness: let just these peers ask."""
    return {"changed": witness.trust(paths, dict(args["keys"]))}


def in_office(work: Callable[[Paths, Dict[str, Any]], Answer]) -> Callable[..., Answer]:
    """The same operation, refused where another host keeps the record."""

    def answer(paths: Paths, args: Dict[str, Any]) -> Answer:
        if office.elsewhere(paths):
            raise office.not_here(office.holder(paths))
        return work(paths, args)

    return answer


# Answered without a deployment.
STANDING = {
    "adoptable": adopt.adoptable,
    "observe": observe,
    "history": history,
    "generation": generation,
    "fetch": parcel.fetch,
    "decision": decision,
    "peer_key": peer_key,
    "peers": peers,
    "trust": trust,
    "legacy": office.legacy,
    "take_over": office.take_over,
    "bring": ahead.bring,
    "gates": gate.gates,
    "hold": in_office(gate.hold),
    "unhold": in_office(gate.unhold),
    "propose": in_office(gate.propose),
    "proposal": in_office(gate.proposal),
    "approve": in_office(gate.approve),
}
