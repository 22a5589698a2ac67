"""``tidegate hold`` and ``unhold``: nothing is deployed until a person says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.cli.output import print_json, say
from tidegate.errors import InputError


def hold(
    environment: str = "",
    /,
    *,
    reason: str,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Refuse every deployment to an environment, from any machine; a rollback is always allowed.

    Example: tidegate hold production --reason "the shop counts its stock"

    Args:
        environment: Its name; may be left out where there is only one.
        reason: Why; whoever is refused reads it.
        config: The configuration file.
        json: Answer as JSON.
    """
    if not reason.strip():
        raise InputError("a hold needs a reason", code="usage", hint="--reason TEXT")
    name, answer = _ask(environment, config, "hold", reason)
    if json:
        print_json("hold", {"environment": name, "hold": answer["hold"], "lifted": None})
        return
    say(f"{name} is held; `tidegate unhold {name}` lifts it")


def unhold(
    environment: str = "", /, *, reason: str = "", config: str = "tidegate.yaml", json: bool = False
) -> None:
    """Lift the hold of an environment, also the one that a rollback left for automatic deployments.

    Example: tidegate unhold production

    Args:
        environment: Its name; may be left out where there is only one.
        reason: Why, for the history.
        config: The configuration file.
        json: Answer as JSON.
    """
    name, answer = _ask(environment, config, "unhold", reason)
    lifted = answer["lifted"]
    if json:
        print_json("hold", {"environment": name, "hold": None, "lifted": lifted})
    elif lifted:
        say(f"lifted the hold by {lifted['by']} of {lifted['since']}: {lifted['reason']}")
    else:
        say(f"{name} was not held")


def _ask(environment: str, config: str, op: str, reason: str) -> tuple[str, Mapping[str, Any]]:
    """Tell the host that keeps the record; the environment's name, and the answer."""
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.edges.signing import owner
    from tidegate.pipeline.fleet import OBSERVE_S
    from tidegate.pipeline.witness import in_office

    target = app.choose(environment, file=config)
    fleet = app.attach(target, Progress(quiet=True))
    args = {"owner": owner(), "reason": reason.strip()}
    answer = in_office(fleet).call(op, args, timeout_s=OBSERVE_S)
    fleet.close()
    return target.environment.name, answer
