"""``tidegate plan``: what a deployment would change, service by service, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidegate.cli.output import print_json, say

if TYPE_CHECKING:
    from tidegate.plan import FleetPlan


def plan(
    environment: str = "",
    /,
    *,
    variable: list[str] | None = None,
    pull: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Show what a deployment would change, and touch nothing.

    Example: tidegate plan production

    Args:
        environment: Its name; may be left out where there is only one.
        variable: NAME=VALUE, stronger than all other variables; may be repeated.
        pull: Ask registries again what each tag means now.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress

    progress = Progress(quiet=json)
    try:
        target = app.choose(environment, variables(variable), config)
        found = app.survey(target, progress, refresh=pull)
        found.fleet.close()
    finally:
        progress.close()
    if json:
        print_json("plan", {**found.plan.as_dict(), "secrets_changed": found.secrets_changed})
        return
    say(text(found.plan, secrets_changed=found.secrets_changed))


VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def variables(given: list[str] | None) -> dict[str, str]:
    """``["A=b"]`` as a mapping; one without ``=`` is an ``InputError``."""
    from tidegate.errors import InputError

    found = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not equals or not VARIABLE.fullmatch(name):
            raise InputError(
                f"--variable {item!r} is not NAME=VALUE", code="usage", hint="as in --variable A=b"
            )
        found[name] = value
    return found


def text(plan: FleetPlan, *, secrets_changed: bool = False) -> str:
    """A plan for people; colour where stdout takes it. Hosts with the same plan share a text."""
    import sys

    from tidegate.cli.output import BOLD, coloured, paint
    from tidegate.cli.plan_text import plan_text

    colour = coloured(sys.stdout)
    groups = list(plan.groups())
    texts = [plan_text(each, secrets_changed=secrets_changed, colour=colour) for _, each in groups]
    if len(plan.plans) == 1:
        return texts[0]
    heads = [paint(", ".join(hosts), BOLD, on=colour) for hosts, _ in groups]
    return "\n\n".join(f"{head}\n\n{told}" for head, told in zip(heads, texts, strict=True))
