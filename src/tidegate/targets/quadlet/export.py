"""A compose project as Quadlet files for any Podman host, and a report of every key.

Pure: the files come back as text. The report says of each leaf of what ``compose config`` prints
whether a Quadlet key carries it (native), a podman option (podman-args), a systemd key (unit),
somebody who deploys (deployer), or nothing (unsupported).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tidegate.errors import InputError
from tidegate.targets.quadlet import health, mounts, networks, strategy
from tidegate.targets.quadlet.escape import SCALAR, plain
from tidegate.targets.quadlet.export_names import names_of, stems
from tidegate.targets.quadlet.export_rows import EXPORT_ROWS, image_name, publish
from tidegate.targets.quadlet.names import check_length
from tidegate.targets.quadlet.render import STOP_MARGIN_S
from tidegate.targets.quadlet.rows import Row, Service
from tidegate.targets.quadlet.scope import Found, Project, Scope
from tidegate.targets.quadlet.sheet import UNSUPPORTED, Entry, Path, Sheet, leaves, shown
from tidegate.targets.quadlet.table import stop_s
from tidegate.targets.quadlet.volumes import volume
from tidegate.targets.quadlet.wanted import config_place, config_text

SECTIONS = ("Unit", "Container", "Network", "Volume", "Service", "Install")
REPORTED = ("services", "networks", "volumes", "secrets", "configs", "models")
Lines = Mapping[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class Exported:
    """``files`` by name below the output folder; ``entries`` one for each path."""

    files: Mapping[str, str]
    entries: tuple[Entry, ...]

    @property
    def unsupported(self) -> tuple[Entry, ...]:
        """What the units do not do."""
        return tuple(entry for entry in self.entries if entry.class_ == UNSUPPORTED)

    def report(self, file: str) -> dict[str, Any]:
        """The report as CONFIG.md describes it."""
        return {"file": file, "entries": [_entry(entry) for entry in self.entries]}


def _entry(entry: Entry) -> dict[str, Any]:
    reason = entry.reason
    if not reason and entry.to is None:
        reason = "this is what happens without it"
    return {"path": shown(entry.path), "class": entry.class_, "to": entry.to, "reason": reason}


def export(project: Project, *, variables: Mapping[str, str], rootful: bool = False) -> Exported:
    """The units of ``project``; ``variables`` fill configs that name one."""
    scope = strategy.decide(
        Scope(project, project.name, variables=variables, exporting=True, rootful=rootful)
    )
    containers = {n: body for n, body in project.services.items() if not body.get("provider")}
    scope = replace(scope, strategies=_kinds(scope), names=names_of(scope, containers))
    files: dict[str, str] = {}
    entries: list[Entry] = []
    found = Found()
    for name in sorted(containers):
        sheet = _service(scope, name, found)
        entries += [*sheet.entries, *_renamed(scope, name)]
        copies = zip(scope.names.units[name], scope.names.containers[name], strict=True)
        ports = containers[name].get("ports")
        for index, (unit, container) in enumerate(copies):
            lines = _copy(sheet.lines, container, ports, index)
            files[f"{unit}.container"] = _text(_own(lines, scope, found.own.get(name, ()), index))
    for name in project.services.keys() - containers.keys():
        entries += _provided(project, name)
    for name in sorted(project.networks):
        entry, sheet = networks.network(scope, name, strict=False)
        entries += sheet.entries
        if not entry["external"]:
            files[scope.network_unit(name)] = _text(entry["unit"])
    for name in sorted(project.volumes):
        entry, sheet = volume(scope, name, strict=False)
        entries += sheet.entries
        if not entry["external"]:
            files[scope.volume_unit(name)] = _text(entry["unit"])
    for name, implied in found.volumes.items():
        files[scope.volume_unit(name)] = _text(implied["unit"])
    for name, config in project.configs.items():
        content = config_text(config, variables)
        if content is not None:
            files[config_place(scope.instance, name)] = content.decode()
    for name in files:
        check_length(name.rpartition("/")[2], ("services",), project.where)
    entries += _resources(project, variables)
    return Exported(files, tuple(_complete(project, entries)))


def _renamed(scope: Scope, name: str) -> Iterable[Entry]:
    """The names of a service's units, where another one has those that would be expected."""
    units = scope.names.units[name]
    if units != stems(scope, name):
        yield Entry(("services", name), "native", ",".join(f"{unit}.container" for unit in units))


def _provided(project: Project, name: str) -> Iterable[Entry]:
    for leaf in leaves(project.services[name], ("services", name)):
        yield Entry(leaf, UNSUPPORTED, None, "a program in place of a container")


def _kinds(scope: Scope) -> dict[str, str]:
    """A job runs once; all else is in place."""
    kinds = scope.strategies.items()
    return {name: "job" if kind == "job" else "recreate" for name, kind in kinds}


