"""``tidegate notify``: a message to everybody whom deployments tell, to see that it arrives."""

from __future__ import annotations

from dataclasses import asdict

from tidegate.cli.output import print_json, say


def notify(
    environment: str = "",
    /,
    *,
    message: str = "This is a test. Nothing was deployed.",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Send a message to every address under ``notify:``, and say which arrived.

    Example: tidegate notify production --message "we deploy at 5"

    Args:
        environment: Its variables and secrets fill the addresses; may be left out if there is one.
        message: What to say.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.edges import courier
    from tidegate.errors import InfrastructureError, InputError
    from tidegate.pipeline.notices import letters

    target = app.choose(environment, file=config)
    name = target.environment.name
    if not target.config.notify:
        raise InputError(
            "nobody is to be told",
            code="nobody",
            where=target.config.where(),
            hint='write notify: [{to: "${SLACK_URL}", on: [failed, waiting]}]',
        )
    title = f"{target.config.project}: a message from {name}"
    told = courier.deliver(letters(target, title, message), (0.0,))
    if json:
        print_json("notified", {"environment": name, "told": [asdict(one) for one in told]})
    else:
        for one in told:
            say(f"{one.to}: {one.why or 'delivered'}")
    lost = [one.to for one in told if one.why]
    if lost:
        raise InfrastructureError(
            f"{', '.join(lost)} did not take the message",
            code="not-delivered",
            hint="look at the address; https://github.com/caronc/apprise/wiki lists their forms",
        )
