"""``tidegate scale``: more or fewer copies of what serves."""

from __future__ import annotations


def scale(
    *copies: str,
    environment: str = "",
    dry_run: bool = False,
    reason: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Run so many copies of services on each of their hosts: a deployment of what serves already.

    Nothing of this folder is deployed. Later deployments keep the number, until the compose file
    says another one than now; 0 stops a service.
    Example: tidegate scale web=3 worker=0

    Args:
        copies: SERVICE=N; several at once are one deployment.
        environment: Its name; may be left out where there is only one.
        dry_run: Show the plan and stop.
        reason: Why, for the history.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.deploy import conclude, unchanged
    from tidegate.cli.progress import Progress
    from tidegate.upkeep import scale as scaling

    numbers = scaling.wanted(copies)
    live = Progress(quiet=json)
    report = None
    try:
        target = app.choose(environment, file=config)
        live.several = len(target.environment.hosts) > 1
        found = scaling.survey(target, numbers, live)
        if not dry_run and not found.plan.empty:
            wish = app.Wish(reason=reason or f"scale {' '.join(copies)}")
            report = app.deploy(target, found, wish, live)
        found.fleet.close()
    finally:
        live.close()
    if report is None:
        unchanged(found, live, dry_run=dry_run, json=json)
        return
    serving = str(found.fleet.seen.get("deployment") or "")
    conclude(report, found.plan.version, live, json=json, plan=found.plan, serving=serving)
