"""Networks: the project's own as units, and how a service joins them.

Which address a copy gets, and who bears its aliases, the host decides (a slot, a front).
Sources: podman v5.4.2 ConvertNetwork and addNetworks, podman-network-create(1);
https://docs.docker.com/reference/compose-file/networks/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.targets.quadlet.rows import Service, resource
from tidegate.targets.quadlet.scope import Scope
from tidegate.targets.quadlet.sheet import ADDRESS, UNSUPPORTED, Path, Sheet

# Docker's names of driver options, and podman's.
OPTIONS = {
    "com.docker.network.driver.mtu": "mtu",
    "macvlan_mode": "mode",
    "ipvlan_mode": "mode",
}
# Drivers and the options that they take: podman refuses to make a network with any other.
COMMON = frozenset({"mtu", "metric", "mode", "no_default_route"})
DRIVERS = {
    "bridge": COMMON | {"vlan", "isolate", "vrf"},
    "macvlan": COMMON | {"bclim", "parent"},
    "ipvlan": COMMON | {"parent"},
}
CLUSTER_ONLY = "without effect on one engine"


def network(scope: Scope, key: str, strict: bool = True) -> tuple[dict[str, Any], Sheet]:
    """The release's entry of one network, with the sheet that wrote its unit."""
    body = scope.project.networks[key]
    sheet, name = resource(scope, "Network", key, body, strict)
    external = bool(body.get("external"))
    if not external:
        for at, value in sorted(body.items()):
            if at not in ("name", "external"):
                _write(sheet, at, value, body)
    configs = (body.get("ipam") or {}).get("config") or []
    entry = {
        "name": name,
        "external": external,
        "internal": bool(body.get("internal")),
        "subnets": [config["subnet"] for config in configs if config.get("subnet")],
        "unit": sheet.lines,
    }
    return entry, sheet


def _write(sheet: Sheet, at: str, value: Any, body: Mapping[str, Any]) -> None:
    if at == "driver":
        _driver(sheet, value, body)
    elif at == "driver_opts":
        _options(sheet, at, body)
    elif at in ("internal", "enable_ipv6"):
        key = {"internal": "Internal", "enable_ipv6": "IPv6"}[at]
        if value:
            sheet.key((at,), key, "true")
        else:
            sheet.default((at,))
    elif at == "labels":
        if value:
            sheet.key((at,), "Label", *(f"{k}={v}" for k, v in sorted(value.items())))
        else:
            sheet.default((at,), "empty")
    elif at == "ipam":
        _ipam(sheet, value or {})
    elif at == "attachable":
        sheet.ignored((at,), CLUSTER_ONLY)
    elif at == "enable_ipv4":
        if value:
            sheet.default((at,))
        else:
            sheet.unsupported((at,), "podman's networks always have IPv4")


def _driver(sheet: Sheet, value: str, body: Mapping[str, Any]) -> None:
    subnets = (body.get("ipam") or {}).get("config") or []
    if value == "ipvlan" and not any(config.get("subnet") for config in subnets):
        sheet.unsupported(("driver",), "podman makes no ipvlan without a subnet", "give it one")
    elif value in DRIVERS:
        sheet.key(("driver",), "Driver", value)
    elif value == "default" or not value:
        sheet.default(("driver",))
    else:
        sheet.unsupported(("driver",), f"podman has no network driver {value!r}", "use bridge")


def _options(sheet: Sheet, at: str, body: Mapping[str, Any]) -> None:
    """One entry for all of them, which is ``unsupported`` as soon as one is not carried out."""
    value, driver = body.get(at) or {}, body.get("driver")
    known = DRIVERS.get(str(driver or "bridge"), DRIVERS["bridge"])
    used = []
    before = list(sheet.entries)
    for name, setting in sorted(value.items()):
        if name == "com.docker.network.bridge.name":
            sheet.option((at,), "--interface-name", str(setting))
            used.append("--interface-name")
        elif OPTIONS.get(name, name) in known:
            sheet.key((at,), "Options", f"{OPTIONS.get(name, name)}={setting}")
            used.append("Options")
        else:
            sheet.unsupported((at,), f"podman knows nothing like {name}")
    refused = [e for e in sheet.entries[len(before) :] if e.class_ == UNSUPPORTED]
    sheet.entries[:] = before + refused[:1]
    if not value:
        sheet.default((at,), "empty")
    elif not refused:
        class_ = "native" if "Options" in used else "podman-args"
        sheet.also((at,), class_, ",".join(dict.fromkeys(used)))


def _ipam(sheet: Sheet, value: Mapping[str, Any]) -> None:
    if not value:
        sheet.default(("ipam",), "empty")
    for name, setting in value.items():
        if name == "driver":
            if setting in ("default", ""):
                sheet.default(("ipam", name))
            else:
                sheet.key(("ipam", name), "IPAMDriver", setting)
        elif name == "options":
            sheet.unsupported(("ipam", name), "podman takes no options for address management")
        elif name == "config":
            _subnets(sheet, setting or [])


