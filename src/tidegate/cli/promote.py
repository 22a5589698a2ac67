"""``tidegate promote``: what one environment runs, with its images, to another one."""

from __future__ import annotations


def promote(
    source: str,
    environment: str,
    /,
    *,
    dry_run: bool = False,
    reason: str = "",
    allow_stateful: bool = False,
    events: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Deploy what one environment runs to another that comes after it in the file.

    It is the same commit with the same images; nothing is built, and gates hold as for deploy.
    Example: tidegate promote staging production

    Args:
        source: The environment whose release is taken.
        environment: The environment that gets it.
        dry_run: Show the plan and stop.
        reason: Why, for the history.
        allow_stateful: Let the image of a service that keeps data change.
        events: Append every event to this file, as lines of JSON.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app, way
    from tidegate.cli.deploy import carry_out
    from tidegate.cli.progress import Progress

    live = Progress(events=events, quiet=json)
    wish = app.Wish(reason=reason or f"from {source}", allow_stateful=allow_stateful)
    try:
        with way.promotion(source, environment, config, live) as promotion:
            found = app.survey(promotion.target, live, known=promotion.known)
            done = carry_out(promotion.target, found, wish, live, dry_run=dry_run)
    finally:
        live.close()
    done(json)
