"""From a release and its layout to the Quadlet files of this host, as text.

Pure. The controller rendered and escaped every value that is the same everywhere; what a
host adds is what only it knows: names, addresses, order, labels.
Source: podman-systemd.unit(5), Podman 5.4.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Optional, Tuple

from tidegate.host.diff import copy_digest
from tidegate.host.layout import Layout, Release, mac, unit_names
from tidegate.host.limits import Facts, fit
from tidegate.host.placement import REMOTE

Lines = List[Tuple[str, str]]
# Milliseconds between the checks of a start, per service that is checked: each check is a podman
# process of its own (0.2 s of a processor), and several services may be started at once.
STARTUP_SHARE, STARTUP_LEAST, STARTUP_MOST = 150, 500, 2000
SECTIONS = ("Unit", "Container", "Network", "Volume", "Service", "Timer", "Install")


def text(instance: str, sections: Dict[str, Lines]) -> str:
    """A unit file: sections in their usual order, our mark and the digest on top."""
    body: List[str] = []
    for name in SECTIONS:
        lines = sections.get(name)
        if lines:
            body.append(f"[{name}]")
            body.extend(f"{key}={value}" for key, value in lines)
            body.append("")
    content = "\n".join(body)
    mark = hashlib.sha256(content.encode()).hexdigest()
    return f"{head(instance)} sha256:{mark}\n{content}"


def head(instance: str) -> str:
    """How the first line of every unit file of `instance` begins."""
    return f"# Made by tidegate for {instance}. Do not edit: drift is mended."


def service_units(
    release: Release, layout: Layout, service: str, facts: Optional[Facts] = None
) -> Dict[str, str]:
    """The container units of one service in its slot: file name → text."""
    slot = layout["services"][service]["slot"]
    return {
        f"{unit}.container": _container(release, layout, service, slot, index, facts)
        for index, unit in enumerate(unit_names(release, service, slot), 1)
    }


def shared_units(
    release: Release, layout: Layout, before: Optional[Release], known: Dict[str, str]
) -> Dict[str, str]:
    """The units of the instance's networks and volumes: file name → text."""
    instance = release["instance"]
    old = before or {"networks": {}, "volumes": {}}
    result = {}
    for name, entry in release["networks"].items():
        file = f"{instance}-{name}.network"
        if not entry["external"]:
            same = old["networks"].get(name) == entry and file in known
            result[file] = known[file] if same else _network(instance, entry, layout, name)
    for name, entry in release["volumes"].items():
        file = f"{instance}-{name}.volume"
        if not entry["external"]:
            same = old["volumes"].get(name) == entry and file in known
            result[file] = known[file] if same else _volume(instance, entry)
    return result


def place(
    release: Release,
    layout: Layout,
    before: Optional[Release],
    old: Layout,
    facts: Optional[Facts] = None,
) -> None:
    """Put the texts of all units into the layout of a new generation.

    What did not change keeps the text that it was started with, also when a newer Tidegate
    would write it differently: an upgrade of the tool touches nothing that runs. `facts` say
    what this host can enforce.
    """
    known, services = old.get("units", {}), (before or {"services": {}})["services"]
    texts: Dict[str, Dict[str, str]] = {}
    for name, entry in release["services"].items():
        same = services.get(name) == entry and name in known
        kept = same and layout["services"][name]["since"] != layout["n"]
        texts[name] = known[name] if kept else service_units(release, layout, name, facts)
    layout["units"] = texts
    layout["shared"] = shared_units(release, layout, before, old.get("shared", {}))
    layout["fronts"] = {
        name: entry for name, entry in old.get("fronts", {}).items() if name in texts
    }


def network_argument(release: Release, name: str, options: List[str]) -> str:
    """The value of `Network=`: our unit, or the external network's own name."""
    entry = release["networks"][name]
    target = entry["name"] if entry["external"] else f"{release['instance']}-{name}.network"
    return target + (":" + ",".join(options) if options else "")


