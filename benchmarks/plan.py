"""How long a plan of 500 services on 100 hosts takes, and what it costs in memory.

``python benchmarks/plan.py``: every host runs a fifth of the services; one service in ten has a
new image, and every host has drift in one unit. Beside it the limit: reading the hosts' answers
as JSON, which any tool has to do.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from tidegate.host.canon import digest
from tidegate.plan import plan_fleet
from tidegate.testing.releases import release, service

SERVICES, HOSTS, SHARE = 500, 100, 5


def environment(version: str) -> dict[str, Any]:
    """A release of all services on all hosts."""
    entries = {}
    for number in range(SERVICES):
        name = f"service-{number:03}"
        changed = version if number % 10 == 0 else "1"
        lines = [["Environment", f"VARIABLE_{i}=value {i} of {name}"] for i in range(20)]
        entries[name] = service(
            image=f"registry.example.com/{name}@sha256:{changed * 64}",
            unit={"Unit": [], "Container": [["Image", name], *lines], "Service": []},
            networks=[{"network": "default", "aliases": [name], "ipv4": ""}],
        )
    fixed = {"via": "registry", "tag": "1", "size": 0}
    images = {name: {"ref": entry["image"], **fixed} for name, entry in entries.items()}
    hosts = {
        f"host-{number:03}": {
            "address": f"10.0.0.{number}",
            "services": [n for i, n in enumerate(sorted(entries)) if i % SHARE == number % SHARE],
        }
        for number in range(HOSTS)
    }
    return release(entries, images=images, hosts=hosts, links={}, version=version)


def observed(running: dict[str, Any]) -> dict[str, bytes]:
    """What each host answers, as it comes over the wire."""
    known = digest(running)
    return {
        name: json.dumps(
            {
                "release": running if name == "host-000" else None,
                "release_digest": known,
                "host": name,
                "drift": [{"subject": "x.container", "kind": "edited", "detail": "was edited"}],
                "services": {},
            }
        ).encode()
        for name in running["hosts"]
    }


def main() -> None:
    """Print the figures."""
    old, new = environment("1"), environment("2")
    answers = observed(old)
    size = sum(map(len, answers.values()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    parsed = {name: json.loads(answer) for name, answer in answers.items()}
    for seen in parsed.values():  # as the controller does where the digests are the same
        seen["release"] = parsed["host-000"]["release"]
    read_s = time.perf_counter() - began
    began = time.perf_counter()
    found = plan_fleet(new, parsed)
    plan_s = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    actions = sum(len(plan.actions) for plan in found.plans.values())
    sys.stdout.write(
        f"{SERVICES} services, {HOSTS} hosts, {size / 1e6:.0f} MB of answers\n"
        f"read as JSON  {read_s * 1000:7.0f} ms\n"
        f"plan          {plan_s * 1000:7.0f} ms, {actions} actions\n"
        f"memory        {peak / 1024:7.0f} MB, {(peak - before) / 1024:.0f} of it for this\n"
    )


if __name__ == "__main__":
    main()
