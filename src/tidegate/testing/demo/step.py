"""One step of the demonstration and the table of all of them."""

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
    "prepare": ("acquire", "secrets", "prepare"),
    "switch": ("switch", "watch", "commit"),
    "finish": ("finish", "release"),
    "put back": ("abort", "undo", "give-back"),
}


@dataclass(slots=True)
class Step:
    """What happened, how it ended, what the clients saw; durations in seconds."""

    title: str
    ended: str = ""
    good: bool = True
    seconds: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0
    watched: bool = False
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


def table(steps: Sequence[Step]) -> Table:
    """All steps, seconds by phase, and what the clients saw."""
    from rich import box
    from rich.table import Table

    title = "What happened, in seconds by phase"
    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    for column in ("step", "how it ended"):
        shown.add_column(column, overflow="fold")
    for column in (*COLUMNS, "all", "requests", "failed"):
        shown.add_column(column, justify="right", no_wrap=True)
    for step in steps:
        shown.add_row(
            step.title,
            f"[{'green' if step.good else 'bold red'}]{step.ended}",
            *(f"{step.phases[c]:.1f}" if c in step.phases else "" for c in COLUMNS),
            f"[bold]{step.seconds:.1f}",
            f"{step.requests:,}" if step.watched else "",
            (f"[green]{step.failed}" if not step.failed else f"[yellow]{step.failed}")
            if step.watched
            else "",
        )
    return shown
