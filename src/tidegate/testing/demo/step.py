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
    "prepare": ("bring", "acquire", "secrets", "prepare"),
    "switch": ("switch", "watch", "commit"),
    "tests": ("verify",),
    "finish": ("finish", "contract", "release"),
    "put back": ("abort", "undo", "give-back"),
}
TEXT_WIDTH = 18
EXAMINED = ("hosts whole", "orders there")


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


def table(title: str, steps: Sequence[Step]) -> Table:
    """All steps, seconds by phase, and what the clients saw; what no step had is left out."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    for column in ("step", "how it ended"):
        shown.add_column(column, min_width=TEXT_WIDTH)
    used = [column for column in COLUMNS if any(column in step.phases for step in steps)]
    examined = any(step.hosts for step in steps)
    for column in (*used, "all", "requests", "failed", *(EXAMINED if examined else ())):
        shown.add_column(column, justify="right")
    for step in steps:
        shown.add_row(
            step.title,
            f"[{'green' if step.good else 'bold red'}]{step.ended}",
            *(f"{step.phases[c]:.1f}" if c in step.phases else "" for c in used),
            f"[bold]{step.seconds:.1f}",
            f"{step.requests:,}" if step.watched else "",
            _count(step.failed) if step.watched else "",
            *((f"{step.hosts or ''}", f"{step.orders or ''}") if examined else ()),
        )
    return shown


def _count(failed: int) -> str:
    return f"[yellow]{failed}" if failed else "[green]0"
