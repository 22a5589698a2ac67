"""Where the kills go: from a seed and one measured deployment to a list of aims. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.testing.prove.controller import Event
from tidegate.testing.prove.kill import KINDS

# The phases, each from the first event of one name to the first of another.
PHASES = {
    "prepare": ("lock ok", "switch begin"),
    "switch": ("switch begin", "watch begin"),
    "watch": ("watch begin", "watch ok"),
    "finish": ("watch ok", "prune ok"),
}
INSIDE = ("prepare", "switch", "finish")


@dataclass(frozen=True, slots=True)
class Aim:
    """Kill ``kind`` this many seconds after the first event called ``after``."""

    kind: str
    where: str
    after: str
    delay_s: float


def boundaries() -> list[str]:
    """The events that part the phases."""
    return list(dict.fromkeys(name for ends in PHASES.values() for name in ends))


def first(events: Sequence[Event], name: str) -> float | None:
    """When the first event of this name was heard."""
    return next((event.at for event in events if event.name == name), None)


def aims(seed: int, baseline: Sequence[Event], instants: int) -> list[Aim]:
    """Every kind at every boundary, then ``instants`` in each of ``INSIDE``; shuffled.

    Raises ValueError if the baseline lacks an event that a phase begins or ends with.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
    found = [Aim(kind, name, name, 0.0) for name in boundaries() for kind in KINDS]
    for phase in INSIDE:
        begins, ends = (first(baseline, name) for name in PHASES[phase])
        if begins is None or ends is None or ends <= begins:
            raise ValueError(f"the measured deployment has no whole phase {phase}")
        for number in range(instants):
            delay = chance.uniform(0.0, ends - begins)
            found.append(Aim(KINDS[number % len(KINDS)], phase, PHASES[phase][0], delay))
    chance.shuffle(found)
    return found
