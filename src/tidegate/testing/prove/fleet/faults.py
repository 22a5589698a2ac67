"""Everything that can go wrong with a fleet, as sudden as the real thing, and ended again.

A fault begins at an instant and is over after ``lasts_s``; ``touched`` are the hosts that clients
may rightly miss meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tidegate.errors import InfrastructureError
from tidegate.lab import Server
from tidegate.testing.prove.controller import Run
from tidegate.testing.prove.fleet.party import Party

KINDS = (
    "controller", "agent", "session", "power", "cut", "one-way cut", "peers cut",
    "disk full", "clock", "slow host", "podman hangs", "pull cut",
)  # fmt: skip
# A host does nothing meanwhile.
STILL = ("power", "slow host")
# A deployment outlives these.
HARMLESS = ("session", "peers cut", "clock", "pull cut")
PHASES = ("acquire", "join", "prepare", "switch", "watch", "commit", "finish", "release")
# How often a deployment shall reach each of them: most of what can go wrong is in the middle.
WEIGHTS = (1, 1, 2, 4, 4, 4, 3, 2)
# A fault strikes at a phase's begin, or somewhere in its first seconds.
INSIDE_S = {"prepare": 2.5, "switch": 0.6, "finish": 0.6}
AT_ONCE = (2, 6)
AFTER = "recovery"
MISSED = "nothing"
HANGING = (
    "trap '' HUP; end=$(($(date +%s) + {seconds})); while [ $(date +%s) -lt $end ]; do"
    " pkill -STOP -x podman; sleep 0.05; done; pkill -CONT -x podman; true"
)
DAY_S = 86400
# Every process of the host's tool.
TOOL = "pkill -KILL -f '/tidegate/lib/|tidegate-host'; true"


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` on hosts of these indices, ``delay_s`` after the phase has begun."""

    kind: str
    hosts: tuple[int, ...]
    phase: str
    delay_s: float
    lasts_s: float


def volleys(seed: int, count: int, hosts: int) -> Iterator[list[Fault]]:
    """``count`` faults, every kind in turn, two to six for each deployment; alike for a seed.

    Each deployment has a phase that it shall reach: faults that may end it wait until then, and
    all strike together. A host that is off or stands still cannot be switched off once more.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    chance.shuffle(kinds)
    while kinds:
        reached = chance.choices(range(len(PHASES)), WEIGHTS)[0]
        group = [kinds.pop() for _ in range(min(chance.randint(*AT_ONCE), len(kinds)))]
        still = chance.sample(range(hosts), hosts)
        while sum(kind in STILL for kind in group) > hosts:
            kinds.insert(0, group.pop())
        yield [_aimed(kind, reached, hosts, still, chance) for kind in group]


def _aimed(kind: str, reached: int, hosts: int, still: list[int], chance: random.Random) -> Fault:
    chosen = tuple(chance.sample(range(hosts), 2 if kind == "peers cut" else 1))
    if kind in STILL:
        chosen = (still.pop(),)
    phase = PHASES[chance.randint(0, reached) if kind in HARMLESS else reached]
    if kind == "pull cut":
        phase = "prepare"
    delay_s = chance.uniform(0, INSIDE_S.get(phase, 0.0))
    return Fault(kind, chosen, phase, delay_s, chance.choice((0.5, 2.0, 9.0)))


@dataclass(slots=True)
class Strike:
    """A fault that is going on; ``end`` ends it, ``down`` says which hosts clients may miss.

    ``met`` is what went on when it struck: a phase, or what comes after the
    deployment's end; or nothing, and then it does not count.
    """

    party: Party
    fault: Fault
    run: Run
    down: set[str] = field(default_factory=set)
    met: str = ""
    ends: list[Callable[[], object]] = field(default_factory=list)

    @property
    def server(self) -> Server:
        """The first host that it is about."""
        return self.party.servers[self.fault.hosts[0]]

    def begin(self) -> None:
        """Now."""
        name = self.fault.kind.replace(" ", "_").replace("-", "_")
        action: Callable[[], Any] = getattr(self, f"_{name}")
        action()

    def end(self) -> None:
        """Whatever was done is undone, as far as nature would."""
        for undo in self.ends:
            undo()

    def _controller(self) -> None:
        self.run.kill()

    def _agent(self) -> None:
        self.server.run(["sh", "-c", TOOL], check=False)

    def _session(self) -> None:
        for pid in self.party.ssh_processes(self.server.address):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _power(self) -> None:
        self.down.add(self.server.name)
        self.server.kill()
        self.ends.append(self.server.start)

    def _cut(self) -> None:
        self._apart("", one_way=False)

    def _one_way_cut(self) -> None:
        self._apart("", one_way=True)

    def _peers_cut(self) -> None:
        self._apart(self.party.servers[self.fault.hosts[1]].name, one_way=False)

    def _apart(self, other: str, *, one_way: bool) -> None:
        name = self.server.name
        if not other:
            other = "controller"
            self.down.add(name)
        self.party.lab.network_cut(name, other, one_way=one_way)
        self.ends.append(lambda: self.party.lab.heal(name, other))

    def _disk_full(self) -> None:
        self.ends.append(lambda: insist(self.server.free_disk))
        insist(self.server.fill_disk)

    def _clock(self) -> None:
        """The agent's wall clock jumps by a day, and back: nothing may depend on it."""
        self.party.clock(self.server, DAY_S)
        self.ends.append(lambda: self.party.clock(self.server, 0))

    def _slow_host(self) -> None:
        self.down.add(self.server.name)
        self.server.freeze()
        self.ends.append(self.server.thaw)

    def _podman_hangs(self) -> None:
        words = HANGING.format(seconds=max(1, round(self.fault.lasts_s)))
        argv = ["sh", "-c", words]
        thread = threading.Thread(target=lambda: self.server.run(argv, check=False), daemon=True)
        thread.start()
        self.ends.append(thread.join)

    def _pull_cut(self) -> None:
        self._session()


def insist(action: Callable[[], object]) -> None:
    """Do it on a server as soon as it is in reach: another fault may be going on there."""
    for _ in range(30):
        with contextlib.suppress(InfrastructureError):
            action()
            return
        time.sleep(1)
    action()


def strike(
    party: Party, aimed: list[Fault], run: Run, seen: dict[str, threading.Event]
) -> list[Strike]:
    """Let the faults happen, each at its instant, and end again."""
    strikes = [Strike(party, fault, run) for fault in aimed]

    def one(each: Strike) -> None:
        heard = seen[each.fault.phase]
        until = time.monotonic() + 30
        while not heard.wait(0.02):
            if run.process.poll() is not None or time.monotonic() > until:
                break
        time.sleep(each.fault.delay_s)
        begun = [phase for phase in PHASES if seen[phase].is_set()]
        each.met = AFTER if run.process.poll() is not None or not begun else begun[-1]
        try:
            each.begin()
            time.sleep(each.fault.lasts_s if each.ends else 0)
        except InfrastructureError:
            each.met = MISSED
        finally:
            each.end()

    threads = [threading.Thread(target=one, args=(each,)) for each in strikes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return strikes