def _service(scope: Scope, name: str, found: Found) -> Sheet:
    sheet = Sheet(("services", name), "Container", scope.project.where, strict=False)
    service = Service(sheet, scope, name, found)
    sheet.raw("Unit", "Description", f"{name} of {scope.instance}".replace("%", "%%"))
    image = plain(image_name(service), SCALAR)
    sheet.raw("Container", "Image", image or "localhost/nothing:latest")
    for key, row in EXPORT_ROWS.items():
        if key in service.compose:
            _row(service, key, row)
    if networks.mode_of(service.compose) == "none" and not service.compose.get("network_mode"):
        sheet.raw("Container", "Network", "none")
    _finish(service)
    return sheet


def _row(service: Service, key: str, row: Row) -> None:
    value = service.compose[key]
    if value is None and key not in ("command", "entrypoint"):
        service.sheet.default((key,), "nothing is said")
        return
    try:
        row(service, key, value)
    except InputError as problem:
        known = {entry.path for entry in service.sheet.entries}
        for leaf in leaves(value, (*service.sheet.path, key)):
            if leaf not in known:
                entry = Entry(leaf, UNSUPPORTED, None, problem.message)
                service.sheet.entries.append(entry)


def _finish(service: Service) -> None:
    sheet, scope = service.sheet, service.scope
    if scope.strategies[service.name] == "job":
        sheet.raw("Service", "Type", "oneshot")
        sheet.raw("Service", "RemainAfterExit", "yes")
    else:
        health.complete(service, health.health(service.compose, None))
    mounts.image_volumes(service)
    stop = int(stop_s(service.compose)) + STOP_MARGIN_S
    sheet.raw("Service", "TimeoutStopSec", str(stop))
    if strategy.replicas(scope, service.name):
        sheet.raw("Install", "WantedBy", "default.target")


def _copy(lines: Lines, name: str, ports: Any, index: int) -> Lines:
    """The lines of one copy: its own name, and the ports that are left for it."""
    container = list(lines["Container"])
    if index:
        texts = filter(None, (publish(port, index) for port in ports or ()))
        container = [line for line in container if line[0] != "PublishPort"]
        container += [["PublishPort", text] for text in texts]
    return {**lines, "Container": [*container, ["ContainerName", name]]}


def _own(lines: Lines, scope: Scope, keys: Iterable[str], index: int) -> Lines:
    """The lines of a further copy, with those volumes that each copy has for itself."""
    container = list(lines["Container"])
    for key in keys if index else ():
        old, new = scope.volume_unit(key), scope.volume_unit(f"{key}.{index + 1}")
        container = [[word, value.replace(old, new)] for word, value in container]
    return {**lines, "Container": container}


def _text(sections: Lines) -> str:
    blocks = [
        "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in sections[name])])
        for name in SECTIONS
        if sections.get(name)
    ]
    return "\n\n".join(blocks) + "\n"


def _resources(project: Project, variables: Mapping[str, str]) -> Iterable[Entry]:
    """Secrets, configs and models: what somebody must do, or that nobody can."""
    for name, secret in project.secrets.items():
        path: Path = ("secrets", name)
        known = secret.get("name") or name
        source = secret.get("file") or f"${secret.get('environment', '')}"
        made = f"podman secret create {known} from {source}"
        reason = "it must exist" if secret.get("external") else made
        for leaf in leaves(secret, path):
            if leaf[-1] == "name":
                yield Entry(leaf, "native", "Secret")
            else:
                yield Entry(leaf, "deployer", None, reason)
    for name, config in project.configs.items():
        known = config.get("file") or config_text(config, variables) is not None
        for leaf in leaves(config, ("configs", name)):
            if not known:
                yield Entry(
                    leaf, UNSUPPORTED, None, "podman keeps no configs, and this has no content"
                )
            elif leaf[-1] in ("file", "content", "environment"):
                yield Entry(leaf, "native", "Volume", "a file that is mounted")
            else:
                yield Entry(leaf, "native", None, "podman has files where docker has configs")
    for name, model in getattr(project, "models", {}).items():
        for leaf in leaves(model, ("models", name)):
            yield Entry(leaf, UNSUPPORTED, None, "podman does not run models")


def _complete(project: Project, entries: list[Entry]) -> Iterable[Entry]:
    """One entry for each path that ``compose config`` prints, in its order."""
    last = {entry.path: entry for entry in entries}
    for section in REPORTED:
        for name, body in getattr(project, section, {}).items():
            printed = {key: value for key, value in body.items() if not key.startswith("x-")}
            for leaf in leaves(printed, (section, name)):
                yield last.get(leaf) or Entry(leaf, UNSUPPORTED, None, "not known to this version")
        whole = ((), ("build",))
        yield from (last[path] for path in last if path[:1] == (section,) and path[2:] in whole)