def _subnets(sheet: Sheet, configs: list[Mapping[str, Any]]) -> None:
    """Quadlet pairs the n-th Subnet, Gateway and IPRange, so those that have more come first."""
    order = sorted(
        enumerate(configs), key=lambda item: -len(set(item[1]) & {"gateway", "ip_range"})
    )
    keys = {"subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange"}
    for wanted in ("gateway", "ip_range"):
        have = [wanted in config for _, config in order]
        if have != sorted(have, reverse=True):
            path = ("ipam", "config", order[0][0], wanted)
            sheet.unsupported(path, "with several subnets, give every one a gateway and a range")
            del keys[wanted]
    for index, config in order:
        for name, setting in config.items():
            path = ("ipam", "config", index, name)
            if name == "aux_addresses":
                sheet.unsupported(path, "podman cannot keep single addresses free")
            elif name in keys and "subnet" in config:
                sheet.key(path, keys[name], str(setting))
            else:
                sheet.unsupported(path, "podman cannot say of which subnet", "give the subnet, too")


def joined(service: Service) -> list[dict[str, Any]]:
    """The release's ``networks`` of a service, the highest priority first."""
    compose = service.compose
    if mode_of(compose):
        return []
    wanted = compose["networks"]
    order = sorted(
        wanted.items(), key=lambda item: (-int((item[1] or {}).get("priority") or 0), item[0])
    )
    own = [str(compose.get("mac_address") or "")] + [""] * len(order)
    return [
        _joined(service, name, options or {}, mac)
        for (name, options), mac in zip(order, own, strict=False)
    ]


def _joined(service: Service, name: str, options: Mapping[str, Any], mac: str) -> dict[str, Any]:
    compose = service.compose
    path: Path = ("networks", name)
    if not options and "networks" in compose:
        service.sheet.deployed(path, "the host gives each copy its address")
    for key, value in options.items():
        at = (*path, key)
        if key in ("gw_priority", "link_local_ips", "driver_opts") and value:
            service.sheet.unsupported(at, "podman has nothing like it")
        else:
            service.sheet.deployed(at, "written by the host with the copy's address")
    names = aliases(service, options.get("aliases") or [])
    entry: dict[str, Any] = {
        "network": name,
        "aliases": [service.sheet.named((*path, "aliases"), alias) for alias in names],
        "ipv4": _address(service, (*path, "ipv4_address"), options.get("ipv4_address")),
    }
    more = {
        "ipv6": _address(service, (*path, "ipv6_address"), options.get("ipv6_address")),
        "mac": _address(service, (*path, "mac_address"), options.get("mac_address") or mac),
        "interface": options.get("interface_name") or "",
    }
    service.sheet.named((*path, "interface_name"), more["interface"] or "none")
    return {**entry, **{key: value for key, value in more.items() if value}}


def _address(service: Service, at: Path, value: Any) -> str:
    return service.sheet.named(at, str(value), ADDRESS) if value else ""


def aliases(service: Service, given: list[str]) -> list[str]:
    """What others call a service: its name, its aliases, the container's name, the first copy's.

    The other copies' names would change with their number, and a front be replaced for that.
    """
    compose = service.compose
    containers = [compose["container_name"]] if compose.get("container_name") else []
    containers.append(f"{service.scope.instance}-{service.name}-1")
    names = [service.name, *given, *containers, *linked(service.scope, service.name)]
    return list(dict.fromkeys(names))


def linked(scope: Scope, name: str) -> list[str]:
    """The aliases that other services' ``links`` give to this one."""
    return [alias for alias in scope.links.get(name, ()) if alias != name]


def network_mode(service: Service, at: str, value: str) -> None:
    """The row ``network_mode``."""
    service.sheet.named((at,), value.replace(":", "-", 1))
    service.sheet.also((at,), "native", "Network")


def mode_of(compose: Mapping[str, Any]) -> str:
    """The release's ``network_mode``: what ``Network=`` says, or ``service:x``.

    An empty mode and no network, which the loader leaves to nobody else, is none.
    """
    value = str(compose.get("network_mode") or ("" if compose.get("networks") else "none"))
    return "podman" if value in ("bridge", "default") else value


def links(service: Service, at: str, value: list[str]) -> None:
    """The row ``links``: order comes with depends_on; an alias is one for everybody here."""
    for link in value:
        _, _, alias = link.partition(":")
        if alias in service.scope.project.services and alias != link.partition(":")[0]:
            service.sheet.unsupported((at,), f"the alias {alias} is the name of another service")
            return
    service.sheet.deployed((at,), "an alias on the network, which every service there can use")
