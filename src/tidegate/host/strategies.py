"""Which services have slots in one generation and none in the other. Pure.

Such a service changes hands at the switch: its names and its ports cannot be its container's
and a front's at the same time.
"""

from __future__ import annotations

from typing import List, Optional, Set

from tidegate.host.generations import Generation
from tidegate.host.layout import SLOTTED


def gaining(new: Generation, old: Optional[Generation]) -> List[str]:
    """Services that run in place now and get slots."""
    return [name for name in _both(new, old) if not _slotted(old, name) and _slotted(new, name)]


def losing(new: Generation, old: Optional[Generation]) -> List[str]:
    """Services that have slots now and will run in place."""
    return [name for name in _both(new, old) if _slotted(old, name) and not _slotted(new, name)]


def own_ports(generation: Optional[Generation]) -> Set[int]:
    """TCP ports that containers publish themselves, without the edge."""
    services = generation.release["services"].values() if generation else []
    return {
        int(port["port"])
        for entry in services
        if entry["strategy"] not in SLOTTED
        for port in entry["published"]
        if port["protocol"] == "tcp"
    }


def _both(new: Generation, old: Optional[Generation]) -> List[str]:
    services = old.release["services"] if old else {}
    return sorted(set(new.release["services"]) & set(services))


def _slotted(generation: Optional[Generation], name: str) -> bool:
    return generation is not None and generation.release["services"][name]["strategy"] in SLOTTED
