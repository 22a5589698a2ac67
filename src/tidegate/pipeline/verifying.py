"""Tests against an environment: who runs which, what they say together, and by themselves.

Tests of an application run once, on the first host that runs its service. What failed is a bad
change; what could not be run is broken infrastructure. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.edges.agent import Agent
from tidegate.edges.signing import owner
from tidegate.errors import DeploymentFailed, InfrastructureError, InputError, TidegateError
from tidegate.host.placement import REMOTE, Views
from tidegate.model.config import Environment
from tidegate.pipeline.fleet import LEASE_S, OBSERVE_S, Fleet, hosts
from tidegate.pipeline.lease import Lease

Result = Mapping[str, Any]
E2E = "e2e"
TIMEOUT_S = 1800.0
# Hosts end their tests by themselves; this is for a host that says nothing any more.
PATIENCE_S = 24 * 3600.0
PASSED, FAILED, ERROR = "passed", "failed", "error"


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests to run: services by host, the witness's first; every host is asked for its health."""

    name: str = E2E
    services: Mapping[str, Sequence[str]] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S

    def args(self, host: str) -> dict[str, Any]:
        """What ``verify`` asks of a host."""
        asked = {"suite": self.name, "services": list(self.services.get(host, ()))}
        return {**asked, "timeout_s": self.timeout_s}


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict of all hosts; each result has ``host`` besides what the host said."""

    verdict: str
    reason: str
    results: Sequence[Result]

    @property
    def error(self) -> TidegateError | None:
        """Why this ends a deployment, with the log of the first that did not pass."""
        if self.verdict == PASSED:
            return None
        first = next(r for r in self.results if r["verdict"] == self.verdict)
        kind = DeploymentFailed if self.verdict == FAILED else InfrastructureError
        log = tuple(str(line) for line in first["log"][-20:])
        code = "tests-failed" if self.verdict == FAILED else "tests-error"
        return kind(self.reason, code=code, log=log, subject=str(first["service"]))


def suite(
    release: Mapping[str, Any],
    places: Sequence[str],
    wanted: Sequence[str] = (),
    *,
    timeout_s: float = TIMEOUT_S,
) -> Suite:
    """The end-to-end tests of a release, or those of the ``wanted`` services, on hosts."""
    known = (release.get(E2E) or {}).get("services") or {}
    for name in wanted:
        if name not in known:
            raise InputError(
                f"{name} has no end-to-end tests in what is deployed",
                code="no-e2e",
                hint=f"there are those of: {', '.join(known) or 'nobody'}",
            )
    placed: dict[str, list[str]] = {}
    views = Views(dict(release))
    for name in wanted or known:
        host = next((h for h in places if _runs(views, h, name)), "")
        if host:
            placed.setdefault(host, []).append(name)
    return Suite(E2E, placed, timeout_s)


def wanted_suite(environment: Environment, release: Mapping[str, Any]) -> Suite | None:
    """The tests that an environment wants before a deployment counts."""
    names = [host.name for host in hosts(environment)]
    return suite(release, names) if environment.verify else None


def _runs(views: Views, host: str, service: str) -> bool:
    entry = views.of(host)["services"].get(service)
    return entry is not None and entry["strategy"] != REMOTE


def judged(answers: Mapping[str, Mapping[str, Any]]) -> Verified:
    """One verdict from what each host answered to ``verify``."""
    results = [{"host": host, **r} for host, said in answers.items() for r in said["results"]]
    for verdict in (FAILED, ERROR):
        bad = [result for result in results if result["verdict"] == verdict]
        if bad:
            told = "; ".join(f"{r['host']}: {r['reason']}" for r in bad)
            return Verified(verdict, told, results)
    return Verified(PASSED, "", results)


def verdict_args(suite: str, found: Verified) -> dict[str, Any]:
    """What ``verdict`` tells the witness."""
    return {"suite": suite, "verdict": found.verdict, "reason": found.reason}


def verify(environment: str, fleet: Fleet, asked: Suite) -> Verified:
    """Run tests against what serves, under the lock, so that nothing else is deployed meanwhile."""
    args: dict[str, Any] = {
        "environment": environment,
        "owner": owner(),
        "reason": asked.name,
        "lease_s": LEASE_S,
        "host": fleet.witness.name if len(fleet.agents) > 1 else "",
    }
    granted = fleet.witness.call("acquire", args, timeout_s=OBSERVE_S)
    name, token = str(granted["deployment"]), int(granted["token"])
    lease = Lease(fleet.agents, LEASE_S)
    lease.begin(name, token)
    try:
        _join(fleet, args, granted)
        begun = {
            a.name: a.begin("verify", asked.args(a.name), deployment=name, token=token)
            for a in fleet.agents
        }
        found = judged({host: answer.result(PATIENCE_S) for host, answer in begun.items()})
        told = verdict_args(asked.name, found)
        fleet.witness.call("verdict", told, deployment=name, token=token, timeout_s=OBSERVE_S)
    finally:
        lease.end()
        for agent in (*fleet.agents[1:], fleet.witness):
            _release(agent, name, token)
    return found


def _join(fleet: Fleet, args: Mapping[str, Any], granted: Mapping[str, Any]) -> None:
    joined = {**args, "number": granted["number"], "token": granted["token"]}
    name, token = str(granted["deployment"]), int(granted["token"])
    for agent in fleet.agents[1:]:
        told = {**joined, "witness": fleet.place, "host": agent.name}
        agent.call("join", told, deployment=name, token=token, timeout_s=OBSERVE_S)


def _release(agent: Agent, name: str, token: int) -> None:
    """A host that was never asked, or cannot be, ends it by itself when the lease is over."""
    try:
        agent.call("release", {}, deployment=name, token=token, timeout_s=OBSERVE_S)
    except TidegateError:
        return
