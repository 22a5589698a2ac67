"""``tidegate rollback``: an earlier release serves again, from what the hosts keep."""

from __future__ import annotations

from typing import Annotated

from tidegate.cli.misuse import within


def rollback(
    environment: str = "",
    /,
    *,
    to: Annotated[int | None, within(1)] = None,
    reason: str = "",
    events: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Go back to the release before this one, or to any that the hosts keep.

    Images and files are there already; nothing of this folder is needed. Data stays as it is.
    Example: tidegate rollback production --to 41

    Args:
        environment: Its name; may be left out where there is only one.
        to: The number of the deployment to go back to; history lists them.
        reason: Why, for the history.
        events: Append every event to this file, as lines of JSON.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.deploy import conclude
    from tidegate.cli.progress import Progress

    live = Progress(events=events, quiet=json)
    try:
        target = app.choose(environment, file=config)
        live.several = len(target.environment.hosts) > 1
        fleet = app.attach(target, live)
        wish = app.Wish(reason=reason, generation=to or app.previous(fleet.seen))
        report = app.rollback(target, fleet, wish, live)
        fleet.close()
    finally:
        live.close()
    kept = {int(item["n"]): str(item.get("version") or "") for item in fleet.seen["generations"]}
    then = f"{target.environment.name}/{wish.generation}"
    known = kept.get(wish.generation, "")
    version = f"{known} (as {then})" if known else f"what {then} brought"
    serving = str(fleet.seen.get("deployment") or "")
    conclude(report, version, live, json=json, serving=serving)
