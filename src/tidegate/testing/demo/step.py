"""One step of the demonstration and the tables of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidegate.testing.prove.controller import Event, Outcome

if TYPE_CHECKING:
    from rich.table import Table

# Columns of the table, and the controller's phases that each adds up.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "build": ("build",),
    "prepare": ("bring", "acquire", "secrets", "prepare"),
    "switch": ("switch", "watch", "commit"),
    "tests": ("verify",),
    "finish": ("finish", "contract", "release"),
    "put back": ("abort", "undo", "give-back"),
}


@dataclass(slots=True)
class Step:
    """What happened, how it ended, what the clients saw; durations in seconds.

    ``hosts`` were found to run one whole release, with ``orders`` that were taken until then.
    """

    title: str
    ended: str = ""
    good: bool = True
    seconds: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0
    pause_s: float = 0.0
    watched: bool = False
    hosts: int = 0
    orders: int = 0
    trouble: str = ""


def phases(outcome: Outcome) -> dict[str, float]:
    """Seconds for each column, from the controller's phases."""
    took: dict[str, float] = {}
    began: dict[str, Event] = {}
    for event in outcome.events:
        if not event.what.startswith("phase "):
            continue
        if event.state == "begin":
            began[event.what] = event
        elif event.what in began:
            name = event.what.removeprefix("phase ")
            took[name] = took.get(name, 0.0) + event.at - began.pop(event.what).at
    return {
        column: sum(took[name] for name in names if name in took)
        for column, names in COLUMNS.items()
        if any(name in took for name in names)
    }


def happened(title: str, steps: Sequence[Step]) -> Table:
    """How each step ended, and what the clients saw."""
    examined = any(step.hosts for step in steps)
    counts = ("requests", "failed", *(("hosts whole", "orders there") if examined else ()))
    shown = _table(title, ("step", "how it ended"), counts)
    for step in steps:
        shown.add_row(
            step.title,
            f"[{'green' if step.good else 'bold red'}]{step.ended}",
            f"{step.requests:,}" if step.watched else "",
            _count(step.failed) if step.watched else "",
            *((f"{step.hosts or ''}", f"{step.orders or ''}") if examined else ()),
        )
    return shown


def seconds(steps: Sequence[Step]) -> Table:
    """Where the time went; phases that no step had are left out."""
    used = [column for column in COLUMNS if any(column in step.phases for step in steps)]
    shown = _table("Seconds by phase", ("step",), (*used, "all"))
    for step in steps:
        took = (f"{step.phases[c]:.1f}" if c in step.phases else "" for c in used)
        shown.add_row(step.title, *took, f"[bold]{step.seconds:.1f}")
    return shown


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    for column in texts:
        shown.add_column(column)
    for column in numbers:
        shown.add_column(column, justify="right")
    return shown


def _count(failed: int) -> str:
    return f"[yellow]{failed}" if failed else "[green]0"
