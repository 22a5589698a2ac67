"""A compose project becomes a release for Podman hosts: pure, values in, value out.

Every key of the project is carried out, known to be without effect on one engine, or an
``InputError`` that names it. The result is ``release.json``, format 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tidegate.config import crontab
from tidegate.errors import InputError
from tidegate.model.config import Host, ServiceSettings, Switch
from tidegate.release.files import Fact
from tidegate.release.image import ImageRef
from tidegate.release.manifest import FORMAT
from tidegate.targets.quadlet import deploy, health, mounts, networks, ports, restart, strategy
from tidegate.targets.quadlet.names import check_names
from tidegate.targets.quadlet.placement import placement
from tidegate.targets.quadlet.rows import Service
from tidegate.targets.quadlet.scope import Found, Project, Scope
from tidegate.targets.quadlet.sheet import Entry, Sheet, shown, uncovered
from tidegate.targets.quadlet.table import ROWS, stop_s
from tidegate.targets.quadlet.tasks import tasks
from tidegate.targets.quadlet.volumes import volume

Release = dict[str, Any]

# What podman needs to remove a container after the time that the container itself may take.
STOP_MARGIN_S = 10


def render(
    project: Project,
    *,
    settings: Mapping[str, ServiceSettings],
    images: Mapping[str, ImageRef],
    instance: str,
    environment: str,
    commit: str = "",
    version: str = "",
    files: Mapping[str, Fact] | None = None,
    variables: Mapping[str, str] | None = None,
    proxy: str,
    switch: Switch,
    hosts: Mapping[str, Host] | None = None,
    drained: Collection[str] = (),
    secret_env: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Release:
    """The release of ``project`` for one environment.

    ``settings`` and ``images`` are by service; ``files`` are facts of the project's files by
    absolute path (``wanted_files`` says which); ``variables`` fill configs that name one;
    ``proxy`` is the fronts' image, by digest; ``drained`` ones of ``hosts`` run nothing;
    ``secret_env`` are entries of secret variables. Raises ``InputError`` with the user's line.
    """
    given = files or {}, variables or {}
    scope = Scope(project, instance, settings, images, *given, secret_env=secret_env or {})
    scope, found = strategy.decide(scope), Found()
    chosen = [name for name in sorted(project.services) if strategy.replicas(scope, name)]
    services = {name: _service(scope, name, found) for name in chosen}
    deploy.restarts(scope, services)
    release: Release = {
        "format": FORMAT,
        "project": project.name,
        "instance": instance,
        "environment": environment,
        "commit": commit,
        "version": version or commit[:12],
        "proxy": {"image": proxy},
        "images": {name: _image(images[name]) for name in services},
        "services": services,
        "networks": {name: networks.network(scope, name)[0] for name in _used(services)},
        "volumes": {**_volumes(scope), **found.volumes},
        "files": found.files,
        "switch": _switch(switch),
        **placement(scope, services, hosts or {}, drained),
    }
    check_names(release, project.where)
    return release


def _image(image: ImageRef) -> dict[str, Any]:
    key = {"key": image.key} if image.key else {}
    return {"ref": image.ref, "via": image.via, "tag": image.tag, "size": image.size, **key}


def _switch(switch: Switch) -> dict[str, Any]:
    names = ("watch_s", "max_error_rate", "min_requests", "drain_s", "keep")
    return {name: getattr(switch, name) for name in names}


def _volumes(scope: Scope) -> dict[str, Any]:
    return {name: volume(scope, name)[0] for name in sorted(scope.project.volumes)}


def _used(services: Mapping[str, Any]) -> list[str]:
    """The networks that services join; docker compose makes no others either."""
    return sorted(
        {joined["network"] for entry in services.values() for joined in entry["networks"]}
    )


def write_service(service: Service) -> tuple[health.Health, list[dict[str, Any]]]:
    """Fill the service's sheet by the table; returns its health and the networks that it joins."""
    sheet, compose = service.sheet, service.compose
    for name in ROWS:
        if name not in compose:
            continue
        if compose[name] is None and name not in ("command", "entrypoint"):
            sheet.default((name,), "nothing is said")
        else:
            ROWS[name](service, name, compose[name])
    joined = networks.joined(service)
    check = health.health(compose, service.scope.facts(service.name))
    if service.scope.strategies.get(service.name) == "job":
        check = health.Health()
    health.complete(service, check)
    # A start that is given up is only ended after this, whatever the container does with SIGTERM.
    sheet.raw("Service", "TimeoutStopSec", str(int(stop_s(compose)) + STOP_MARGIN_S))
    mounts.image_volumes(service)
    return check, joined


