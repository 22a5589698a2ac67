"""``tidegate history``: what was deployed, when, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from tidegate.cli.misuse import within
from tidegate.cli.output import print_json, say, table


def history(
    environment: str = "",
    /,
    *,
    limit: Annotated[int, within(1)] = 20,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """List the deployments of an environment, newest first, from its audit log.

    Example: tidegate history production --limit 5

    Args:
        environment: Its name; may be left out where there is only one.
        limit: How many.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.pipeline.fleet import OBSERVE_S

    target = app.choose(environment, file=config)
    fleet = app.attach(target, Progress(quiet=True), observe=False)
    answer = fleet.witness.call("history", {"limit": limit}, timeout_s=OBSERVE_S)
    fleet.close()
    if json:
        print_json("history", {"environment": target.environment.name, **answer})
        return
    rows = [_row(entry) for entry in answer["entries"]]
    heads = ("deployment", "at", "what", "outcome", "version", "by", "reason")
    told = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    columns = [[row[index] for index in told] for row in (heads, *rows)]
    say(table(columns[0], columns[1:]) if rows else "nothing was deployed yet")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """One entry; a decision's outcome is its verdict, and it is by the person who signed it."""
    told = {**entry, "outcome": entry.get("outcome") or entry.get("verdict", "")}
    told["deployment"] = entry.get("deployment") or entry.get("during", "")
    told["event"] = str(entry.get("event", "")).removeprefix("service.")
    told["owner"] = entry.get("person") or entry.get("owner", "")
    keys = ("deployment", "at", "event", "outcome", "version", "owner", "reason")
    return tuple(str(told.get(key, "")) for key in keys)
