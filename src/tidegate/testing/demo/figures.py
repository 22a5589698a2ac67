"""What was measured in this run, beside the figures that a good deployment system is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidegate.testing.demo.step import Step

if TYPE_CHECKING:
    from rich.table import Table

KNOWN = ("known", "fetched")


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; ``how`` says what was measured."""

    what: str
    reference: str
    ours: str
    how: str


@dataclass(slots=True)
class Measured:
    """Filled in as the story goes on; ``builds`` are the answers of ``tidegate build --json``."""

    builds: list[dict[str, Any]] = field(default_factory=list)
    deployments: dict[str, float] = field(default_factory=dict)
    rollback_s: float = 0.0

    def figures(self, steps: Sequence[Step]) -> Iterator[Figure]:
        """All that there are figures for."""
        if self.deployments:
            where, seconds = max(self.deployments.items(), key=lambda one: one[1])
            how = f"the longest of {len(self.deployments)}, end-to-end tests included: {where}"
            yield Figure("deployment", "2-3 min", f"{seconds:.0f} s", how)
        if watched := [step for step in steps if step.watched]:
            longest = max(watched, key=lambda step: step.pause_s)
            how = f"the longest time without a good answer on any host: {longest.title}"
            yield Figure("downtime", "< 30 s", f"{longest.pause_s:.1f} s", how)
        if self.rollback_s:
            yield Figure("rollback", "< 1 min", f"{self.rollback_s:.0f} s", "tidegate rollback")
        if self.builds:
            yield from self._of_builds()

    def _of_builds(self) -> Iterator[Figure]:
        first, later = self.builds[0], self.builds[1:]
        made = [one for one in first["applications"] if one["action"] == "built"]
        how = f"the first version: {len(made)} of {len(first['applications'])} images, and tests"
        yield Figure("build", "3-5 min", f"{first['total_s']:.0f} s", how)
        images = [one for build in later for one in build["applications"]]
        if images:
            hits = [one for one in images if one["action"] in KNOWN]
            how = f"{len(hits)} of {len(images)} images of {len(later)} commits were there already"
            yield Figure("cache hits", "70-80 %", f"{len(hits) / len(images):.0%}", how)
        efficiency = first["work_s"] / (first["total_s"] * first["jobs"])
        how = (
            f"first build: {first['work_s']:.0f} s of builds and tests"
            f" in {first['total_s']:.0f} s x {first['jobs']} at once"
        )
        yield Figure("parallel efficiency", "90 %", f"{efficiency:.0%}", how)


def table(found: Sequence[Figure]) -> Table:
    """All of them."""
    from rich import box
    from rich.table import Table

    title = "Reference figures beside ours, measured in this run"
    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    shown.add_column("")
    shown.add_column("reference", justify="right", no_wrap=True)
    shown.add_column("ours", justify="right", no_wrap=True, style="bold")
    shown.add_column("what was measured", overflow="fold")
    for figure in found:
        shown.add_row(figure.what, figure.reference, figure.ours, figure.how)
    return shown