def missed(service: Service) -> list[Entry]:
    """What no row said anything of: an entry of class unsupported each, ``x-`` keys aside."""
    known = {key: value for key, value in service.compose.items() if not key.startswith("x-")}
    sheet = service.sheet
    paths = list(uncovered(known, sheet.path, sheet.entries))
    return [Entry(path, "unsupported", None, "not known to this version") for path in paths]


def _service(scope: Scope, name: str, everything: Found) -> dict[str, Any]:
    sheet = Sheet(("services", name), "Container", scope.project.where)
    found = Found(files=everything.files, volumes=everything.volumes)
    before = set(found.volumes)
    service = Service(sheet, scope, name, found)
    image = scope.images.get(name)
    if image is None:
        raise InputError(
            f"no image is known for {name}",
            code="image-unknown",
            where=scope.project.where(("services", name)),
            hint="give `image:` or `build:`",
        )
    sheet.raw("Unit", "Description", f"{name} of {scope.instance}".replace("%", "%%"))
    sheet.key(("image",), "Image", image.ref)
    check, joined = write_service(service)
    found.secrets += [dict(use) for use in scope.secret_env.get(name, ())]
    if scope.strategies[name] != "job" and restart.may_end(service, check):
        sheet.raw("Service", "RemainAfterExit", "yes")
    for entry in missed(service):
        raise InputError(
            f"{shown(entry.path)}: this key is not carried out",
            code="compose-key-unsupported",
            where=scope.project.where(entry.path),
            hint="remove it",
        )
    implied = set(found.volumes) - before
    planned = tasks(service, image.ref, write_service)
    return {**_entry(service, image.ref, check, joined, implied), **planned}


def _entry(
    service: Service,
    image: str,
    check: health.Health,
    joined: list[dict[str, Any]],
    implied: set[str],
) -> dict[str, Any]:
    compose, scope, name = service.compose, service.scope, service.name
    declared = ports.declared(service, check)
    modes = {port["port"]: port["mode"] for port in declared}
    mounted = {m["source"] for m in compose.get("volumes") or [] if _is_named(m)}
    return {
        "strategy": scope.strategies[name],
        "replicas": _replicas(service),
        "image": image,
        "unit": service.sheet.lines,
        "networks": joined,
        "network_mode": networks.mode_of(compose),
        "depends_on": deploy.waits(service),
        "health": check.as_dict(),
        "probe": ports.probe(service, check, modes),
        "ports": declared,
        "published": ports.published(service),
        "routes": ports.routes(service, declared),
        "volumes": sorted(mounted | implied),
        "files": sorted(_files(service)),
        "secrets": service.found.secrets,
        "stop_s": stop_s(compose),
        "stateful": scope.setting(name).stateful,
        **_schedule(scope.setting(name)),
        **_if_any("own_volumes", service.found.own.get(name)),
        **_if_any("paths", service.found.paths),
    }


def _if_any(key: str, found: list[str] | None) -> dict[str, list[str]]:
    """A key that only some services have: without it, entries stay what they were."""
    return {key: sorted(set(found))} if found else {}


def _schedule(setting: ServiceSettings) -> dict[str, Any]:
    """When it runs, in the user's words and in systemd's."""
    if not setting.schedule:
        return {}
    calendar = list(crontab.calendars(setting.schedule))
    return {"schedule": {"text": setting.schedule, "calendar": calendar}}


def _is_named(mount: Mapping[str, Any]) -> bool:
    return mount["type"] == "volume" and bool(mount.get("source"))


def _files(service: Service) -> set[str]:
    """The companion files of this service: those whose path its unit mounts."""
    text = str(service.sheet.lines)
    return {digest for digest in service.found.files if digest.removeprefix("sha256:") in text}


def _replicas(service: Service) -> int:
    count = strategy.replicas(service.scope, service.name)
    one = ports.published(service) or service.compose.get("container_name")
    if count > 1 and one and service.scope.strategies[service.name] == "recreate":
        raise InputError(
            f"{service.name} cannot have {count} copies: each would need the same port or name",
            code="replicas-impossible",
            where=service.sheet.where((*service.sheet.path, "scale")),
            hint="one copy, or remove what only one can have",
        )
    return count