def _volume(instance: str, entry: Dict[str, Any]) -> str:
    sections = _sections(entry["unit"])
    sections.setdefault("Volume", []).append(("Label", f"tidegate.instance={instance}"))
    return text(instance, sections)


def _network(instance: str, entry: Dict[str, Any], layout: Layout, name: str) -> str:
    sections = _sections(entry["unit"])
    lines = sections.setdefault("Network", [])
    place = layout["networks"][name]
    keys = {key for key, _ in lines}
    if "Subnet" not in keys:
        lines += [("Subnet", place["subnet"]), ("Gateway", place["gateway"])]
    if "IPRange" not in keys:
        lines.append(("IPRange", place["range"]))
    lines.append(("Label", f"tidegate.instance={instance}"))
    return text(instance, sections)


def _container(
    release: Release,
    layout: Layout,
    service: str,
    slot: str,
    index: int,
    facts: Optional[Facts],
) -> str:
    entry = release["services"][service]
    sections = _sections(entry["unit"])
    unit = unit_names(release, service, slot)[index - 1]
    container = [line for line in sections.get("Container", []) if line[0] != "Pull"]
    container = _of_copy(fit(container, facts), release["instance"], entry, index)
    if not any(key == "ContainerName" for key, _ in container):
        container.append(("ContainerName", unit))
    container += _networks(release, layout, service, slot, index)
    if entry["strategy"] == "recreate":
        container += [("PublishPort", _publish(port)) for port in entry["published"]]
    container, after_start = _until_healthy(container, _checked(release))
    container += _secrets(entry, layout["secrets"])
    container += [("Pull", "never"), *_labels(release["instance"], service, slot, entry, layout)]
    sections["Container"] = container
    sections["Unit"] = sections.get("Unit", []) + _order(release, service)
    if entry["strategy"] == "job":
        stays = not entry.get("schedule")  # by a timer it is started again and again
        sections["Service"] = _oneshot(sections.get("Service", []), stays)
    elif after_start:
        sections["Service"] = sections.get("Service", []) + after_start
    if _boots(entry):
        sections["Install"] = [("WantedBy", "default.target")]
    return text(release["instance"], sections)


def _boots(entry: Dict[str, Any]) -> bool:
    """Whether a boot starts the service: not a job, and not where the release says so."""
    never = entry["unit"].get("Install") == []
    return entry["strategy"] != "job" and not never


def _of_copy(container: Lines, instance: str, entry: Dict[str, Any], index: int) -> Lines:
    """The lines of one copy of several: volumes that each has for itself are its own."""
    if index == 1:
        return container
    for name in entry.get("own_volumes", ()):
        first, own = f"{instance}-{name}.volume", f"{instance}-{name}.{index}.volume"
        container = [(key, value.replace(first, own)) for key, value in container]
    return container


def _checked(release: Release) -> int:
    """How many services have a health check."""
    return sum(entry["health"]["kind"] != "none" for entry in release["services"].values())


def _until_healthy(container: Lines, checked: int) -> Tuple[Lines, Lines]:
    """(container's, service's lines): a start lasts until the first good check, which comes soon.

    Notify=healthy would say the same, but with it Podman tells systemd "ready" as its last act
    and ends, and systemd passes over a message whose sender is gone (sd_notify(3)): about one
    boot in fifteen on a busy machine, and the healthy container was then ended after
    TimeoutStartSec. The message that Podman sends without it comes before Podman asks systemd
    for the health check's timer, and is therefore always read first.

    Checks come once an interval (30 s by default). A startup check with the same command runs
    often until it passes once; then the ordinary one takes over (podman-run(1),
    --health-startup-cmd, Podman 5.4).
    """
    keys = dict(container)
    if keys.get("Notify") != "healthy" or "HealthCmd" not in keys:
        return container, []
    lines = [line for line in container if line != ("Notify", "healthy")]
    if "HealthStartupCmd" not in keys:
        interval = min(max(STARTUP_LEAST, STARTUP_SHARE * checked), STARTUP_MOST)
        lines += [
            ("HealthStartupCmd", keys["HealthCmd"]),
            ("HealthStartupInterval", f"{interval}ms"),
            ("HealthStartupRetries", "0"),
            ("HealthStartupSuccess", "1"),
            ("HealthStartupTimeout", keys.get("HealthTimeout", "30s")),
        ]
    name = keys["ContainerName"]
    return lines, [("ExecStartPost", f"podman wait --condition=healthy --interval=100ms {name}")]


