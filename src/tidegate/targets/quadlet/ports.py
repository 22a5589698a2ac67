"""Which ports a service listens on, which are published, and where its routes and probe lead.

``http`` is said of a port only when something says so; else the front looks at the first bytes
(auto), but not on ports whose protocol lets the server speak first or never is HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.errors import InputError
from tidegate.targets.quadlet.health import Health, probe_of
from tidegate.targets.quadlet.rows import Service
from tidegate.targets.quadlet.scope import Project
from tidegate.targets.quadlet.sheet import NATIVE

# IANA's service names: FTP, SSH, mail, SQL Server, Oracle, MQTT, NFS, MySQL, RDP, PostgreSQL,
# AMQP, Redis, PgBouncer, Cassandra, Kafka, memcached, MongoDB.
NOT_HTTP = frozenset(
    {21, 22, 25, 110, 143, 465, 587, 993, 995, 1433, 1521, 1883, 2049, 3306, 3389, 5432, 5672}
    | {6379, 6432, 9042, 9092, 11211, 27017}
)
_MENTION = re.compile(r"(?<![\w.-])([\w.-]+):(\d{1,5})(?![\w.])")


def row(service: Service, at: str, value: Any) -> None:
    """The row ``ports``: published by the edge, or by the container of a service with one copy."""
    for index, port in enumerate(value):
        for name in port:
            path = (at, index, name)
            if name == "mode":
                service.sheet.default(path, "one engine publishes in one way only")
            elif name == "name":
                service.sheet.default(path, "a name for people")
            elif name == "app_protocol":
                service.sheet.deployed(path, "tells the front which protocol to expect")
            else:
                service.sheet.also(path, NATIVE, "PublishPort")


def published(service: Service) -> list[dict[str, Any]]:
    """The release's ``published``. A range for one port means its first; no port, none."""
    found = []
    for index, port in enumerate(service.compose.get("ports") or []):
        text = str(port.get("published") or "")
        if not text:
            continue
        first = text.partition("-")[0]
        protocol = port.get("protocol") or "tcp"
        if protocol not in ("tcp", "udp"):
            service.sheet.refuse(("ports", index, "protocol"), f"{protocol} cannot be published")
        found.append(
            {
                "address": str(port.get("host_ip") or ""),
                "port": service.sheet.number(("ports", index, "published"), first),
                "target": int(port["target"]),
                "protocol": protocol,
            }
        )
    return found


def declared(service: Service, check: Health) -> list[dict[str, Any]]:
    """The release's ``ports``: every TCP port that anything names, with its protocol."""
    compose, setting = service.compose, service.scope.setting(service.name)
    modes: dict[int, str] = {}
    for port in compose.get("ports") or []:
        if (port.get("protocol") or "tcp") == "tcp":
            _note(modes, int(port["target"]), _mode(port.get("app_protocol") or ""))
    for text in filter(None, compose.get("expose") or []):
        span, _, protocol = str(text).partition("/")
        if protocol in ("", "tcp"):
            first, _, last = span.partition("-")
            low, high = (service.sheet.number(("expose",), one) for one in (first, last or first))
            if high > 65535:
                service.sheet.refuse(("expose",), f"there is no port {high}")
            for number in range(low, high + 1):
                _note(modes, number, "auto")
    facts = service.scope.facts(service.name)
    for number, protocol in facts.ports if facts else ():
        if protocol == "tcp":
            _note(modes, number, "auto")
    for number in () if modes else called(service):
        _note(modes, number, "auto")
    found = probe(service, check, modes)
    if found:
        modes[found["port"]] = "http"
    if setting.port:
        _note(modes, setting.port, "auto")
    if setting.route:
        modes[_only(service, modes, "route")] = "http"
    return [{"port": number, "mode": _known(number, modes[number])} for number in sorted(modes)]


def called(service: Service) -> list[int]:
    """The ports at which other services name this one, as in ``http://api:5000``.

    Its front can then be there as soon as the copy runs, however late the copy listens.
    """
    names = {service.name}
    for options in (service.compose.get("networks") or {}).values():
        names |= set((options or {}).get("aliases") or ())
    found = {
        number
        for name in names
        for teller, number in service.scope.mentions.get(name, ())
        if teller != service.name and 0 < number < 65536
    }
    return sorted(found)


def mentions(project: Project) -> dict[str, set[tuple[str, int]]]:
    """For each ``name:port`` that a service may read: the name, the reader and the port."""
    found: dict[str, set[tuple[str, int]]] = {}
    readers = [*project.services.items(), *(("", config) for config in project.configs.values())]
    for reader, body in readers:
        for text in _texts(body):
            for name, number in _MENTION.findall(text):
                found.setdefault(name, set()).add((reader, int(number)))
    return found


def _texts(body: Mapping[str, Any]) -> Iterator[str]:
    """What a process may read there: environment, commands, the content of configs."""
    for key in ("command", "entrypoint", "environment", "content"):
        said = body.get(key) or ()
        if isinstance(said, Mapping):
            said = said.values()
        yield from [said] if isinstance(said, str) else map(str, said)


def _mode(protocol: str) -> str:
    if protocol.lower() in ("http", "http2", "ws"):
        return "http"
    return "tcp" if protocol else "auto"


def _note(modes: dict[int, str], number: int, mode: str) -> None:
    if modes.get(number, "auto") == "auto":
        modes[number] = mode


def _known(number: int, mode: str) -> str:
    return "tcp" if mode == "auto" and number in NOT_HTTP else mode


def probe(service: Service, check: Health, modes: dict[int, str]) -> dict[str, Any] | None:
    """The release's ``probe``: the settings' path, or the URL that the health check asks for."""
    setting = service.scope.setting(service.name)
    found = probe_of(check.test)
    if setting.health:
        port = setting.port or (found[1] if found else 0) or _only(service, modes, "health")
        return {"path": setting.health, "port": port}
    return {"path": found[0], "port": found[1]} if found else None


def routes(service: Service, ports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The release's ``routes``: ``example.com/api`` is a host and a path."""
    setting = service.scope.setting(service.name)
    if not setting.route:
        return []
    host, slash, path = setting.route.partition("/")
    numbers = {port["port"]: port["mode"] for port in ports}
    return [
        {
            "host": host.lower(),
            "path": slash + path or "/",
            "port": _only(service, numbers, "route"),
        }
    ]


def _only(service: Service, modes: dict[int, str], what: str) -> int:
    setting = service.scope.setting(service.name)
    if setting.port:
        return setting.port
    if len(modes) == 1:
        return next(iter(modes))
    listed = ", ".join(str(number) for number in sorted(modes)) or "none"
    raise InputError(
        f"which port does the {what} of {service.name} lead to? It declares {listed}",
        code="port-unclear",
        where=setting.where,
        hint=f"add `port:` to the settings of {service.name}",
    )
