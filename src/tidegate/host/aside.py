"""A container beside a service's copies: its image, secrets and networks, and nobody calls it."""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping

from tidegate.host import machine, systemd, units
from tidegate.host.generations import Generation

POLL_S = 0.1
Unit = Mapping[str, Any]


def unit_text(found: Generation, service: str, name: str, unit: Unit) -> str:
    """The file of a unit `name` that does `unit` once and ends. Pure but for the host's limits."""
    release, layout = found.release, found.layout
    assert layout is not None
    entry = release["services"][service]
    alone = name[len(release["instance"]) + 1 :]
    once = {
        **entry,
        "strategy": "job",
        "replicas": 1,
        "unit": unit,
        "health": {**entry["health"], "kind": "none"},
        "depends_on": {},
        "published": [],
        "networks": [{"network": n["network"], "aliases": []} for n in entry["networks"]],
    }
    whole = {**release, "services": {**release["services"], alone: once}}
    slots = {**layout, "services": {**layout["services"], alone: {"slot": ""}}}
    return units.service_units(whole, slots, alone, machine.facts())[f"{name}.container"]


def going(shown: Mapping[str, str]) -> bool:
    """Whether a unit, as systemd shows it, has not come to its end yet."""
    busy = shown.get("ActiveState") in ("activating", "deactivating")
    return busy or shown.get("Job", "0") not in ("", "0")


def ended(name: str) -> Dict[str, str]:
    """The unit once it has ended; systemd holds it to its timeout."""
    while True:
        shown = systemd.show([name])[name]
        if not going(shown):
            return shown
        time.sleep(POLL_S)
