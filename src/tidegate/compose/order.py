"""The numbers of ``services/NN_NAME`` as order, where no dependency says anything else. Pure.

What a service needs comes before it, whatever their numbers: a service counts as the lowest
number of all that need it. Each waits for those of the next lower number, as if it had
``depends_on: {…: {condition: service_started, required: false}}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Any

from tidegate.errors import InputError

Services = Mapping[str, Mapping[str, Any]]
AFTER: Mapping[str, Any] = {"condition": "service_started", "required": False}
MAX_WAITS = 20_000


def numbered(services: Services, numbers: Mapping[str, int]) -> Services:
    """The services with the waits that their numbers mean; ``numbers`` are those they have."""
    waits: dict[str, dict[str, Any]] = {}
    for count, (later, earlier) in enumerate(_waits(services, numbers)):
        if count == MAX_WAITS:
            raise InputError(
                f"the numbers of services/ order more than {MAX_WAITS} pairs of services",
                code="compose-too-large",
                hint="leave out numbers that nothing needs",
            )
        waits.setdefault(later, {})[earlier] = dict(AFTER)
    return {
        name: {**body, "depends_on": {**(body.get("depends_on") or {}), **waits[name]}}
        if name in waits
        else body
        for name, body in services.items()
    }


def _waits(services: Services, numbers: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Who waits for whom by number alone; jobs are left to those that wait for their end."""
    needed = {name: needs(services, name) for name in services}
    order = list(TopologicalSorter(needed).static_order())
    ranks = _ranks(order, needed, numbers)
    behind = _behind(order, needed)
    never = jobs(services)
    places = {name: 1 << place for place, name in enumerate(order)}
    levels: dict[int, list[str]] = {}
    for name in sorted(numbers):
        if name not in never:
            levels.setdefault(ranks[name], []).append(name)
    for low, high in pairwise(sorted(levels)):
        for later in levels[high]:
            yield from (
                (later, earlier) for earlier in levels[low] if not behind[later] & places[earlier]
            )


def needs(services: Services, name: str) -> list[str]:
    """What a service says that it depends on, of what is there."""
    return [other for other in services[name].get("depends_on") or {} if other in services]


def jobs(services: Services) -> set[str]:
    """The services whose end others wait for."""
    return {
        other
        for body in services.values()
        for other, wait in (body.get("depends_on") or {}).items()
        if wait.get("condition") == "service_completed_successfully"
    }


def _ranks(
    order: list[str], needed: Mapping[str, list[str]], numbers: Mapping[str, int]
) -> dict[str, int]:
    """The lowest number among each service and those that need it, for whom there is any."""
    ranks = dict(numbers)
    for name in reversed(order):
        for other in needed[name] if name in ranks else ():
            ranks[other] = min(ranks[name], ranks.get(other, ranks[name]))
    return ranks


def _behind(order: list[str], needed: Mapping[str, list[str]]) -> dict[str, int]:
    """All that each service needs, directly or not, as one bit for each place in the order."""
    places = {name: 1 << place for place, name in enumerate(order)}
    behind: dict[str, int] = {}
    for name in order:
        behind[name] = 0
        for other in needed[name]:
            behind[name] |= places[other] | behind[other]
    return behind
