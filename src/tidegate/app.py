"""Wiring: from a folder and an environment's name to a release, a plan, and attached hosts.

The only place that joins the pure core to the edges. What can be made here is made while the
hosts are being attached. Durations are seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tidegate.compose import Project
from tidegate.config import environment_variables, load_config, require_available
from tidegate.config.load import FILE
from tidegate.edges import secret_values
from tidegate.edges.blobs import BlobServer
from tidegate.edges.check import check
from tidegate.edges.signing import owner, sign
from tidegate.edges.store import Store
from tidegate.errors import InputError, TidegateError
from tidegate.host.layout import is_version
from tidegate.model.config import Config, Environment
from tidegate.pipeline import fleet
from tidegate.pipeline.bringing import bring
from tidegate.pipeline.conditions import drained, same_architecture
from tidegate.pipeline.fleet import Fleet
from tidegate.pipeline.gating import Outside, Wanted, pass_gates, soak_of
from tidegate.pipeline.instances import instance, same_instance
from tidegate.pipeline.known import Known, keepers, known_there
from tidegate.pipeline.making import Made, make
from tidegate.pipeline.migrating import refuse_crossing
from tidegate.pipeline.notices import announced
from tidegate.pipeline.runner import Attempt, Report, Runner
from tidegate.pipeline.states import Phase
from tidegate.pipeline.verifying import wanted_suite
from tidegate.pipeline.witness import seat
from tidegate.plan import FleetPlan, migrating, plan_fleet
from tidegate.ports import Reporter
from tidegate.release.manifest import release_bytes
from tidegate.release.scale import kept

# Which key of the service a host's error is about, by the error's code.
PLACES: Mapping[str, tuple[str, ...]] = {
    "service-unhealthy": ("healthcheck",),
    "health-program-missing": ("healthcheck", "test"),
    "port-closed": ("ports",),
}

Observation = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """One environment of one tidegate.yaml; ``instance`` is the project's name on its hosts."""

    config: Config
    environment: Environment
    variables: Mapping[str, str]
    instance: str

    @property
    def of_hosts(self) -> tuple[Environment, str]:
        """What its hosts know it by."""
        return self.environment, self.instance

    @property
    def place(self) -> str:
        """What tells this environment from all others, on this machine."""
        hosts = ",".join(host.destination for host in self.environment.hosts.values())
        return f"{hosts}/{self.instance}/{self.environment.name}"


def choose(
    environment: str = "", variables: Mapping[str, str] | None = None, file: str | Path = FILE
) -> Target:
    """The environment of that name; the name may be left out where there is only one."""
    config = load_config(file)
    chosen = _environment(config, environment)
    require_available(config, chosen)
    values = environment_variables(config, chosen, variables or {})
    return Target(config, chosen, values, instance(config, chosen))


def _environment(config: Config, name: str) -> Environment:
    if not name and len(config.environments) == 1:
        return next(iter(config.environments.values()))
    if name in config.environments:
        return config.environments[name]
    from tidegate.config.nearest import nearest

    known = ", ".join(config.environments)
    close = nearest(name, list(config.environments)) if name else ""
    first, slash, number = name.partition("/")
    if slash and first in config.environments and number.isdigit():
        close = f"{first}, and --to {number}"
    raise InputError(
        f"there is no environment {name!r}" if name else "which environment?",
        code="unknown-environment",
        where=config.where("environments"),
        hint=f"did you mean {close}?" if close else f"there are: {known}",
    )


def attach(
    target: Target, reporter: Reporter, *, full: bool = False, observe: bool = True
) -> Fleet:
    """Every host of a target, attached; ``full``: with the whole release that serves."""
    return fleet.attach(*target.of_hosts, reporter, full=full, observe=observe)


def meanwhile(work: Callable[[], T], future: Future[T]) -> None:
    """Begin something in a thread that no exit waits for; ``result()`` raises its error."""

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as problem:
            future.set_exception(problem)

    threading.Thread(target=run, name="meanwhile", daemon=True).start()


