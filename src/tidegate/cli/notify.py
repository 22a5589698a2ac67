"""``tidegate notify``: a message to everybody whom deployments tell, to see that it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from tidegate.cli.output import print_json, say
from tidegate.errors import InfrastructureError, InputError

if TYPE_CHECKING:
    from tidegate.app import Target
    from tidegate.edges.courier import Letter


def notify(
    environment: str = "",
    /,
    *,
    message: str = "This is a test. Nothing was deployed.",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Send a message to every address under `notify:`, and say which arrived.

    Example: tidegate notify production --message "we deploy at 5"

    Args:
        environment: Its variables and secrets fill the addresses; may be left out if there is one.
        message: What to say.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.edges import courier
    from tidegate.pipeline.notices import letters

    _something(message)
    target = app.choose(environment, file=config)
    name = target.environment.name
    if not target.config.notify:
        raise InputError(
            "nobody is to be told",
            code="nobody",
            where=target.config.where(),
            hint='write notify: [{to: "${SLACK_URL}", on: [failed, waiting]}]',
        )
    wanted = letters(target, f"{target.config.project}: a message from {name}", message)
    _understood(target, wanted)
    told = courier.deliver(wanted, (0.0,))
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


def _something(message: str) -> None:
    if not message.strip():
        raise InputError(
            "the message is empty", code="usage", hint='--message "we deploy at 5", or leave it out'
        )


def _understood(target: Target, wanted: Sequence[Letter]) -> None:
    """``InputError`` at the first address that no service has."""
    from tidegate.edges import courier

    for index, letter in enumerate(wanted):
        if not courier.understood(letter):
            raise InputError(
                courier.UNKNOWN,
                code="notify-address",
                where=target.config.where("notify", index, "to"),
                hint="https://github.com/caronc/apprise/wiki lists their forms",
            )
