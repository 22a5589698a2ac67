"""What runs on hosts already becomes a release's: found, told, and taken by a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate import app
from tidegate.app import Survey, Target, Wish
from tidegate.errors import InputError, RefusedError
from tidegate.host.placement import Views
from tidegate.pipeline.fleet import OBSERVE_S
from tidegate.pipeline.runner import Report
from tidegate.plan.adoption import Adoption, adoption, nothing, risky
from tidegate.ports import Reporter

Adoptions = Mapping[str, Adoption]


def named(words: Sequence[str]) -> dict[str, str]:
    """``["web=my-web"]`` as container by service; anything else is an ``InputError``."""
    found: dict[str, str] = {}
    for word in words:
        service, _, container = word.partition("=")
        if not service or not container:
            raise InputError(
                f"--container {word!r} is not SERVICE=NAME", code="usage", hint="as in web=my-web"
            )
        if found.setdefault(service, container) != container:
            raise InputError(
                f"{service} cannot take the place of {found[service]} and of {container}",
                code="usage",
                hint="name each service once",
            )
    return found


def look(
    found: Survey, target: Target, project: str, containers: Mapping[str, str]
) -> dict[str, Adoption]:
    """What of each host becomes a service of the surveyed release. Changes nothing."""
    for service in containers:
        if service not in found.made.release["services"]:
            raise InputError(
                f"there is no service {service!r}",
                code="unknown-service",
                hint=f"there are: {', '.join(found.made.release['services'])}",
            )
    views = Views(found.made.release)
    args = {"project": project or target.config.project, "containers": dict(containers)}
    asked = [(a.name, a.begin("adoptable", args)) for a in found.fleet.agents]
    return {name: adoption(views.of(name), answer.result(OBSERVE_S)) for name, answer in asked}


def take(
    target: Target, found: Survey, adoptions: Adoptions, wish: Wish, reporter: Reporter
) -> Report:
    """Deploy the surveyed release in the place of what is adopted; all is put back if it fails."""
    if nothing(adoptions):
        unseen = "; ".join(text for one in adoptions.values() for text in one.unseen)
        raise InputError(
            "nothing runs there that a service could take the place of",
            code="nothing-to-adopt",
            hint=unseen
            or "name the project with --project, or containers with --container web=NAME",
        )
    for one in risky(adoptions) if not wish.allow_stateful else ():
        raise RefusedError(
            f"{one.service} keeps data that {one.old_image} wrote, and would be {one.new_image}",
            code="stateful",
            hint="take a backup, then adopt with --allow-stateful; or write the same image",
        )
    asked = {name: one.told for name, one in adoptions.items() if one.told}
    return app.deploy(target, found, Wish(wish.reason, wish.allow_stateful, adopt=asked), reporter)
