"""The migrations that a deployment runs: of the release, what no host says was done. Pure.

Each is run on one host, which the plan names; an expand before the first copy that needs it, a
contract when all is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tidegate.host.due import Task, migrations
from tidegate.plan.model import MIGRATE, Action

PHASES = {"expand": "prepare", "contract": "finish"}


def migrating(
    new: Mapping[str, Any], observed: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Task]]:
    """(host, migration) for each that is due, what others wait for first."""
    done = {name for seen in observed.values() for name in seen.get("migrated") or ()}
    for host in observed:
        yield from ((host, task) for task in migrations(new, host) if task.name not in done)


def with_migrations(actions: Sequence[Action], due: Collection[Task]) -> tuple[Action, ...]:
    """The actions of a host and its migrations, in the order in which they happen."""
    found = list(actions)
    for task in due:
        added = Action(task.service, MIGRATE, PHASES[task.kind], (f"{task.kind}: {task.words}",))
        found.insert(_place(found, added), added)
    return tuple(found)


def _place(actions: Sequence[Action], added: Action) -> int:
    """Before the service's own start, else behind all of the same phase."""
    for index, action in enumerate(actions):
        same = action.phase == added.phase == "prepare"
        if same and action.service == added.service and action.what != MIGRATE:
            return index
    phases = ("prepare", "switch", "finish")
    until = phases.index(added.phase)
    return sum(phases.index(action.phase) <= until for action in actions)
