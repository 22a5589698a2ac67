"""Hundreds of faults, two to six in a deployment; after each, with no hand on it, all is well.

All hosts serve one release and remember the same outcome, nothing is left of any other, every
acknowledged row is there, clients missed only hosts that were down, and the next deployment works.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from tidegate.testing.prove.controller import Event, Outcome
from tidegate.testing.prove.fleet.clients import Client
from tidegate.testing.prove.fleet.faults import PHASES, Fault, faults, strike
from tidegate.testing.prove.fleet.party import Party
from tidegate.testing.prove.progress import Progress

SIZE = 3
AT_ONCE = (2, 6)
# A host that was down is missed a little longer: it boots, or its connections are found broken.
GRACE_S = 15.0
PULLED = ("pull cut", "disk full")


@dataclass(slots=True)
class Shot:
    """One disturbed deployment."""

    number: int
    faults: list[Fault]
    code: int = 0
    settled_s: float = 0.0
    ended: str = ""
    seconds: float = 0.0
    missed: int = 0
    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)


def prove(seed: int, names: list[str], count: int, minutes: float) -> tuple[list[Any], Any]:
    """Run it on fleets of three servers side by side; the violations and the figures.

    After ``minutes`` no further deployment is disturbed.
    """
    progress = Progress("fleet")
    parties = [Party.up(names[at : at + SIZE]) for at in range(0, len(names), SIZE)]
    clients = [[Client(s, s is p.servers[0]) for s in p.servers] for p in parties]
    queue = deque(volleys(seed, count))
    shots: list[Shot] = []

    def fight(party: Party, mine: list[Client]) -> None:
        while progress.minutes() < minutes:
            try:
                aimed = queue.popleft()
            except IndexError:
                return
            shot = shoot(party, mine, len(shots) + 1, aimed)
            if shot.violations:
                shot.trace = party.trace()
            shots.append(shot)
            progress.step(sum(len(each.faults) for each in shots), count, line(shot))

    try:
        for party in parties:
            undisturbed(party)
        for client in (each for group in clients for each in group):
            threading.Thread(target=client.run, daemon=True).start()
        with ThreadPoolExecutor(len(parties)) as pool:
            list(pool.map(fight, parties, clients))
        rest = sum(map(len, queue))
        left: list[Any] = [f"no time for {rest} more faults"] if rest else []
        bad = [{"seed": seed, **asdict(shot)} for shot in shots if shot.violations]
        return [*bad, *left], figures(shots, [each for group in clients for each in group])
    finally:
        for group, party in zip(clients, parties, strict=True):
            for client in group:
                client.over.set()
            party.lab.heal()
            party.close()


def volleys(seed: int, count: int) -> Iterator[list[Fault]]:
    """The faults in groups of two to six, each group for one deployment."""
    chance = random.Random(seed + 1)  # noqa: S311 - a seed makes the run repeatable
    queue = faults(seed, count, SIZE)
    while queue:
        yield [queue.pop() for _ in range(min(chance.randint(*AT_ONCE), len(queue)))]


def line(shot: Shot) -> str:
    """One disturbed deployment for the person who waits."""
    kinds = " + ".join(f"{fault.kind} in {fault.phase}" for fault in shot.faults)
    bad = f"  VIOLATED {shot.violations}" if shot.violations else ""
    return f"{kinds}: {shot.ended} serves, {shot.seconds} s{bad}"


def undisturbed(party: Party) -> Outcome:
    """A deployment that nobody disturbs must work."""
    party.next_version()
    outcome = party.deploy()
    if outcome.code != 0:
        raise RuntimeError(f"a deployment that nobody disturbs fails:\n{outcome.stderr}")
    return outcome


def shoot(party: Party, clients: list[Client], number: int, aimed: list[Fault]) -> Shot:
    """One deployment, disturbed, and everything that is looked at afterwards."""
    began, started = time.monotonic(), time.time()
    shot = Shot(number, aimed)
    before = party.version(party.servers[0])
    # An image takes most of a deployment's time: only some have a new one to pull.
    tried = party.next_version(image=any(fault.kind in PULLED for fault in aimed))
    seen = {phase: threading.Event() for phase in PHASES}

    def heard(event: Event) -> None:
        for phase in PHASES:
            if event.name == f"phase {phase} begin":
                seen[phase].set()

    run = party.start("deploy", "production", heard=heard)
    down = strike(party, aimed, run, seen)
    over = time.time()
    shot.code = run.wait(120).code
    shot.settled_s = party.settle()
    rows = [name for client in clients for name in client.acknowledged]
    shot.violations += party.violations(rows)
    served = party.version(party.servers[0])
    shot.ended = "new" if served == tried else "old"
    if served not in (before, tried):
        shot.violations.append(f"{served} serves, neither {before} nor {tried}")
    for client in clients:
        failed = [(at, what) for at, what in client.failures if at >= started]
        rightly = client.server.name in down
        wrong = [what for at, what in failed if not rightly or at > over + GRACE_S]
        shot.missed += len(failed)
        if wrong:
            most = dict(Counter(wrong).most_common(3))
            shot.violations.append(f"clients of {client.server.name} noticed: {most}")
    following = party.next_version()
    outcome = party.deploy()
    if outcome.code != 0:
        words = f"the next deployment ended with {outcome.code}: {outcome.last_words}"
        shot.violations.append(words)
        party.settle()
    elif set(party.versions().values()) != {following}:
        shot.violations.append(f"after the next deployment: {party.versions()}, not {following}")
    shot.seconds = round(time.monotonic() - began, 1)
    return shot


def figures(shots: list[Shot], clients: list[Client]) -> dict[str, Any]:
    """Counts by kind and phase, and how long things took."""
    settled = sorted(shot.settled_s for shot in shots) or [0.0]
    every = [fault for shot in shots for fault in shot.faults]
    return {
        "faults": len(every),
        "deployments": 2 * len(shots),
        "by_kind": dict(Counter(fault.kind for fault in every)),
        "by_phase": dict(Counter(fault.phase for fault in every)),
        "ended": dict(Counter(shot.ended for shot in shots)),
        "exit_codes": dict(Counter(str(shot.code) for shot in shots)),
        "requests": sum(client.asked for client in clients),
        "missed_while_a_host_was_down": sum(shot.missed for shot in shots),
        "rows": sum(len(client.acknowledged) for client in clients),
        "settled_s": {"median": settled[len(settled) // 2], "max": settled[-1]},
    }
