"""The HAProxy configuration of a front: one service's names, always leading to the right copy.

A front is a small container that bears a service's aliases on the project's networks. Which
slot answers is looked up per request (per connection for TCP): the caller's address in
`callers.map` first, so that new copies call new copies before the switch; else `live.map`.
Neither map is part of the configuration: a switch reloads nothing.

Source: https://docs.haproxy.org/3.0/configuration.html
"""

from __future__ import annotations

from typing import List

from tidegate.traffic.model import SLOTS, FrontSpec, Port
from tidegate.traffic.proxy import (
    FOLDER,
    NOBODY,
    backend,
    defaults,
    frontend_mode,
    kinds,
    only_if,
    process,
    stamped,
)

LIVE_KEY = "live"


def front_config(spec: FrontSpec) -> str:
    """The whole configuration file; equal specs give equal bytes."""
    lines = process(descriptors=10000) + defaults()
    for port in sorted(spec.ports, key=lambda each: each.port):
        lines += _frontend(port)
        lines += _backends(spec, port)
    return stamped(lines)


def _frontend(port: Port) -> List[str]:
    lines = [
        f"frontend port:{port.port}",
        f"  bind :::{port.port} v4v6",
        *frontend_mode(port.mode),
    ]
    lines += _choice(port)
    return [*lines, ""]


def _choice(port: Port) -> List[str]:
    live = f"%[str({LIVE_KEY}),map({FOLDER}/live.map,{NOBODY})]"
    caller = f"%[src,map_ip({FOLDER}/callers.map)]"
    known = f"{{ src,map_ip({FOLDER}/callers.map) -m found }}"
    lines = []
    for kind in kinds(port.mode):
        only = only_if(kind, port.mode)
        lines.append(f"  use_backend {kind}:{port.port}:{caller} if {known} {only}".rstrip())
        lines.append(f"  use_backend {kind}:{port.port}:{live}" + (f" if {only}" if only else ""))
    return lines


def _backends(spec: FrontSpec, port: Port) -> List[str]:
    lines: List[str] = []
    for slot in (*SLOTS, NOBODY):
        there = spec.at.get(slot, {}).get(port.port, port.port)
        targets = [(address, there) for address in spec.slots.get(slot, ())]
        for kind in kinds(port.mode):
            lines += backend(f"{kind}:{port.port}:{slot}", kind, targets)
    return lines