@dataclass(frozen=True, slots=True)
class Survey:
    """What would be deployed, what runs, and the difference."""

    fleet: Fleet
    made: Made
    plan: FleetPlan
    secrets_changed: bool

    @property
    def nothing_to_do(self) -> bool:
        return self.plan.empty and not self.secrets_changed


def survey(
    target: Target,
    reporter: Reporter,
    *,
    refresh: bool = False,
    drain: Mapping[str, bool] | None = None,
    known: Known | None = None,
) -> Survey:
    """Make the release here while the hosts are asked what they run; change nothing.

    The hosts are asked nothing before the files were read and are well.
    Hosts that were drained stay so; ``drain`` says of a host that it is, or is no more.
    ``known`` are the images of a promotion; else those that run or wait there count.
    """
    attached: Future[Fleet] = Future()
    with phase(reporter, "build"):
        made = make(
            target.config,
            target.environment,
            target.variables,
            target.instance,
            reporter,
            refresh=refresh,
            drained=lambda: drained(attached.result(), drain or {}),
            known=lambda version: _known(target, attached.result(), known, version),
            promoted=known is not None,
            ready=lambda: meanwhile(lambda: attach(target, reporter, full=True), attached),
        )
    with phase(reporter, "plan"):
        hosts = attached.result()
        same_instance(target.config, target.environment, target.instance, hosts)
        same_architecture(hosts, made)
        scale = (hosts.seen.get("release") or {}).get("scale") or {}
        made = replace(made, release=kept(made.release, scale))
        difference = plan_fleet(made.release, hosts.by_host)
        changed = _secrets_changed(target, hosts, made)
    return Survey(hosts, made, difference, changed)


def _known(target: Target, found: Fleet, promoted: Known | None, version: str) -> Known:
    """The images that are decided; hosts that wait for a promotion may have them already."""
    if promoted is None:
        return known_there(found, *target.of_hosts, version)
    return replace(promoted, keepers=[*promoted.keepers, *keepers(*target.of_hosts)])


def _secrets_changed(target: Target, found: Fleet, made: Made) -> bool:
    """Whether any host may have another value than ours.

    The hosts know the version that serves of what has one, so every machine says the same; of
    the others this machine knows only what it has sent itself.
    """
    for seen in found.by_host.values():
        for name, stored in (seen.get("secret_versions") or {}).items():
            version = made.versions.get(name)
            if version and not is_version(str(stored), f"{name}-{version}"):
                return True
    unknown = {name: value for name, value in made.secrets.items() if name not in made.versions}
    return bool(unknown) and secret_values.changed(target.place, unknown)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks of a deployment besides the release itself."""

    reason: str = ""
    allow_stateful: bool = False
    generation: int = 0
    automatic: bool = False  # no person asked for just this one
    adopt: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by host


@announced("deployed")
def deploy(target: Target, found: Survey, wish: Wish, reporter: Reporter) -> Report:
    """Carry a surveyed plan out, where every gate is passed."""
    made = found.made
    if made.bench is not None:
        made.bench.publish()
    signature = sign(_key(), release_bytes(made.release))
    gates = target.environment.gates
    wanted = Wanted(made.release, signature, found.plan.digest, gates, wish.automatic)
    others, root = target.config.environments, target.config.root
    outside = Outside(
        lambda name: soak_of(others[name], instance(target.config, others[name]), reporter),
        lambda gate, told: check(gate, told, root),
        lambda: bring(found.fleet, made.release, server.port if server else 0, reporter),
    )
    server = BlobServer(made.store, made.files) if made.served else None
    try:
        pass_gates(found.fleet, wanted, outside)
        return _carry_out(target, found, wish, wanted, server, reporter)
    finally:
        if server is not None:
            server.close()


def _carry_out(
    target: Target,
    found: Survey,
    wish: Wish,
    wanted: Wanted,
    server: BlobServer | None,
    reporter: Reporter,
) -> Report:
    made = found.made
    seat(found.fleet, target.environment.name)
    attempt = replace(
        _attempt(target, found.fleet, wish),
        release=made.release,
        signature=wanted.signature,
        suite=wanted_suite(target.environment, made.release),
        migrations=tuple(migrating(made.release, found.fleet.by_host)),
        gate=wanted.told,
        secrets=made.secrets,
        versions=made.versions,
        revoked=made.revoked,
        blobs_port=server.port if server else 0,
    )
    report = Runner(found.fleet.agents, attempt, reporter).run()
    _locate(report.error, made.project)
    if report.end is Phase.COMMITTED:
        unknown = {n: value for n, value in made.secrets.items() if n not in made.versions}
        secret_values.remember(target.place, unknown)
    report.bytes_sent = server.bytes_sent if server else 0
    report.version = found.plan.version
    return report


def _locate(error: TidegateError | None, project: Project | None) -> None:
    """A host's error about a service gets the line of what was wrong with it."""
    if error is None or error.where is not None or project is None:
        return
    if error.subject in project.services:
        error.where = project.where(("services", error.subject, *PLACES.get(error.code, ())))


