"""The short form of a port, `[IP:][PUBLISHED:]TARGET[/PROTOCOL]`, with ranges.

Sources: https://github.com/docker/go-connections/blob/v0.6.0/nat/nat.go and
https://github.com/compose-spec/compose-go/blob/v2.9.1/types/types.go (ParsePortConfig).
"""

from __future__ import annotations

import ipaddress

from tidegate.compose.nodes import Node

PROTOCOLS = ("tcp", "udp", "sctp")


class PortError(ValueError):
    """A port that cannot be read."""


def is_ip(text: str) -> bool:
    """Whether Go's net.ParseIP takes it: no leading zeros, no zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def values(text: str) -> int:
    """How many values the long forms of a text have, at most."""
    target = text.rpartition(":")[2].partition("/")[0]
    start, _, end = target.partition("-")
    numbers = [int(part) for part in (start, end) if part.isdecimal() and len(part) < 6]
    return 4 * max(1, numbers[1] - numbers[0]) if len(numbers) == 2 else 4


def parse_port(node: Node, text: str) -> list[Node]:
    """The long forms that a text means; :class:`PortError` for none."""
    ip, published, rest = _split(text)
    target, _, protocol = rest.partition("/")
    protocol = (protocol or "tcp").lower() if target else ""
    if protocol not in PROTOCOLS:
        if not target:
            raise PortError("no container port")
        raise PortError(f"invalid protocol {protocol!r}")
    if ip.startswith("[") and ip.endswith("]"):
        ip = ip[1:-1]
    elif ":" in ip:
        raise PortError(f"an IPv6 address needs brackets: [{ip.strip('[]')}]")
    if ip and not is_ip(ip):
        raise PortError(f"invalid IP address {ip!r}")
    start, end = _range(target, "container port")
    if start == 0:
        raise PortError("0 is no container port")
    published_start = published_end = 0
    if published:
        published_start, published_end = _range(published, "host port")
        if end - start != published_end - published_start and end != start:
            raise PortError(f"ranges of different lengths: {target} and {published}")
    found = []
    for offset in range(end - start + 1):
        host = str(published_start + offset) if published else ""
        if host and end == start and published_start != published_end:
            host += f"-{published_end}"
        found.append((f"{start + offset}/{protocol}", start + offset, host))
    return [_long(node, number, host, protocol, ip) for _, number, host in sorted(found)]


def _long(node: Node, target: int, published: str, protocol: str, ip: str) -> Node:
    values: dict[str, int | str] = {"mode": "ingress", "target": target, "protocol": protocol}
    if published:
        values["published"] = published
    if ip:
        values["host_ip"] = ip
    return node.become(
        {key: Node(value, node.at, None, node.used) for key, value in values.items()}
    )


def _split(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) == 1:
        return "", "", parts[0]
    return ":".join(parts[:-2]), parts[-2], parts[-1]


def _range(text: str, kind: str) -> tuple[int, int]:
    parts = text.split("-")
    start = _number(parts[0], text, kind)
    end = _number(parts[1], text, kind) if len(parts) > 1 else start
    if end < start:
        raise PortError(f"invalid {kind}: {text}")
    return start, end


def _number(text: str, whole: str, kind: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > 65535:
        raise PortError(f"invalid {kind}: {whole}")
    return int(text)
