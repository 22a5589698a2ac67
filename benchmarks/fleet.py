"""What a controller itself adds per host: a deployment to 1, 10, 50 and 100 simulated hosts.

``python benchmarks/fleet.py [HOSTS...]``: the real controller, and for each host a process with
the real tool behind a pipe in SSH's place (tidegate.testing.simulated). A release of 500
services replaces one that differs in every tenth; each host runs a fifth of them. The controller's
part is the CPU time of its process, all threads, from attaching to the release of the lock. The
wall time is mostly that of the hosts, which share this machine: beside it, all that they cost.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plan import all_new
from plan import environment as made

from tidegate.model.config import Switch
from tidegate.pipeline.fleet import attach
from tidegate.pipeline.runner import Attempt, Runner
from tidegate.pipeline.states import Phase
from tidegate.plan import plan_fleet
from tidegate.testing.simulated.fleet import LocalPipes, environment

SIZES = (1, 10, 50, 100)
LIMIT_MS = 20.0
SWITCH = Switch(lease_s=600.0, watch_s=0.0)
# Where every host is durable at no cost: their disks are not what is measured.
MEMORY = Path("/dev/shm")


class Clock:
    """A reporter that takes the CPU time of each phase."""

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}
        self.events = 0
        self._began = 0.0

    def phase(self, name: str, state: str, message: str = "") -> None:
        """Of the controller."""
        del message
        if state == "begin":
            self._began = time.process_time()
        elif state != "info":
            spent = (time.process_time() - self._began) * 1000
            self.spent_ms[name] = self.spent_ms.get(name, 0.0) + spent

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        """Of a host."""
        del host, event
        self.events += 1

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """A phase that is not the runner's."""
        self.phase(name, "begin")
        yield
        self.phase(name, "ok")


def deploy(root: Path, places: Mapping[str, Any], new: Mapping[str, Any], clock: Clock) -> None:
    """All of a deployment, as the command line goes about it."""
    hosts = environment(places, SWITCH)
    with clock.during("attach"):
        fleet = attach(hosts, "hello", clock, full=True, connect=lambda h: LocalPipes(root, h.name))
    with clock.during("plan"):
        assert not plan_fleet(new, fleet.by_host).empty
    attempt = Attempt(
        "production",
        "benchmark",
        release=new,
        witness=fleet.place,
        peers=fleet.peers,
        lease_s=SWITCH.lease_s,
        watch_s=SWITCH.watch_s,
    )
    with clock.during("pack"):
        runner = Runner(fleet.agents, attempt, clock)
    report = runner.run()
    if report.end is not Phase.COMMITTED:
        raise SystemExit(f"the deployment did not end well: {report.error}")
    with clock.during("close"):
        fleet.close()


def of(
    version: str, changed: Callable[[int], bool], count: int
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The hosts and a release for them; that for one host names none."""
    new = made(version, changed, 5, count)
    bare = {key: value for key, value in new.items() if key not in ("hosts", "links")}
    return new["hosts"], new if count > 1 else bare


def measure(count: int, changed: Callable[[int], bool]) -> None:
    """The second deployment of an environment with so many hosts."""
    with tempfile.TemporaryDirectory(
        prefix="tg", dir=MEMORY if MEMORY.is_dir() else None
    ) as made_at:
        root = Path(made_at)
        deploy(root, *of("1", all_new, count), Clock())
        clock, (places, new) = Clock(), of("2", changed, count)
        began, cpu, theirs = time.perf_counter(), time.process_time(), children_s()
        deploy(root, places, new, clock)
        own_ms = (time.process_time() - cpu) * 1000
        wall_s, hosts_s = time.perf_counter() - began, children_s() - theirs
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = sorted(clock.spent_ms.items(), key=lambda item: -item[1])[:4]
    told = ", ".join(f"{name} {spent:.0f}" for name, spent in parts)
    sys.stdout.write(
        f"{count:5}{own_ms:10.0f}{own_ms / count:10.1f}{LIMIT_MS:8.0f}{wall_s:10.1f}"
        f"{hosts_s:10.1f}{clock.events:8}{peak / 1024:6.0f}  {told}\n"
    )
    sys.stdout.flush()


def children_s() -> float:
    """CPU time of the processes that have ended: the hosts."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a row for each size."""
    sys.stdout.write(
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n"
        "hosts  own, ms  per host   limit   wall, s  hosts, s  events    MB  most of it, ms\n"
    )
    for size in [int(word) for word in sys.argv[1:]] or SIZES:
        measure(size, lambda number: number % 10 == 0)


if __name__ == "__main__":
    main()
