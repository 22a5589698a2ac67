"""How a service is replaced: blue-green, recreate or job, and why it cannot be blue-green.

Two copies side by side must not share what only one can have: data, a name, an address, a
device. The table ``OBSTACLES`` is the whole rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tidegate.errors import InputError
from tidegate.release.files import is_placeholder
from tidegate.targets.quadlet.ports import mentions
from tidegate.targets.quadlet.scope import Scope

JOB_MODES = frozenset({"replicated-job", "global-job"})
Compose = Mapping[str, Any]
MAX_COPIES = 1000


class Candidate(NamedTuple):
    """A service that an obstacle may stand in the way of."""

    scope: Scope
    name: str
    compose: Compose
    sharers: Mapping[str, str]


def decide(scope: Scope) -> Scope:
    """The scope with a strategy for every service; ``InputError`` where a wish is impossible."""
    awaited, sharers = _awaited(scope), _sharers(scope)
    chosen = {name: _one(scope, name, awaited, sharers) for name in scope.project.services}
    _follow(scope, chosen)
    links = _links(scope)
    return replace(scope, strategies=chosen, mentions=mentions(scope.project), links=links)


def _one(scope: Scope, name: str, awaited: frozenset[str], sharers: Mapping[str, str]) -> str:
    compose, setting = scope.service(name), scope.setting(name)
    obstacle = _why_one_copy(Candidate(scope, name, compose, sharers))
    mode = (compose.get("deploy") or {}).get("mode", "")
    if setting.strategy == "blue-green" and obstacle:
        raise InputError(
            f"{name} cannot be blue-green: it {obstacle}",
            code="strategy-impossible",
            where=setting.where,
            hint="remove `strategy:`, or what keeps it from having two copies",
        )
    if setting.schedule:
        return _scheduled(scope, name, awaited)
    if setting.strategy:
        return setting.strategy
    if name in awaited or mode in JOB_MODES:
        return "job"
    return "recreate" if obstacle else "blue-green"


def _scheduled(scope: Scope, name: str, awaited: frozenset[str]) -> str:
    """A service with a schedule is a job; ``InputError`` where it would have to be more."""
    setting, compose = scope.setting(name), scope.service(name)
    copies = compose.get("scale") or (compose.get("deploy") or {}).get("replicas")
    reasons = {
        f"its strategy is {setting.strategy}": setting.strategy not in ("", "job"),
        "requests are routed to it": bool(setting.route),
        "other services wait for its end": name in awaited,
        f"it has {copies} copies": (copies or 1) > 1,
    }
    reason = next((words for words, holds in reasons.items() if holds), "")
    if reason:
        raise InputError(
            f"{name} cannot run by a schedule: {reason}",
            code="schedule-impossible",
            where=setting.where,
            hint="make a service of its own for what is run by the clock",
        )
    return "job"


def _follow(scope: Scope, chosen: dict[str, str]) -> None:
    """What starts again after a dependency that is stopped at the switch is in place itself."""
    followers: dict[str, list[str]] = {}
    for name, compose in scope.project.services.items():
        for other in restarts_with(compose):
            followers.setdefault(other, []).append(name)
    stopped = [name for name, kind in chosen.items() if kind == "recreate"]
    while stopped:
        other = stopped.pop()
        for name in followers.get(other, ()):
            if chosen[name] == "blue-green" and scope.setting(name).strategy != "blue-green":
                chosen[name] = "recreate"
                stopped.append(name)


def _awaited(scope: Scope) -> frozenset[str]:
    """Services whose end others wait for, and which therefore run once."""
    return frozenset(
        name
        for compose in scope.project.services.values()
        for name, wait in (compose.get("depends_on") or {}).items()
        if wait.get("condition") == "service_completed_successfully"
    )


def _sharers(scope: Scope) -> dict[str, str]:
    """Whose containers others name, and who does."""
    found: dict[str, str] = {}
    for other, body in scope.project.services.items():
        for partner in _partners(body):
            found.setdefault(partner, other)
    return found


def _links(scope: Scope) -> dict[str, list[str]]:
    """The aliases that services give each other."""
    found: dict[str, list[str]] = {}
    for body in scope.project.services.values():
        for link in body.get("links") or []:
            target, _, alias = link.partition(":")
            if alias:
                found.setdefault(target, []).append(alias)
    return found


def _why_one_copy(candidate: Candidate) -> str:
    """What keeps a service from having two copies, as the end of a sentence; '' for nothing."""
    for obstacle in OBSTACLES:
        reason = obstacle(candidate)
        if reason:
            return reason
    return ""


def _stateful(it: Candidate) -> str:
    return "is `stateful`" if it.scope.setting(it.name).stateful else ""


def _named(it: Candidate) -> str:
    return "has a container_name" if it.compose.get("container_name") else ""


def _mode(it: Candidate) -> str:
    mode = it.compose.get("network_mode")
    return f"has network_mode {mode}" if mode else ""


def _volume(it: Candidate) -> str:
    wish = it.scope.setting(it.name).strategy == "blue-green"
    for mount in it.compose.get("volumes") or []:
        if mount["type"] == "volume" and not mount.get("read_only"):
            if mount.get("source"):
                return f"writes to volume {mount['source']}"
            if not wish:
                return f"keeps data in {mount['target']}"
    kept = undeclared(it.scope, it.name)
    return f"keeps data in {kept[0]}, a volume of its image" if kept else ""


def _bind(it: Candidate) -> str:
    for mount in it.compose.get("volumes") or []:
        if mount["type"] == "bind" and not mount.get("read_only"):
            fact = it.scope.files.get(mount["source"])
            inside = it.scope.relative(mount["source"]) is not None
            if not inside or fact is None or is_placeholder(fact):
                return f"writes to {mount['source']}"
    return ""


def _address(it: Candidate) -> str:
    if it.compose.get("mac_address"):
        return "has a mac_address"
    for network, options in (it.compose.get("networks") or {}).items():
        for key in ("ipv4_address", "ipv6_address", "mac_address"):
            if (options or {}).get(key):
                return f"has a fixed {key} on network {network}"
    return ""


def _udp(it: Candidate) -> str:
    for port in it.compose.get("ports") or []:
        if port.get("published") and port.get("protocol") not in ("tcp", None):
            return f"publishes {port['protocol']} port {port['published']}"
    for text in it.compose.get("expose") or []:
        if str(text).endswith("/udp"):
            return f"listens on {text}, and a front passes TCP only"
    return ""


def _hardware(it: Candidate) -> str:
    if it.compose.get("privileged"):
        return "is privileged"
    reserved = ((it.compose.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    if it.compose.get("devices") or it.compose.get("gpus") or reserved.get("devices"):
        return "uses devices of the host"
    return ""


def _shared(it: Candidate) -> str:
    """Names a container of another service, or is so named: both exist once."""
    if _partners(it.compose):
        return f"shares with {_partners(it.compose)[0]}"
    other = it.sharers.get(it.name)
    return f"is shared with {other}" if other else ""


def _partners(compose: Compose) -> list[str]:
    found = [
        str(compose.get(key)).removeprefix("service:")
        for key in ("network_mode", "pid", "ipc")
        if str(compose.get(key) or "").startswith("service:")
    ]
    sources = compose.get("volumes_from") or []
    return found + [text.partition(":")[0] for text in sources if not _is_container(text)]


def _is_container(text: str) -> bool:
    return bool(text.startswith("container:"))


def restarts_with(compose: Compose) -> list[str]:
    """The dependencies that a service says ``restart: true`` of; a link says it of itself."""
    links = {text.partition(":")[0] for text in compose.get("links") or []}
    waits = (compose.get("depends_on") or {}).items()
    return sorted(other for other, wait in waits if wait.get("restart") and other not in links)


def _stop_first(it: Candidate) -> str:
    order = ((it.compose.get("deploy") or {}).get("update_config") or {}).get("order")
    return "has update_config order stop-first" if order == "stop-first" else ""


Obstacle = Callable[[Candidate], str]
OBSTACLES: tuple[Obstacle, ...] = (
    _stateful,
    _volume,
    _bind,
    _named,
    _mode,
    _address,
    _udp,
    _hardware,
    _shared,
    _stop_first,
)


def replicas(scope: Scope, name: str) -> int:
    """How many copies a slot has: ``scale``, ``deploy.replicas``, else 1."""
    compose = scope.service(name)
    count = compose.get("scale")
    if count is None:
        count = (compose.get("deploy") or {}).get("replicas")
    if count is not None and count > MAX_COPIES:
        raise InputError(
            f"{name}: {count} copies are more than one host can run",
            code="replicas-impossible",
            where=scope.project.where(("services", name)),
            hint=f"ask for at most {MAX_COPIES}",
        )
    return 1 if count is None else int(count)


def undeclared(scope: Scope, name: str) -> list[str]:
    """The paths of volumes of an image that nothing is mounted on.

    Who asks for two copies by name has said that they hold nothing worth keeping.
    """
    facts = scope.facts(name)
    if facts is None or scope.setting(name).strategy == "blue-green":
        return []
    compose = scope.service(name)
    taken = {str(mount.get("target", "")).rstrip("/") for mount in compose.get("volumes") or []}
    taken |= {str(item).partition(":")[0].rstrip("/") for item in compose.get("tmpfs") or []}
    return [path for path in facts.volumes if path.rstrip("/") not in taken]
