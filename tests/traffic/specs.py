"""Specs and claims from data files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tidegate.traffic.edge import edge_config
from tidegate.traffic.front import front_config
from tidegate.traffic.model import Check, Claim, Copy, FrontSpec, Port, Published, Route

CASES = Path(__file__).with_name("cases")


def load(name: str) -> Any:
    """The content of a data file."""
    return yaml.safe_load((CASES / name).read_text("utf-8"))


def front_spec(data: Mapping[str, Any]) -> FrontSpec:
    """A front: ``ports`` is port → mode, ``slots`` slot → addresses."""
    return FrontSpec(
        data.get("instance", "shop"),
        data.get("service", "web"),
        tuple(Port(port, mode) for port, mode in data["ports"].items()),
        {slot: tuple(addresses) for slot, addresses in data["slots"].items()},
    )


def copies(data: Mapping[str, Any]) -> dict[str, Copy]:
    """Slot → [port, address, …]."""
    return {slot: Copy(tuple(spot[1:]), spot[0]) for slot, spot in data.items()}


def claim(data: Mapping[str, Any]) -> Claim:
    """What an instance wants; every item has ``copies`` as above."""

    def made(item: Mapping[str, Any]) -> dict[str, Any]:
        check = Check(**item["check"]) if "check" in item else None
        return {**item, "copies": copies(item.get("copies", {})), "check": check}

    return Claim(
        data["instance"],
        tuple(Published(**made({"address": "", **i})) for i in data.get("published", [])),
        tuple(Route(**made({"path": "/", "port": 80, **i})) for i in data.get("routes", [])),
    )


def config(case: Mapping[str, Any]) -> str:
    """The configuration of a case: a ``front``, or ``claims`` of the edge."""
    if "front" in case:
        return front_config(front_spec(case["front"]))
    return edge_config([claim(item) for item in case["claims"]])
