"""The witness of an environment: moved to the host that the configuration says.

It keeps lock, tokens, numbers, decisions and history: see tidegate.host.office.
"""

from __future__ import annotations

import time

from tidegate.edges.agent import Agent
from tidegate.edges.signing import owner
from tidegate.errors import InfrastructureError, InputError
from tidegate.pipeline.fleet import LEASE_S, OBSERVE_S, Fleet


def in_office(fleet: Fleet) -> Agent:
    """The host that keeps the record now; where none does yet, the one that will."""
    for agent, seen in zip(fleet.agents, fleet.observed, strict=True):
        if seen.get("witness") == agent.name:
            return agent
    return fleet.witness


def seat(fleet: Fleet, environment: str) -> None:
    """Let the host be the witness that the configuration says, where another one is.

    Takes the lock of the one that is, so nothing can be under way. ``InputError`` where that
    one is not among the hosts: nobody else knows what it has decided.
    """
    wanted = fleet.witness.name
    seats = {name: str(seen.get("witness") or "") for name, seen in fleet.by_host.items()}
    olds = sorted({seat for seat in seats.values() if seat not in ("", wanted)})
    if not olds or seats[wanted] == wanted:
        return
    old = next((agent for agent in fleet.agents if agent.name in olds), None)
    if old is None:
        raise InputError(
            f"{olds[0]} is the witness, and it is not in the configuration",
            code="witness-gone",
            hint=f"put it back, or, if it is lost for good: tidegate resolve --lost {olds[0]}",
        )
    name, token = "", 0
    if seats[old.name] == old.name:
        args = {"environment": environment, "owner": owner(), "host": old.name}
        grant = old.call("acquire", {**args, "lease_s": LEASE_S}, timeout_s=OBSERVE_S)
        name, token = str(grant["deployment"]), int(grant["token"])
        to = {"to": wanted}
        old.call("retire", to, deployment=name, token=token, timeout_s=OBSERVE_S)
    told = old.call("legacy", {}, timeout_s=OBSERVE_S)
    office = {"legacy": told, "mine": wanted, "owner": owner(), "reason": f"from {old.name}"}
    fleet.witness.call("take_over", office, timeout_s=OBSERVE_S)
    if token:
        old.call("release", {}, deployment=name, token=token, timeout_s=OBSERVE_S)


# Far above any token that the lost witness may have given.
LEAP = 1000


def replace_lost(fleet: Fleet, lost: str) -> list[str]:
    """Put the first host in office in place of ``lost``; returns what was done, in words.

    A deployment that is in doubt ends as any host has heard it decided, else it is undone:
    commit is never told to one host and forgotten by all. ``InputError`` where ``lost`` was not
    the witness.
    """
    seats = {str(seen.get("witness") or "") for seen in fleet.by_host.values()}
    if lost not in seats:
        others = ", ".join(sorted(seats - {""})) or "nobody yet"
        raise InputError(
            f"{lost} was not the witness", code="not-the-witness", hint=f"that is {others}"
        )
    told = []
    tales = [agent.call("legacy", {}, timeout_s=OBSERVE_S) for agent in fleet.agents]
    token = max(int(tale["token"]) for tale in tales) + LEAP
    number = max(int(tale["number"]) for tale in tales)
    decisions = {name: outcome for tale in tales for name, outcome in tale["decisions"].items()}
    for agent, seen in zip(fleet.agents, fleet.observed, strict=True):
        opened = seen.get("open")
        if opened:
            name = str(opened["deployment"])
            outcome = decisions.setdefault(name.rpartition("/")[2], "abort")
            agent.call("fence", {"outcome": outcome}, deployment=name, token=token)
            told.append(f"{agent.name}: {name} ends with {outcome}")
    for agent in fleet.agents:
        _closed(agent)
    legacy = {"token": token, "number": number, "decisions": decisions}
    office = {
        "legacy": legacy,
        "mine": fleet.witness.name,
        "owner": owner(),
        "reason": f"{lost} is lost for good",
        "lost": lost,
    }
    fleet.witness.call("take_over", office, timeout_s=OBSERVE_S)
    return told


def _closed(agent: Agent) -> None:
    """Wait until nothing is open on a host."""
    until = time.monotonic() + OBSERVE_S
    while (agent.call("observe", {}, timeout_s=OBSERVE_S)).get("open"):
        if time.monotonic() > until:
            raise InfrastructureError(
                f"{agent.name} has not ended what is open there",
                code="still-open",
                hint="tidegate status says what it waits for",
            )
        time.sleep(0.5)
