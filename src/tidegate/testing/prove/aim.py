"""Where the kills go: from a seed and one measured deployment to a list of aims. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.testing.prove.controller import Event
from tidegate.testing.prove.kill import KINDS

# What the controller goes through, in order; the host works in the three of ``INSIDE``.
PHASES = ("acquire", "prepare", "switch", "watch", "commit", "finish", "release")
INSIDE = ("prepare", "switch", "finish")


@dataclass(frozen=True, slots=True)
class Aim:
    """Kill ``kind`` this many seconds after the first event called ``after``."""

    kind: str
    where: str
    after: str
    delay_s: float


def boundaries() -> list[str]:
    """The events at which one phase gives way to the next, and the last end."""
    return [*(f"phase {phase} begin" for phase in PHASES), "phase release ok"]


def span(events: Sequence[Event], phase: str) -> tuple[float, float] | None:
    """When a phase began and ended, where both were heard."""
    begins, ends = (first(events, f"phase {phase} {state}") for state in ("begin", "ok"))
    return (begins, ends) if begins is not None and ends is not None else None


def first(events: Sequence[Event], name: str) -> float | None:
    """When the first event of this name was heard."""
    return next((event.at for event in events if event.name == name), None)


def aims(seed: int, baseline: Sequence[Event], instants: int) -> list[Aim]:
    """Every kind at every boundary, then ``instants`` in each of ``INSIDE``; shuffled.

    Raises ValueError if the baseline lacks one of those phases.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
    found = [Aim(kind, name, name, 0.0) for name in boundaries() for kind in KINDS]
    for phase in INSIDE:
        ends = span(baseline, phase)
        if ends is None:
            raise ValueError(f"the measured deployment has no whole phase {phase}")
        for number in range(instants):
            delay = chance.uniform(0.0, ends[1] - ends[0])
            after = f"phase {phase} begin"
            found.append(Aim(KINDS[number % len(KINDS)], phase, after, delay))
    chance.shuffle(found)
    return found
