"""What networks and volumes mean to podman: options of ``podman network create`` and its like.

Sources: podman-network-create(1), podman-volume-create(1) 5.4;
https://docs.docker.com/reference/compose-file/networks/ and .../volumes/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Option = tuple[str, str]
Body = Mapping[str, Any]

DOCKERS = {"com.docker.network.driver.mtu": "mtu", "macvlan_mode": "mode", "ipvlan_mode": "mode"}
# What podman 5.4.2 refuses with `unsupported … network option` is not here.
KNOWN = {
    "bridge": ("mtu", "metric", "mode", "no_default_route", "vlan", "isolate", "vrf"),
    "macvlan": ("mtu", "metric", "mode", "no_default_route", "bclim", "parent"),
    "ipvlan": ("mtu", "metric", "mode", "no_default_route", "parent"),
}


def network(body: Body) -> Iterator[Option]:
    """The options of a network."""
    driver = body.get("driver") or "default"
    configs = (body.get("ipam") or {}).get("config") or []
    subnets = [config["subnet"] for config in configs if config.get("subnet")]
    if driver in KNOWN and (driver != "ipvlan" or subnets):
        yield "--driver", driver
    for name, value in (body.get("driver_opts") or {}).items():
        if name == "com.docker.network.bridge.name":
            yield "--interface-name", str(value)
        elif DOCKERS.get(name, name) in KNOWN.get(driver, KNOWN["bridge"]):
            yield "--opt", f"{DOCKERS.get(name, name)}={value}"
    if (body.get("ipam") or {}).get("driver") not in (None, "", "default"):
        yield "--ipam-driver", body["ipam"]["driver"]
    yield from _flags(body)
    for option, key in (
        ("--subnet", "subnet"),
        ("--gateway", "gateway"),
        ("--ip-range", "ip_range"),
    ):
        yield from ((option, config[key]) for config in configs if config.get(key))
    yield from _labels(body)


def _flags(body: Body) -> Iterator[Option]:
    if body.get("internal"):
        yield "--internal", ""
    if body.get("enable_ipv6"):
        yield "--ipv6", ""


def _labels(body: Body) -> Iterator[Option]:
    yield from (
        ("--label", f"{name}={value}") for name, value in (body.get("labels") or {}).items()
    )


def volume(body: Body) -> Iterator[Option]:
    """The options of a volume."""
    if body.get("driver") not in (None, "", "local", "default"):
        yield "--driver", body["driver"]
    for name, value in (body.get("driver_opts") or {}).items():
        yield "--opt", f"{name}={value}"
    yield from _labels(body)


KINDS: dict[str, Callable[[Body], Iterator[Option]]] = {"network": network, "volume": volume}
