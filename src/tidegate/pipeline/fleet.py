"""The hosts of an environment, attached side by side, and what is done with all of them at once.

Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tidegate.edges.agent import Agent
from tidegate.edges.agent_install import artifact
from tidegate.edges.signing import owner
from tidegate.edges.ssh import Ssh
from tidegate.errors import InputError, TidegateError
from tidegate.model.config import Environment, Host
from tidegate.pipeline.cargo import unpacked
from tidegate.pipeline.lease import Lease
from tidegate.ports import Reporter

LEASE_S = 120.0  # of what has no phases
OBSERVE_S = 60.0  # a host that says nothing for so long is broken

Observation = Mapping[str, Any]


@dataclass(slots=True)
class Fleet:
    """The attached hosts of an environment, its witness first, and what was seen there."""

    agents: list[Agent] = field(default_factory=list)
    observed: list[Observation] = field(default_factory=list)
    place: Mapping[str, Any] = field(default_factory=dict)  # how others ask the witness
    peers: Mapping[str, str] = field(default_factory=dict)  # keys that it does not know yet

    @property
    def witness(self) -> Agent:
        return self.agents[0]

    @property
    def seen(self) -> Observation:
        """The witness's observation."""
        return self.observed[0]

    @property
    def by_host(self) -> dict[str, Observation]:
        """What was seen on each host, the witness first."""
        return {a.name: seen for a, seen in zip(self.agents, self.observed, strict=True)}

    def close(self) -> None:
        """End the sessions, all at once; the connections stay open for a while."""
        with ThreadPoolExecutor(max(1, len(self.agents))) as pool:
            list(pool.map(Agent.close, self.agents))


def hosts(environment: Environment) -> list[Host]:
    """The witness first."""
    witness = environment.witness
    return [witness, *(h for h in environment.hosts.values() if h.name != witness.name)]


def ssh(host: Host) -> Ssh:
    """The edge to one host."""
    return Ssh(host.destination, name=host.name)


def attach(
    environment: Environment,
    instance: str,
    reporter: Reporter,
    *,
    full: bool = False,
    observe: bool = True,
    connect: Callable[[Host], Ssh] = ssh,
) -> Fleet:
    """Connect to every host at once, bring the tool there up to date, and look around."""
    found = artifact()
    agents = [
        Agent(connect(host), instance, found, reporter.event, _signer)
        for host in hosts(environment)
    ]

    several = len(agents) > 1

    def one(agent: Agent) -> list[Observation]:
        about_peers = "peers" if agent is agents[0] else "peer_key"
        first = [("observe", {"full": full and agent is agents[0]})] if observe else []
        first += [(about_peers, {})] if several else []
        return [answer.result(OBSERVE_S) for answer in agent.attach(*first)]

    if not several:
        seen = one(agents[0]) or [{}]
        return Fleet(agents, [_whole(agents[0], seen[0])])
    with ThreadPoolExecutor(len(agents)) as pool:
        told = list(pool.map(one, agents))
    fleet = Fleet(agents, [answers[0] if observe else {} for answers in told])
    if full:
        fleet.observed = _with_releases(agents, fleet.observed)
    keys = {a.name: str(t[-1]["key"]) for a, t in zip(agents[1:], told[1:], strict=True)}
    known = {name: " ".join(key.split()[:2]) for name, key in keys.items()}
    fleet.peers = {} if told[0][-1]["trusted"] == known else keys
    fleet.place = _place(environment.witness, told[0][-1]["host_keys"])
    return fleet


def lacking(fleet: Fleet, generation: int) -> tuple[Agent, list[str]]:
    """Who keeps a generation, the witness before others, and the hosts that do not.

    ``InputError`` where nobody does.
    """
    kept = {
        name: any(int(entry["n"]) == generation for entry in seen.get("generations") or ())
        for name, seen in fleet.by_host.items()
    }
    holder = next((agent for agent in fleet.agents if kept[agent.name]), None)
    if holder is None:
        numbers = {
            int(entry["n"]) for one in fleet.observed for entry in one.get("generations") or ()
        }
        known = ", ".join(map(str, sorted(numbers))) or "none"
        raise InputError(
            f"no host keeps the release of deployment {generation}",
            code="no-generation",
            hint=f"kept are those of {known}; tidegate history says what they were",
        )
    return holder, [name for name, has in kept.items() if not has]


