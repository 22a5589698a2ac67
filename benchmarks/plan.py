"""How long a plan of 500 services on 100 hosts takes, and what it costs in memory.

``python benchmarks/plan.py``: every host runs a fifth of the services, or all, and has drift in
one unit; what runs elsewhere is reached there by its name. The plan's digest, to which approvals
are bound, is part of it. Beside it what any tool has to do: reading the hosts' answers.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.host.canon import digest
from tidegate.plan import FleetPlan, plan_fleet
from tidegate.testing.releases import release, service

SERVICES, HOSTS = 500, 100
Changed = Callable[[int], bool]


def environment(version: str, changed: Changed, share: int, count: int = HOSTS) -> dict[str, Any]:
    """A release of all services; ``changed`` ones have the image of ``version``.

    Each host runs one service in ``share``, and may call all others. They wait for each other
    in rows of ten.
    """
    names = [f"service-{number:03}" for number in range(SERVICES)]
    entries = {}
    for number, name in enumerate(names):
        own = version if changed(number) else "1"
        lines = [["Environment", f"VARIABLE_{i}=value {i} of {name}"] for i in range(20)]
        lines.append(["Environment", f"VERSION={own}"])
        entries[name] = service(
            image=f"registry.example.com/{name}@sha256:{own * 64}",
            unit={"Unit": [], "Container": [["Image", name], *lines], "Service": []},
            networks=[{"network": "default", "aliases": [name], "ipv4": ""}],
            depends_on={names[number - 1]: {"condition": "service_healthy"}} if number % 10 else {},
        )
    fixed = {"via": "registry", "tag": "1", "size": 0}
    hosts = {
        f"host-{number:03}": {
            "address": f"10.0.0.{number}",
            "services": [
                name for i, name in enumerate(names) if i % min(share, count) == number % share
            ],
        }
        for number in range(count)
    }
    links = {
        name: {
            "hosts": [host for host in hosts if name in hosts[host]["services"]],
            "ports": [{"port": 8000, "mode": "http", "at": 20000 + number}],
        }
        for number, name in enumerate(names)
        if share > 1
    }
    images = {name: {"ref": entry["image"], **fixed} for name, entry in entries.items()}
    return release(entries, images=images, hosts=hosts, links=links, version=version)


def observed(running: dict[str, Any] | None) -> dict[str, bytes]:
    """What each host answers, as it comes over the wire."""
    known = digest(running) if running else None
    return {
        name: json.dumps(
            {
                "release": running if name == "host-000" else None,
                "release_digest": known,
                "host": name if running else "",
                "drift": [{"subject": "x.container", "kind": "edited", "detail": "was edited"}],
                "services": {},
            }
        ).encode()
        for name in (f"host-{number:03}" for number in range(HOSTS))
    }


def all_new(_: int) -> bool:
    """Every service."""
    return True


# What is changed (None: nothing ran before), and one service in how many is on a host.
CASES: Mapping[str, tuple[Changed | None, int]] = {
    "one service in ten is new": (lambda number: number % 10 == 0, 5),
    "every service is new": (all_new, 5),
    "nothing ran before": (None, 5),
    "all on every host, all new": (all_new, 1),
}


def measured(changed: Changed | None, share: int) -> tuple[FleetPlan, list[float], int]:
    """A plan, the seconds that it takes (reading; all of planning; CPU of that), and bytes."""
    new = environment("2", changed or all_new, share)
    answers = observed(environment("1", changed, share) if changed else None)
    began = time.perf_counter()
    parsed = {name: json.loads(answer) for name, answer in answers.items()}
    for seen in parsed.values():  # as the controller does where the digests are the same
        seen["release"] = parsed["host-000"]["release"]
    read_s = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    found = plan_fleet(new, parsed)
    known = found.digest
    times = [read_s, time.perf_counter() - began, time.process_time() - cpu]
    assert known == found.digest
    return found, times, sum(map(len, answers.values()))


def main() -> None:
    """Print the figures; each case in a process of its own, for its memory is its own, too."""
    chosen = sys.argv[1:]
    if not chosen:
        sys.stdout.write(f"{SERVICES} services, {HOSTS} hosts; limits: 1000 ms, 300 MB\n")
        for case in CASES:
            subprocess.run([sys.executable, __file__, case], check=True)
        return
    found, times, size = measured(*CASES[chosen[0]])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    actions = sum(len(plan.actions) for plan in found.plans.values())
    read_ms, plan_ms, cpu_ms = (1000 * seconds for seconds in times)
    sys.stdout.write(
        f"{chosen[0]:26} {plan_ms:6.0f} ms, {cpu_ms:6.0f} ms of CPU, {peak / 1024:5.0f} MB, "
        f"{actions:6} actions; {size / 1e6:.1f} MB of answers read in {read_ms:.0f} ms\n"
    )


if __name__ == "__main__":
    main()
