"""The HAProxy configuration of a host's edge: published ports and routes of all its projects.

Its listening sockets are passed in by systemd, so it can be replaced without closing one.
Which slot of a service is live is a line of `live.map`, keyed `instance/service`.

Source: https://docs.haproxy.org/3.0/configuration.html
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from tidegate.traffic.model import SLOTS, Check, Claim, Copy, Published, Route, Taken
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

Listen = Tuple[str, int]
FORWARDED = (
    "  option forwardfor",
    "  http-request set-header X-Forwarded-Proto http if !{ req.hdr(X-Forwarded-Proto) -m found }",
)


def edge_config(claims: Sequence[Claim]) -> str:
    """The whole configuration file; equal claims give equal bytes."""
    lines = process(descriptors=50000) + defaults()
    for claim in sorted(claims, key=lambda each: each.instance):
        for port in claim.published:
            if not _shared(port, claims):
                lines += _published(claim.instance, port)
    for listen, routes in sorted(_by_socket(claims).items()):
        lines += _routing(listen, routes)
    return stamped(lines)


def edge_sockets(claims: Sequence[Claim]) -> List[Listen]:
    """(address, port) of every listening socket; the address is empty for all addresses."""
    found = {
        (port.address, port.port)
        for claim in claims
        for port in claim.published
        if not _shared(port, claims)
    }
    return sorted(found | set(_by_socket(claims)))


def _shared(port: Published, claims: Sequence[Claim]) -> bool:
    """Whether routes use the port, too: what is published there then takes the other hosts."""
    routed = {route.port for claim in claims for route in claim.routes}
    return port.port in routed and port.address in ("", "0.0.0.0", "::")  # noqa: S104


def socket_name(listen: Listen) -> str:
    """How systemd names the descriptor of a socket, and what its unit is called after."""
    address, port = listen
    spot = "".join(char if char.isalnum() else "_" for char in address)
    return f"p{port}" + (f"_{spot}" if spot else "")


def check_claims(claims: Sequence[Claim], wanted: Claim) -> None:
    """Raise Taken when `wanted` asks for what another instance has."""
    for other in claims:
        if other.instance == wanted.instance:
            continue
        ports = {port.port for port in other.published}
        routes = {(r.host, r.path, r.port) for r in other.routes}
        shared = {route.port for route in other.routes}
        for port in wanted.published:
            if port.port in ports | shared:
                raise Taken(f"port {port.port}", other.instance)
        for route in wanted.routes:
            if (route.host, route.path, route.port) in routes:
                raise Taken(f"the route {route.host}{route.path}", other.instance)
            if route.port in ports:
                raise Taken(f"port {route.port}", other.instance)


def backend_is(name: str, key: str, slot: str) -> bool:
    """Whether a backend's name is one of slot `slot` of the service `instance/service`."""
    parts = name.split(":")
    return len(parts) == 5 and "/".join(parts[1:3]) == key and parts[4] == slot


def _name(kind: str, instance: str, service: str, spot: str, slot: str) -> str:
    return f"{kind}:{instance}:{service}:{spot}:{slot}"


def _live(instance: str, service: str) -> str:
    return f"%[str({instance}/{service}),map({FOLDER}/live.map,{NOBODY})]"


def _bind(listen: Listen) -> str:
    return f'  bind "fd@${{TIDEGATE_FD_{socket_name(listen)}}}"'


def _published(instance: str, port: Published) -> List[str]:
    listen = (port.address, port.port)
    lines = [f"frontend listen:{socket_name(listen)}", _bind(listen), *frontend_mode(port.mode)]
    spot = socket_name(listen)
    for kind in kinds(port.mode):
        name = _name(kind, instance, port.service, spot, _live(instance, port.service))
        only = only_if(kind, port.mode)
        lines.append(f"  use_backend {name}" + (f" if {only}" if only else ""))
    lines.append("")
    for kind in kinds(port.mode):
        lines += _slots(kind, instance, port.service, spot, port.copies, port.check)
    return lines


def _slots(
    kind: str,
    instance: str,
    service: str,
    spot: str,
    copies: Mapping[str, Copy],
    check: Optional[Check],
) -> List[str]:
    lines: List[str] = []
    for slot in (*SLOTS, NOBODY):
        copy = copies.get(slot)
        targets = [(address, copy.port) for address in copy.addresses] if copy else []
        name = _name(kind, instance, service, spot, slot)
        checked = check if targets else None
        lines += backend(name, kind, targets, checked, FORWARDED if kind == "http" else ())
    return lines


def _by_socket(claims: Sequence[Claim]) -> Dict[Listen, List[Tuple[str, Route]]]:
    found: Dict[Listen, List[Tuple[str, Route]]] = {}
    for claim in claims:
        for route in claim.routes:
            found.setdefault(("", route.port), []).append((claim.instance, route))
        for port in claim.published:
            if _shared(port, claims):
                rest = Route(port.service, "", "/", port.port, port.copies, port.check)
                found.setdefault(("", port.port), []).append((claim.instance, rest))
    for routes in found.values():
        routes.sort(key=lambda pair: _rank(pair[1]))
    return found


def _rank(route: Route) -> Tuple[int, int, int, str, str]:
    """The most specific first: whole names before wildcards before any, then longer paths."""
    kind = 2 if not route.host else int(route.host.startswith("*."))
    return (kind, -len(route.host), -len(route.path), route.host, route.path)


def _routing(listen: Listen, routes: List[Tuple[str, Route]]) -> List[str]:
    lines = [
        f"frontend routes:{socket_name(listen)}",
        _bind(listen),
        "  mode http",
        "  http-request set-var(txn.host) req.hdr(host),host_only,lower",
    ]
    for number, (instance, route) in enumerate(routes):
        name = _name("http", instance, route.service, f"r{number}", _live(instance, route.service))
        lines += [
            f"  use_backend {name} if {where}" if where else f"  use_backend {name}"
            for where in _conditions(route)
        ]
    lines.append("")
    for number, (instance, route) in enumerate(routes):
        lines += _slots("http", instance, route.service, f"r{number}", route.copies, route.check)
    return lines


def _conditions(route: Route) -> List[str]:
    """HAProxy conditions, one of which must hold; "/api" is "/api" and what is below it."""
    host = ""
    if route.host.startswith("*."):
        host = f"{{ var(txn.host) -m end {route.host[1:]} }}"
    elif route.host:
        host = f"{{ var(txn.host) -m str {route.host} }}"
    if route.path == "/":
        return [host]
    path = route.path.rstrip("/")
    return [
        f"{host} {{ path {path} }}".strip(),
        f"{host} {{ path_beg {path}/ }}".strip(),
    ]
