"""``tidegate seed``: data to try an environment with, because a person says so."""

from __future__ import annotations

from tidegate.cli.output import print_json, say, typed


def seed(
    environment: str = "",
    /,
    *,
    service: list[str] | None = None,
    yes: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Run the seed data of what serves in an environment, once, on one host.

    No deployment does this. The last environment of tidegate.yaml asks for its name first.
    Example: tidegate seed staging --service api

    Args:
        environment: Its name; may be left out where there is only one.
        service: Of this service alone; may be repeated. All that have `seed:` by default.
        yes: Do not ask.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.pipeline import fleet

    target = app.choose(environment, file=config)
    name = target.environment.name
    if not yes and name == list(target.config.environments)[-1]:
        confirm(name)
    live = Progress(quiet=json)
    try:
        found = app.attach(target, live, full=True)
        with app.phase(live, "seed"):
            ran = fleet.seed(name, found, service or ())
        found.close()
    finally:
        live.close()
    if json:
        data = [{"service": each, "host": host} for each, host in ran.items()]
        print_json("seeded", {"environment": name, "seeded": data})
    else:
        say("\n".join(f"seeded: {each} on {host}" for each, host in ran.items()))


def confirm(environment: str) -> None:
    """Ask for the environment's name; anything else, or nobody to ask, is an ``InputError``."""
    from tidegate.errors import InputError

    words = f"This puts seed data into {environment}. Type its name to go on: "
    if not typed(words, environment):
        raise InputError("not confirmed, so nothing was run", code="not-confirmed", hint="or --yes")
