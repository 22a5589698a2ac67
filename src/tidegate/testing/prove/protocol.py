"""``prove protocol``: every state that a fleet can come to, by the tables that run.

One deployment on one, two and three hosts, and two deployments one after the other on two
hosts, where a host may still have the first one open when the second one comes.
"""

from __future__ import annotations

import time
from typing import Any

from tidegate.testing.model.explore import explore
from tidegate.testing.prove.progress import Progress

# (hosts, deployments)
WORLDS = ((1, 1), (2, 1), (3, 1), (1, 2), (2, 2))


def prove() -> tuple[list[Any], dict[str, Any]]:
    """Explore each world to its last state."""
    progress = Progress("protocol")
    violations: list[Any] = []
    worlds = []
    for number, (hosts, deployments) in enumerate(WORLDS, 1):
        began = time.monotonic()
        words = f"{hosts} hosts, {deployments} deployments"
        found = explore(hosts, deployments, told=lambda count: progress.say(f"{count:,} states"))
        seconds = time.monotonic() - began
        worlds.append(
            {
                "hosts": hosts,
                "deployments": deployments,
                "states": found.states,
                "moves": found.moves,
                "seconds": round(seconds, 1),
            }
        )
        progress.step(number, len(WORLDS), f"{words}: {found.states:,} states")
        if found.violation:
            violations.append({"world": words, "violation": found.violation, "way": found.way})
    return violations, {"worlds": worlds}
