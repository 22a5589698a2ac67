"""The rows that differ when units are exported: what a host would add at deployment is written.

Exported units are the steady state: one unit per copy, no slots, no fronts; ports are published
by the containers themselves, names are aliases of the containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.errors import InputError
from tidegate.images.names import parse
from tidegate.targets.quadlet import health
from tidegate.targets.quadlet.escape import HostPath
from tidegate.targets.quadlet.mounts import mount_file
from tidegate.targets.quadlet.networks import linked, mode_of
from tidegate.targets.quadlet.rows import Row, Service, below, deployed
from tidegate.targets.quadlet.sheet import ADDRESS, NAME, Path
from tidegate.targets.quadlet.table import ROWS
from tidegate.targets.quadlet.wanted import config_place, config_text

PULL = {"always": "always", "never": "never", "missing": "missing", "if_not_present": "missing"}


def image_name(service: Service) -> str:
    """The full name of a service's image; a build has the name that docker compose gives it."""
    image = str(service.compose.get("image") or "")
    if not image:
        return f"localhost/{service.scope.project.name}-{service.name}:latest"
    try:
        reference = parse(image)
    except InputError:
        return image  # and the row says what is wrong with it
    return reference.tagged + (f"@{reference.digest}" if reference.digest else "")


def _image(service: Service, at: str, value: Any) -> None:
    try:
        parse(value)
    except InputError as problem:
        service.sheet.unsupported((at,), problem.message)
    else:
        service.sheet.also((at,), "native", "Image")


def _build(service: Service, at: str, value: Any) -> None:
    reason = f"build it, and call it {image_name(service)}"
    service.sheet.deployed((at,), reason)
    for leaf in below(value, (at,)):
        service.sheet.deployed(leaf, reason)


def _platform(service: Service, at: str, value: Any) -> None:
    service.sheet.option((at,), "--platform", value)


def _pull(service: Service, at: str, value: Any) -> None:
    if value in PULL:
        service.sheet.key((at,), "Pull", PULL[value])
    elif value == "build":
        service.sheet.deployed((at,), "built before the first start")
    else:
        service.sheet.unsupported((at,), "podman does not pull by the calendar")


def _container_name(service: Service, at: str, _value: Any) -> None:
    service.sheet.also((at,), "native", "ContainerName")


def _ports(service: Service, at: str, value: Any) -> None:
    for index, port in enumerate(value):
        path = (at, index)
        first = str(port.get("published") or "0").partition("-")[0]
        if not (first.isascii() and first.isdigit()):
            for leaf in below(port, path):
                service.sheet.unsupported(leaf, f"{first!r} is not a port")
            continue
        service.sheet.key((*path, "target"), "PublishPort", publish(port))
        for name, setting in port.items():
            if name == "mode":
                service.sheet.default((*path, name), "one engine publishes in one way only")
            elif name in ("name", "app_protocol"):
                service.sheet.default((*path, name), "a word for people and other programs")
            elif name != "target":
                whole = "-" not in str(setting) or name != "published"
                reason = "" if whole else "of the range, one for each copy"
                service.sheet.also((*path, name), "native", "PublishPort", reason)


def publish(port: Mapping[str, Any], copy: int = 0) -> str:
    """What ``PublishPort=`` says for a copy: of a range the first, the second and so on.

    Nothing where earlier copies have all ports that the file names.
    """
    address = str(port.get("host_ip") or "")
    address = f"[{address}]" if ":" in address and not address.startswith("[") else address
    first, _, last = str(port.get("published") or "").partition("-")
    if first and copy:
        if not (first.isdecimal() and last.isdecimal() and int(first) + copy <= int(last)):
            return ""
        first = str(int(first) + copy)
    words = f"{first}:{port['target']}" if first or address else str(port["target"])
    protocol = port.get("protocol") or "tcp"
    suffix = "" if protocol == "tcp" else f"/{protocol}"
    return (f"{address}:" if address else "") + words + suffix


def _networks(service: Service, at: str, value: Any) -> None:
    order = sorted(value.items(), key=lambda item: -int((item[1] or {}).get("priority") or 0))
    mac = service.compose.get("mac_address")
    for index, (name, options) in enumerate(order):
        _join(service, (at, name), name, options or {}, "" if index else str(mac or ""))


def _join(service: Service, path: Path, name: str, options: Mapping[str, Any], mac: str) -> None:
    network, sheet = service.scope.project.networks[name], service.sheet
    external = str(network.get("name") or name) if network.get("external") else ""
    if external and not sheet.writable(external):
        for leaf in below(options or None, path):
            sheet.unsupported(leaf, f"{external!r} cannot be the name of a network of podman")
        return
    if external in ("host", "none"):  # Docker's own networks, which podman has as modes
        sheet.key(path, "Network", external)
        for key in options:
            sheet.default((*path, key), "Docker's own network knows no names")
        return
    names = [service.name, *(options.get("aliases") or []), *linked(service.scope, service.name)]
    words = [f"alias={alias}" for alias in dict.fromkeys(names) if sheet.writable(alias)]
    given = {**options, "mac_address": options.get("mac_address") or mac}
    for key, (word, allowed) in JOINED.items():
        if given.get(key) and sheet.writable(str(given[key]), allowed):
            words.append(f"{word}={given[key]}")
    target = external or service.scope.network_unit(name)
    sheet.key(path, "Network", f"{target}:{','.join(words)}")
    for key, value in options.items():
        _option(service, (*path, key), key, value)


# Of what a service says of a network: podman's word for it, and how its value may look.
JOINED = {
    "ipv4_address": ("ip", ADDRESS),
    "ipv6_address": ("ip6", ADDRESS),
    "mac_address": ("mac", ADDRESS),
    "interface_name": ("interface_name", NAME),
}


