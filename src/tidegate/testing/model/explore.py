"""Every state that a world can come to, and what must be true in each.

Breadth first, so that the way to a violation is a shortest one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tidegate.testing.model.world import Host, Rules, World, begin, own_steps, steps


@dataclass(frozen=True, slots=True)
class Found:
    """What an exploration found; `violation` is empty where all is well, `way` leads to it."""

    states: int
    moves: int
    violation: str = ""
    way: tuple[str, ...] = ()


def explore(
    hosts: int,
    deployments: int,
    rules: Rules | None = None,
    told: Callable[[int], None] | None = None,
) -> Found:
    """Look at every state; stops at the first in which something is not true."""
    rules = rules or Rules()
    first = begin(hosts, deployments)
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    waiting = deque([first])
    moves = 0
    while waiting:
        world = waiting.popleft()
        wrong = violation(world, rules)
        if wrong:
            return Found(len(came_from), moves, wrong, _way(came_from, world))
        for step in steps(world, rules):
            moves += 1
            if step.world not in came_from:
                came_from[step.world] = (world, step.words)
                waiting.append(step.world)
                if told is not None and len(came_from) % 100_000 == 0:
                    told(len(came_from))
    return Found(len(came_from), moves)


def violation(world: World, rules: Rules) -> str:
    """What is not true here, or nothing."""
    for number in range(1, len(world.controllers) + 1):
        ends = [host.ended[number - 1] for host in world.hosts]
        if "committed" in ends:
            if "reverted" in ends:
                return f"deployment {number} is committed on one host and reverted on another"
            if world.decisions[number - 1] != "commit":
                return f"deployment {number} is committed, and the witness does not say so"
            if any(_without(host, number) for host in world.hosts):
                return f"deployment {number} is committed without a host"
    if all(host.open == 0 for host in world.hosts):
        serving = {host.serving for host in world.hosts}
        if len(serving) > 1:
            return f"all have heard, and releases {sorted(serving)} serve"
    for index, host in enumerate(world.hosts):
        if host.open and not any(step.alone for step in own_steps(world, rules, index)):
            return f"host {index} is stuck in {host.state}"
    return ""


def _without(host: Host, number: int) -> bool:
    """Whether a host has no part in a deployment: it never opened it, or gave it up."""
    return not host.ended[number - 1] and host.open != number


def _way(came_from: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    words: list[str] = []
    step = came_from[world]
    while step is not None:
        words.append(step[1])
        step = came_from[step[0]]
    return tuple(reversed(words))
