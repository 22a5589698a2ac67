"""``tidegate run``: this commit through the environments, until somebody has to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidegate.cli.output import print_json, progress, say

if TYPE_CHECKING:
    from tidegate.cli.progress import Progress
    from tidegate.pipeline.runner import Report
    from tidegate.way import Stage


def run(
    *, until: str = "", events: str = "", config: str = "tidegate.yaml", json: bool = False
) -> None:
    """Take this commit from environment to environment, in the file's order, until a gate.

    Where it is already it is not deployed again, so after an approval the same command goes on,
    on any machine with this commit. It ends with exit code 5 where people have to approve, with 3
    where a gate or a hold says no, and before an environment that is begun by hand.
    Example: tidegate run --until staging

    Args:
        until: The environment to stop after.
        events: Append every event to this file, as lines of JSON.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import way
    from tidegate.cli.progress import Progress

    live = Progress(events=events, quiet=json)
    live.several = True
    heard = Heard(live, quiet=json)
    try:
        way.run(config, until, live, heard)
    finally:
        live.close()
    if json:
        print_json("run", {"stages": [way.as_dict(stage) for stage in heard.stages]})
    else:
        say(ending(heard.stages))


class Heard:
    """Keeps how a run goes, and says it as it goes unless ``quiet``."""

    def __init__(self, live: Progress, *, quiet: bool) -> None:
        self.stages: list[Stage] = []
        self._live = live
        self._quiet = quiet

    def stage(self, stage: Stage) -> None:
        """An environment is done with."""
        self.stages.append(stage)
        if not self._quiet:
            progress(words(stage))

    def put_back(self, report: Report, serving: str) -> None:
        """A deployment failed."""
        from tidegate.cli.deploy import tell_what_was_put_back

        if not self._quiet:
            tell_what_was_put_back(report, self._live, serving)


def ending(stages: Sequence[Stage]) -> str:
    """Where a run ended, and what a person may do next."""
    last = stages[-1]
    if last.step != "by-hand":
        return f"{last.version} is in {last.environment}, as {last.deployment}"
    before = f"promote {stages[-2].environment}" if len(stages) > 1 else "deploy"
    return f"{last.environment} is begun by a person: tidegate {before} {last.environment}"


def words(stage: Stage) -> str:
    """What happened in one environment, for people."""
    told = {
        "serves": f"{stage.version} serves already, as {stage.deployment}",
        "passed": f"{stage.version} was here before; now {stage.deployment} serves",
        "deploy": f"{stage.deployment} serves {stage.version}",
        "by-hand": f"{stage.version} waits for a person to begin",
    }
    return f"{stage.environment}: {told[stage.step]}"