def _option(service: Service, path: Path, key: str, value: Any) -> None:
    sheet = service.sheet
    allowed = JOINED.get(key, ("", NAME))[1]
    texts = value if key == "aliases" else [value] if key in JOINED and value else []
    odd = [text for text in texts if text and not sheet.writable(str(text), allowed)]
    if odd:
        sheet.unsupported(path, f"{odd[0]!r} cannot be written in a unit")
    elif key in ("gw_priority", "link_local_ips", "driver_opts") and value:
        sheet.unsupported(path, "podman has nothing like it")
    elif key == "priority":
        sheet.also(path, "native", "Network", "the order of the lines")
    else:
        sheet.also(path, "native", "Network")


def _network_mode(service: Service, at: str, _value: Any) -> None:
    mode = mode_of(service.compose)
    kind, _, other = mode.partition(":")
    if kind == "service" and other not in service.scope.names.units:
        service.sheet.unsupported((at,), f"there is no container of {other}")
        return
    if kind == "service":
        mode = f"{service.scope.unit(other)}.container"
    service.sheet.key((at,), "Network", mode)


def _mac_address(service: Service, at: str, _value: Any) -> None:
    service.sheet.also((at,), "native", "Network")


def _links(service: Service, at: str, _value: Any) -> None:
    service.sheet.also((at,), "unit", "After", "an alias is one for all on the network")


def _depends_on(service: Service, at: str, value: Mapping[str, Any]) -> None:
    unit_names = service.scope.names.units
    for other, wait in value.items():
        path = (at, other)
        if other not in unit_names:
            for name in wait:
                service.sheet.default((*path, name), f"no container of {other} is part of this")
            continue
        units = " ".join(f"{name}.service" for name in unit_names[other])
        key = "Requires" if wait.get("required", True) else "Wants"
        service.sheet.raw("Unit", key, units)
        service.sheet.raw("Unit", "After", units)
        service.sheet.also((*path, "required"), "unit", key)
        _condition(service, (*path, "condition"), other, wait)
        if wait.get("restart"):
            service.sheet.unit((*path, "restart"), "Unit", "PartOf", units)
        elif "restart" in wait:
            service.sheet.default((*path, "restart"))


def _condition(service: Service, path: Path, other: str, wait: Mapping[str, Any]) -> None:
    condition = wait.get("condition")
    body = service.scope.service(other)
    if condition == "service_healthy" and not health.health(body, None).test:
        reason = f"only the image can have a check for {other}; without one, this is order only"
        service.sheet.also(path, "unit", "After", reason)
    else:
        service.sheet.also(path, "unit", "After")


def _configs(service: Service, at: str, value: Any) -> None:
    for index, use in enumerate(value):
        name, path = use["source"], (at, index)
        config = service.scope.project.configs[name]
        text = config_text(config, service.scope.variables)
        if text is None and not config.get("file"):
            for leaf in below(use, path):
                service.sheet.unsupported(leaf, f"config {name} has no content here")
            continue
        # Quadlet reads ./ from the unit's own folder, and the file lies beside the unit.
        place = config.get("file") or f"./{config_place(service.scope.instance, name)}"
        mount_file(service, path, HostPath(place), use.get("target") or f"/{name}")
        for key in use:
            if key in ("uid", "gid", "mode") and config.get("file"):
                service.sheet.default((*path, key), "docker compose ignores it for a file, too")
            elif key in ("uid", "gid", "mode"):
                service.sheet.unsupported((*path, key), "the file keeps its owner and its mode")
            else:
                service.sheet.also((*path, key), "native", "Volume")


def _secrets(service: Service, at: str, value: Any) -> None:
    for index, use in enumerate(value):
        secret = service.scope.project.secrets[use["source"]]
        words = [str(secret.get("name") or use["source"]), "type=mount"]
        words.append(f"target={use.get('target') or use['source']}")
        words += [f"{key}={use[key]}" for key in ("uid", "gid", "mode") if use.get(key)]
        if any("," in word for word in words):
            for leaf in below(use, (at, index)):
                service.sheet.unsupported(leaf, "podman ends a secret's name and target at a comma")
            continue
        service.sheet.key((at, index, "source"), "Secret", ",".join(words))
        for key in use:
            if key != "source":
                service.sheet.also((at, index, key), "native", "Secret")


def _healthcheck(service: Service, at: str, value: Mapping[str, Any]) -> None:
    health.write(service, at, value)
    test = value.get("test") or []
    interval = value.get("start_interval")
    command = health.health_command(test) if test and not value.get("disable") else None
    if not interval:
        return
    path = (at, "start_interval")
    service.sheet.entries[:] = [
        entry for entry in service.sheet.entries if entry.path != service.sheet.path + path
    ]
    if command is None or command == "none":
        service.sheet.default(path, "there is no check of this service's own")
        return
    service.sheet.key(path, "HealthStartupInterval", str(interval))
    service.sheet.key((at,), "HealthStartupCmd", command)


EXPORT_ROWS: dict[str, Row] = {
    **ROWS,
    "image": _image,
    "build": _build,
    "platform": _platform,
    "pull_policy": _pull,
    "container_name": _container_name,
    "ports": _ports,
    "networks": _networks,
    "network_mode": _network_mode,
    "mac_address": _mac_address,
    "links": _links,
    "depends_on": _depends_on,
    "configs": _configs,
    "secrets": _secrets,
    "healthcheck": _healthcheck,
    "scale": deployed("one unit for each copy"),
}
