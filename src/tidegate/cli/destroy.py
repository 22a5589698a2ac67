"""``tidegate destroy``: an environment off its hosts, its data only when asked for."""

from __future__ import annotations

from tidegate.cli.output import print_json, say, typed


def destroy(
    environment: str = "",
    /,
    *,
    volumes: bool = False,
    yes: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Stop and remove everything of an environment on its hosts; volumes stay unless named.

    Example: tidegate destroy staging --volumes

    Args:
        environment: Its name; may be left out where there is only one.
        volumes: The data too. There is no way back.
        yes: Do not ask.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress

    target = app.choose(environment, file=config)
    if not yes:
        confirm(target.environment.name, volumes=volumes)
    live = Progress(quiet=json)
    try:
        fleet = app.attach(target, live)
        removed = app.destroy(target, fleet, live, volumes=volumes)
        fleet.close()
    finally:
        live.close()
    if json:
        print_json("destroyed", {"environment": target.environment.name, "removed": removed})
    else:
        say(f"removed: {', '.join(removed) or 'nothing was there'}")


def confirm(environment: str, *, volumes: bool) -> None:
    """Ask for the environment's name; anything else, or nobody to ask, is an ``InputError``."""
    from tidegate.errors import InputError

    what = "and all its data, for good" if volumes else "(its volumes stay)"
    if not typed(f"This removes {environment} {what}. Type its name to go on: ", environment):
        raise InputError(
            "not confirmed, so nothing was removed", code="not-confirmed", hint="or give --yes"
        )
