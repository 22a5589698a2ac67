"""``tidegate run``: this commit through the environments, until somebody has to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.cli.output import print_json, progress, say

if TYPE_CHECKING:
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
    stages: list[Stage] = []

    def tell(stage: Stage) -> None:
        stages.append(stage)
        if not json:
            progress(words(stage))

    try:
        way.run(config, until, live, tell)
    finally:
        live.close()
    if json:
        print_json("run", {"stages": [way.as_dict(stage) for stage in stages]})
        return
    last = stages[-1]
    if last.step == "by-hand":
        before = f"promote {stages[-2].environment}" if len(stages) > 1 else "deploy"
        say(f"{last.environment} is begun by a person: tidegate {before} {last.environment}")
    else:
        say(f"{last.version} is in {last.environment}, as {last.deployment}")


def words(stage: Stage) -> str:
    """What happened in one environment, for people."""
    told = {
        "serves": f"{stage.version} serves already, as {stage.deployment}",
        "passed": f"{stage.version} was here before; now {stage.deployment} serves",
        "deploy": f"{stage.deployment} serves {stage.version}",
        "by-hand": f"{stage.version} waits for a person to begin",
    }
    return f"{stage.environment}: {told[stage.step]}"