@announced("rolledback")
def rollback(target: Target, found: Fleet, wish: Wish, reporter: Reporter) -> Report:
    """Deploy a stored generation of the hosts again; nothing of this folder is used.

    A host that does not keep it gets the release from one that does, and its images from here.
    """
    seat(found, target.environment.name)
    number = wish.generation or previous(found.seen)
    refuse_crossing(found, target.environment.name, number)
    holder, others = fleet.lacking(found, number)
    told: Mapping[str, Any] = {}
    if others:
        told = holder.call("generation", {"n": number}, timeout_s=fleet.OBSERVE_S)
    server = BlobServer(Store(), {}) if told else None
    attempt = replace(
        _attempt(target, found, wish),
        kind="rollback",
        revoked=revoked(target),
        generation=number,
        release=told.get("release"),
        signature=str(told.get("signature") or ""),
        lacking=others,
        blobs_port=server.port if server else 0,
        allow_stateful=True,
    )
    try:
        report = Runner(found.agents, attempt, reporter).run()
    finally:
        if server is not None:
            server.close()
    report.version = f"{target.environment.name}/{number}"
    known = (told.get("release") or {}).get("hosts") or {}
    report.idle = [name for name in others if told and name not in known]
    return report


def revoked(target: Target) -> tuple[str, ...]:
    """Versions of secrets that going back must not bring back."""
    if not target.environment.secrets:
        return ()
    from tidegate.edges.vault import load

    found = load(Path(target.config.root, target.environment.secrets)).secrets
    return tuple(version for secret in found.values() for version in secret.revoked)


def previous(seen: Observation) -> int:
    """The newest generation that is kept besides the one that serves."""
    kept = [int(entry["n"]) for entry in seen.get("generations") or () if not entry["current"]]
    current = int(seen.get("generation") or 0)
    older = [n for n in kept if n < current] or kept
    if not older:
        raise InputError(
            "there is no earlier release to go back to",
            code="no-generation",
            hint="tidegate history lists what the hosts keep",
        )
    return max(older)


def destroy(
    target: Target, found: Fleet, reporter: Reporter, *, volumes: bool, host: str = ""
) -> list[str]:
    """Take the instance off every host, or off one; returns the names of what was removed."""
    with phase(reporter, "remove"):
        return fleet.destroy(target.environment.name, found, volumes=volumes, host=host)


def _attempt(target: Target, found: Fleet, wish: Wish) -> Attempt:
    switch = target.environment.switch
    return Attempt(
        environment=target.environment.name,
        owner=owner(),
        reason=wish.reason,
        witness=found.place,
        peers=found.peers,
        adopt=wish.adopt,
        batch=switch.batch,
        allow_stateful=wish.allow_stateful,
        lease_s=switch.lease_s,
        watch_s=switch.watch_s,
        max_error_rate=switch.max_error_rate,
        min_requests=switch.min_requests,
    )


def _key() -> Path:
    from tidegate.bootstrap.signing_key import signing_key

    return signing_key()


@contextmanager
def phase(reporter: Reporter, name: str) -> Iterator[None]:
    """Report a phase of ours around a block."""
    reporter.phase(name, "begin")
    try:
        yield
    except TidegateError as problem:
        reporter.phase(name, "failed", problem.message)
        raise
    reporter.phase(name, "ok")