def _with_releases(agents: Sequence[Agent], observed: Sequence[Observation]) -> list[Observation]:
    """Each with the release that serves there: the same one on all hosts but for some."""
    known: dict[Any, Any] = {None: None}
    found: list[Observation] = []
    for agent, seen in zip(agents, observed, strict=True):
        digest = seen.get("release_digest")
        if digest not in known:
            whole = seen if agent is agents[0] else _again(agent)
            known[digest] = _whole(agent, whole).get("release")
        found.append({**seen, "release": known[digest]})
    return found


def _again(agent: Agent) -> Observation:
    return agent.call("observe", {"full": True}, timeout_s=OBSERVE_S)


def _whole(agent: Agent, seen: Observation) -> Observation:
    """The same with a release that was too long for it."""
    args = {"digest": seen.get("release_digest")}
    numbers = range(1, int(seen.get("parts") or 0) + 1)
    parts = [agent.call("fetch", {**args, "n": n}, timeout_s=OBSERVE_S) for n in numbers]
    return {**seen, "release": unpacked(agent.name, parts)} if parts else seen


def _place(witness: Host, keys: Sequence[str]) -> dict[str, Any]:
    """How the other hosts reach the witness: at its internal address, where it has one."""
    user, _, name = witness.ssh.rpartition("@")
    return {
        "name": witness.name,
        "address": witness.address or name,
        "port": witness.port or 22,
        "user": user,
        "host_keys": list(keys),
    }


def _signer() -> str:
    from tidegate.bootstrap.signing_key import public_key, signing_key

    return public_key(signing_key())


@contextmanager
def locked(
    environment: str, fleet: Fleet, chosen: Sequence[Agent], reason: str
) -> Iterator[dict[str, Any]]:
    """Hold the environment's lock, with ``chosen`` joined; gives what each request then needs."""
    args: dict[str, Any] = {
        "environment": environment,
        "owner": owner(),
        "reason": reason,
        "lease_s": LEASE_S,
    }
    granted = fleet.witness.call("acquire", args, timeout_s=OBSERVE_S)
    ours: dict[str, Any] = {"deployment": granted["deployment"], "token": granted["token"]}
    held = list(dict.fromkeys((fleet.witness, *chosen)))
    lease = Lease(held, LEASE_S)
    lease.begin(ours["deployment"], ours["token"])
    try:
        joined = {**args, "number": granted["number"], "token": ours["token"]}
        for agent in held[1:]:
            told = {**joined, "witness": fleet.place, "host": agent.name}
            agent.call("join", told, timeout_s=OBSERVE_S, **ours)
        yield ours
    finally:
        lease.end()
        for agent in reversed(held):
            with suppress(TidegateError):  # it ends by itself when the lease is over
                agent.call("release", {}, **ours)


def destroy(environment: str, fleet: Fleet, *, volumes: bool, host: str = "") -> list[str]:
    """Take the instance off every host, or off one; returns the names of what was removed."""
    chosen = [agent for agent in fleet.agents if host in ("", agent.name)]
    with locked(environment, fleet, chosen, "destroy") as ours:
        asked = [agent.begin("destroy", {"volumes": volumes}, **ours) for agent in chosen]
        results = [answer.result() for answer in asked]
    keys = ("removed", "volumes")
    names = [str(item) for result in results for key in keys for item in result.get(key) or ()]
    return list(dict.fromkeys(names))


def seed(environment: str, fleet: Fleet, services: Sequence[str]) -> dict[str, str]:
    """Run the seed data of these services, all that have some by default: service → host.

    What serves is what runs it; the lock is held, so nothing is deployed meanwhile.
    """
    release = fleet.seen.get("release") or {"services": {}}
    known = sorted(n for n, entry in release["services"].items() if entry.get("seed"))
    for name in (*services, *(() if known else ("",))):
        if name not in known:
            raise InputError(
                f"{name or environment} has no seed data in what serves there",
                code="no-seed",
                hint=f"there is some of: {', '.join(known)}" if known
                else "services: NAME: {seed: {command: […]}} in tidegate.yaml, then deploy",
            )  # fmt: skip
    places = release.get("tasks") or {}
    by_name = {agent.name: agent for agent in fleet.agents}
    found = {name: by_name[places.get(name, fleet.witness.name)] for name in services or known}
    with locked(environment, fleet, list(found.values()), "seed") as ours:
        for name, agent in found.items():
            agent.call("seed", {"service": name}, timeout_s=None, **ours)
    return {name: agent.name for name, agent in found.items()}
