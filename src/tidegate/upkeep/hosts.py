"""The hosts of an environment one by one: who is in reach, and what runs there.

Looking must work when it is needed most, so a host that is out of reach stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tidegate.app import Target
from tidegate.config.nearest import nearest
from tidegate.errors import InputError, TidegateError
from tidegate.model.config import Host
from tidegate.pipeline import fleet
from tidegate.ports import Reporter

P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reach:
    """Hosts by name, the witness first, with what they observe; ``lost`` are out of reach."""

    target: Target
    hosts: Mapping[str, Host]
    seen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lost: Mapping[str, TidegateError] = field(default_factory=dict)

    @property
    def services(self) -> dict[str, list[str]]:
        """Service → the hosts that run it."""
        found: dict[str, list[str]] = {}
        for host, seen in self.seen.items():
            for name in seen.get("services") or {}:
                found.setdefault(name, []).append(host)
        return found

    def running(self, service: str) -> list[str]:
        """The hosts that run a service; ``InputError`` where none in reach does."""
        found = self.services
        if service in found:
            return found[service]
        place = self.target.environment.name
        if not found:
            raise InputError(
                f"nothing was deployed to {place} yet",
                code="nothing-here",
                hint=f"tidegate deploy {place}",
            )
        close = nearest(service, list(found))
        elsewhere = f"; {', '.join(self.lost)} cannot be asked" if self.lost else ""
        raise InputError(
            f"no service {service!r} runs in {place}{elsewhere}",
            code="unknown-service",
            hint=f"did you mean {close}?" if close else f"there are: {', '.join(sorted(found))}",
        )


def chosen(target: Target, only: str = "") -> dict[str, Host]:
    """The hosts of an environment, the witness first, or the one of that name."""
    known = {host.name: host for host in fleet.hosts(target.environment)}
    if only and only not in known:
        raise InputError(
            f"{target.environment.name} has no host {only!r}",
            code="unknown-host",
            where=target.config.where("environments", target.environment.name, "hosts"),
            hint=f"there are: {', '.join(known)}",
        )
    return {only: known[only]} if only else known


def reach(target: Target, reporter: Reporter, only: str = "") -> Reach:
    """Ask every host what runs there; raises only where none of them answers."""

    def one(host: Host) -> Mapping[str, Any]:
        alone = replace(target.environment, hosts={host.name: host})
        found = fleet.attach(alone, target.instance, reporter)
        found.close()
        return found.seen

    hosts = chosen(target, only)
    seen, lost = each(hosts, one)
    if not seen:
        raise next(iter(lost.values()))
    return Reach(target, hosts, seen, lost)


def each(
    hosts: Mapping[str, P], work: Callable[[P], T]
) -> tuple[dict[str, T], dict[str, TidegateError]]:
    """Do something in all places at once: the answers, and the errors, by the place's name."""
    found: dict[str, T] = {}
    failed: dict[str, TidegateError] = {}
    with ThreadPoolExecutor(len(hosts)) as pool:
        under_way = {name: pool.submit(work, host) for name, host in hosts.items()}
    for name, future in under_way.items():
        try:
            found[name] = future.result()
        except TidegateError as problem:
            failed[name] = problem
    return found, failed
