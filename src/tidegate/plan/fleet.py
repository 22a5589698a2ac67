"""The plan of an environment: a plan for each host, of what that host runs of the release. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tidegate.host.canon import digest
from tidegate.host.due import Task
from tidegate.host.placement import Views
from tidegate.plan.compare import Release, Shared, plan
from tidegate.plan.migrating import migrating, with_migrations
from tidegate.plan.model import Plan, Unenforced


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plans by host, the witness's first; most environments have one host."""

    plans: Mapping[str, Plan]

    @property
    def empty(self) -> bool:
        """Whether a deployment would touch nothing on any host."""
        return all(plan.empty for plan in self.plans.values())

    @property
    def version(self) -> str:
        """The release's version."""
        return next(iter(self.plans.values())).version

    @property
    def unenforced(self) -> tuple[Unenforced, ...]:
        """The limits that any host does not enforce, each once."""
        return tuple(dict.fromkeys(u for plan in self.plans.values() for u in plan.unenforced))

    @property
    def digest(self) -> str:
        """What an approval is bound to; of one host its own plan's."""
        if len(self.plans) == 1:
            return next(iter(self.plans.values())).digest
        known = ((hosts, made.digest) for hosts, made in self.groups())
        return digest({host: found for hosts, found in known for host in hosts})

    def groups(self) -> Iterator[tuple[list[str], Plan]]:
        """Hosts with equal plans, and that plan."""
        found: dict[Plan, list[str]] = {}
        for host, made in self.plans.items():
            found.setdefault(made, []).append(host)
        yield from ((hosts, made) for made, hosts in found.items())

    def as_dict(self) -> dict[str, Any]:
        """The ``data`` of a ``tidegate/plan/1`` object; with several hosts each has its own."""
        if len(self.plans) == 1:
            return next(iter(self.plans.values())).as_dict()
        first = next(iter(self.plans.values()))
        return {
            "instance": first.instance,
            "environment": first.environment,
            "version": first.version,
            "empty": self.empty,
            "digest": self.digest,
            "hosts": {host: plan.as_dict() for host, plan in self.plans.items()},
        }


def plan_fleet(new: Release, observed: Mapping[str, Mapping[str, Any]]) -> FleetPlan:
    """What deploying ``new`` does on each host; ``observed`` are their answers to ``observe``.

    A release that several hosts run is best the same object in all their answers: what they
    have alike is compared once.
    """
    wanted, after = digest(new), Views(new)
    befores: dict[int, Views] = {}
    shared = Shared()
    due: dict[str, list[Task]] = {}
    for name, task in migrating(new, observed):
        due.setdefault(name, []).append(task)
    plans = {}
    for host, seen in observed.items():
        old, before, running = seen.get("release"), None, ""
        if old:
            if id(old) not in befores:
                befores[id(old)] = Views(old)
            before = befores[id(old)].of(str(seen.get("host") or host))
            running = str(seen.get("release_digest") or "")
        made = plan(before, after.of(host), seen, (wanted, running), shared)
        if host in due:
            made = replace(made, actions=with_migrations(made.actions, due[host]))
        plans[host] = made
    return FleetPlan(plans)
