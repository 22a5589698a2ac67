"""``tidegate resolve``: go on without a witness that is lost for good."""

from __future__ import annotations

from tidegate.cli.output import progress, say, typed
from tidegate.errors import InputError


def resolve(
    environment: str = "",
    /,
    *,
    lost: str,
    yes: bool = False,
    config: str = "tidegate.yaml",
) -> None:
    """End what is in doubt and make another host the witness, when the one before is gone for good.

    Take the lost host out of tidegate.yaml first. If it comes back later, it must be made anew:
    it may have decided something that nobody else has heard of.
    Example: tidegate resolve production --lost web-1

    Args:
        environment: Its name; may be left out where there is only one.
        lost: The name that the lost witness had.
        yes: Do not ask.
        config: The configuration file.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.pipeline.witness import replace_lost

    target = app.choose(environment, file=config)
    name = target.environment.name
    if lost in target.environment.hosts:
        raise InputError(
            f"{lost} is still one of the hosts of {name}",
            code="not-lost",
            where=target.config.where("environments", name, "hosts", lost),
            hint="take it out of the configuration first",
        )
    if not yes:
        confirm(name, lost)
    live = Progress(quiet=True)
    fleet = app.attach(target, live)
    told = replace_lost(fleet, lost)
    fleet.close()
    for line in told:
        progress(line)
    say(f"{fleet.witness.name} is the witness of {name}; now: tidegate deploy {name}")


def confirm(environment: str, lost: str) -> None:
    """Ask for the lost host's name; anything else, or nobody to ask, is an ``InputError``."""
    question = (
        f"{environment} goes on without {lost}, which must never come back as it was. "
        "Type its name to go on: "
    )
    if not typed(question, lost):
        raise InputError(
            "not confirmed, so nothing was changed", code="not-confirmed", hint="or give --yes"
        )
