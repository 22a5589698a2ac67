"""Limits: memory, processor, processes, block devices, ulimits; ``deploy.resources``.

Sources: podman-run(1) 5.4; https://docs.docker.com/reference/compose-file/deploy/#resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.targets.quadlet import security
from tidegate.targets.quadlet.rows import Service, below, text

LIMITS = {"cpus": "--cpus", "memory": "--memory"}
BLOCK = {
    "weight_device": ("--blkio-weight-device", "weight"),
    "device_read_bps": ("--device-read-bps", "rate"),
    "device_write_bps": ("--device-write-bps", "rate"),
    "device_read_iops": ("--device-read-iops", "rate"),
    "device_write_iops": ("--device-write-iops", "rate"),
}
SWARM_ONLY = "a hint for a cluster's scheduler; docker compose does not act on it either"


def pids(service: Service, at: tuple[str, ...], value: Any) -> None:
    """Any number below 1 means no limit, which podman writes -1."""
    number = int(value)
    service.sheet.key(at, "PidsLimit", str(number) if number > 0 else "-1")


def pids_limit(service: Service, at: str, value: Any) -> None:
    """The row ``pids_limit``."""
    pids(service, (at,), value)


def ulimits(service: Service, at: str, value: Any) -> None:
    """The row ``ulimits``: ``name=soft:hard``; docker compose leaves a 0 out."""
    limits = [
        f"{name}={limit.get('soft', 0)}:{limit.get('hard', 0)}"
        if isinstance(limit, Mapping)
        else f"{name}={limit}:{limit}"
        for name, limit in sorted(value.items())
    ]
    service.sheet.key((at,), "Ulimit", *limits)


def blkio(service: Service, at: str, value: Any) -> None:
    """The row ``blkio_config``; compose prints the device's keys with capitals."""
    for name, setting in sorted(value.items()):
        if name == "weight":
            service.sheet.option((at, name), "--blkio-weight", text(setting))
            continue
        option, what = BLOCK[name]
        for index, device in enumerate(setting):
            lower = {key.lower(): text(device[key]) for key in sorted(device, reverse=True)}
            words = f"{lower['path']}:{lower[what]}"
            keys = list(device)
            service.sheet.option((at, name, index, keys[0]), option, words)
            for other in keys[1:]:
                service.sheet.also((at, name, index, other), "podman-args", option)


def resources(service: Service, at: tuple[str, ...], value: Mapping[str, Any]) -> None:
    """``deploy.resources``."""
    for name, setting in sorted((value.get("limits") or {}).items()):
        path = (*at, "limits", name)
        if name == "pids":
            pids(service, path, setting)
        elif name in LIMITS:
            service.sheet.option(path, LIMITS[name], text(setting))
    for name, setting in sorted((value.get("reservations") or {}).items()):
        path = (*at, "reservations", name)
        if name == "memory":
            service.sheet.option(path, "--memory-reservation", text(setting))
        elif name == "devices":
            security.reserve(service, path, setting)
        else:
            for leaf in below(setting, path):
                service.sheet.harmless(leaf, SWARM_ONLY)
    for group in ("limits", "reservations"):
        if group in value and not value[group]:
            service.sheet.default((*at, group), "empty")
    if not value:
        service.sheet.default(at, "empty")