def _oneshot(lines: Lines, stays: bool) -> Lines:
    keys = {key for key, _ in lines}
    extra = [("Type", "oneshot"), ("RemainAfterExit", "yes" if stays else "no")]
    return lines + [line for line in extra if line[0] not in keys]


def _networks(release: Release, layout: Layout, service: str, slot: str, index: int) -> Lines:
    entry = release["services"][service]
    mode = entry.get("network_mode") or ""
    if mode.startswith("service:"):
        return [("Network", f"{release['instance']}-{mode[8:]}.container")]
    if mode:
        return [("Network", mode)]
    lines: Lines = []
    for joined in entry["networks"]:
        name = joined["network"]
        spots = layout["addresses"].get(f"{service}/{slot}/{index}", {})
        aliases = [] if entry["strategy"] == "blue-green" else joined["aliases"]
        options = [f"alias={alias}" for alias in aliases]
        if joined.get("ipv4"):
            options.append(f"ip={joined['ipv4']}")
        elif name in spots:
            options.append(f"ip={spots[name]}")
        hardware = joined.get("mac") or (mac(spots[name]) if name in spots else "")
        extra = {
            "ip6": joined.get("ipv6"),
            "mac": hardware,
            "interface_name": joined.get("interface"),
        }
        options += [f"{key}={value}" for key, value in extra.items() if value]
        lines.append(("Network", network_argument(release, name, options)))
    return lines


def _publish(port: Dict[str, Any]) -> str:
    address = port.get("address") or ""
    bracketed = f"[{address}]" if ":" in address else address
    prefix = f"{bracketed}:" if address else ""
    suffix = "/udp" if port["protocol"] == "udp" else ""
    return f"{prefix}{port['port']}:{port['target']}{suffix}"


def _secrets(entry: Dict[str, Any], versions: Dict[str, str]) -> Lines:
    """`Secret=` of the version that this generation uses, with the options of each use."""
    lines: Lines = []
    for use in entry["secrets"]:
        words = [versions[use["secret"]]]
        keys = ("type", "target", "uid", "gid", "mode")
        words += [f"{key}={use[key]}" for key in keys if use.get(key) not in (None, "")]
        lines.append(("Secret", ",".join(words)))
    return lines


def _labels(instance: str, service: str, slot: str, entry: Dict[str, Any], layout: Layout) -> Lines:
    values = {
        "instance": instance,
        "service": service,
        "slot": slot,
        "digest": copy_digest(entry, layout["secrets"]),
    }
    return [("Label", f"tidegate.{key}={value}") for key, value in values.items() if value]


def _order(release: Release, service: str) -> Lines:
    """After= for all dependencies; Wants= for those in place that a boot starts.

    Never Requires=: it would stop this service whenever systemd stops the other.
    """
    lines: Lines = []
    instance = release["instance"]
    for name in sorted(release["services"][service]["depends_on"]):
        entry = release["services"].get(name)
        if entry is None:
            continue
        if entry["strategy"] == REMOTE:
            units = [f"{instance}-{name}-front"]
        elif entry["strategy"] == "blue-green":
            units = [u for slot in "ab" for u in unit_names(release, name, slot)]
            units.append(f"{instance}-{name}-front")
        else:
            units = unit_names(release, name, "")
            if _boots(entry):
                lines += [("Wants", f"{unit}.service") for unit in units]
        lines.append(("After", " ".join(f"{unit}.service" for unit in units)))
    return lines


def _sections(unit: Dict[str, Any]) -> Dict[str, Lines]:
    return {name: [(key, value) for key, value in lines] for name, lines in unit.items()}
