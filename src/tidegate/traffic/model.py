"""What the configurations are made from: ports, copies, claims.

Values only. A service has two slots, "a" and "b"; which one is live is never part of a
configuration, so a switch changes map files and nothing else.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

SLOTS = ("a", "b")
MODES = ("http", "tcp", "auto")
# HAProxy's proxy names may hold these, ":" and nothing else
# (https://docs.haproxy.org/3.0/configuration.html, 4. Proxies).
_NAME = re.compile(r"[A-Za-z0-9_.-]+\Z")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\Z")
_PATH = re.compile(r"/[A-Za-z0-9._~!&'()*+,;=:@%/-]*\Z")


class BadSpec(ValueError):
    """A value that must not reach a configuration file."""


class Taken(ValueError):
    """`what` (a port or a route) already belongs to the instance `owner`."""

    def __init__(self, what: str, owner: str) -> None:
        super().__init__(f"{what} belongs to {owner}")
        self.what = what
        self.owner = owner


def checked_name(text: str) -> str:
    """`text` if it may be part of a proxy's name; BadSpec otherwise."""
    if not _NAME.match(text):
        raise BadSpec(f"{text!r} cannot name a service or an instance")
    return text


def checked_slot(text: str) -> str:
    """`text` if it is a slot; BadSpec otherwise: a map value without a backend is a 503."""
    if text not in SLOTS:
        raise BadSpec(f"{text!r} is not a slot")
    return text


def checked_address(text: str) -> str:
    """`text` if it is an IPv4 or IPv6 address; BadSpec otherwise."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise BadSpec(f"{text!r} is not an address") from None


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise BadSpec(f"{port} is not a port")


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise BadSpec(f"{mode!r} is not one of {', '.join(MODES)}")


@dataclass(frozen=True)
class Port:
    """A port on which a front listens; `auto` finds out by the first bytes."""

    port: int
    mode: str = "auto"

    def __post_init__(self) -> None:
        _check_port(self.port)
        _check_mode(self.mode)


@dataclass(frozen=True)
class Check:
    """The edge's own HTTP check of a copy; port 0 is the port that requests go to.

    `timeout_s` and `fall` come from the service's own health check: only its author knows
    how long a healthy copy may take to answer.
    """

    path: str
    timeout_s: float = 5.0
    fall: int = 3
    port: int = 0

    def __post_init__(self) -> None:
        if not re.match(r"/[!-~]*\Z", self.path) or set(self.path) & set("\"'\\#"):
            raise BadSpec(f"{self.path!r} is not a path")


@dataclass(frozen=True)
class Copy:
    """One slot of a service as the edge sees it: its replicas' addresses and their port."""

    addresses: Tuple[str, ...]
    port: int

    def __post_init__(self) -> None:
        _check_port(self.port)
        for address in self.addresses:
            checked_address(address)


@dataclass(frozen=True)
class FrontSpec:
    """The front of one service: ports, and the addresses of each slot's replicas.

    ``at`` has, by slot, the ports there that are not the front's own: those of other hosts.
    """

    instance: str
    service: str
    ports: Tuple[Port, ...]
    slots: Mapping[str, Tuple[str, ...]]
    at: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_name(self.instance)
        checked_name(self.service)
        if len({port.port for port in self.ports}) != len(self.ports):
            raise BadSpec(f"{self.service}: a port is given twice")
        for slot, addresses in self.slots.items():
            checked_slot(slot)
            for address in addresses:
                checked_address(address)
        for ports in self.at.values():
            for port in ports.values():
                _check_port(port)


@dataclass(frozen=True)
class Published:
    """A port of this host that leads to a service."""

    service: str
    address: str
    port: int
    mode: str
    copies: Mapping[str, Copy]
    check: Optional[Check] = None

    def __post_init__(self) -> None:
        checked_name(self.service)
        _check_port(self.port)
        _check_mode(self.mode)
        if self.address:
            checked_address(self.address)


@dataclass(frozen=True)
class Route:
    """A host name and path prefix, on the edge's `port`, that lead to a service.

    `host` may be "*.example.com" or "" (any); "/api" covers "/api" and "/api/x", not "/apix".
    """

    service: str
    host: str
    path: str
    port: int
    copies: Mapping[str, Copy]
    check: Optional[Check] = None

    def __post_init__(self) -> None:
        checked_name(self.service)
        _check_port(self.port)
        if self.host and not _HOST.match(self.host):
            raise BadSpec(f"{self.host!r} is not a host name in lower case")
        if not _PATH.match(self.path):
            raise BadSpec(f"{self.path!r} is not a path prefix")


@dataclass(frozen=True)
class Claim:
    """Everything that one instance wants from the edge."""

    instance: str
    published: Tuple[Published, ...] = ()
    routes: Tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        checked_name(self.instance)


@dataclass(frozen=True)
class Counts:
    """Sums over the ports of one slot, since the proxy started; `rtime_ms` is an average.

    `errors` are failed connections and responses cut short; `current` sessions are open.
    """

    requests: int = 0
    responses_2xx: int = 0
    responses_5xx: int = 0
    errors: int = 0
    current: int = 0
    rtime_ms: float = 0.0
