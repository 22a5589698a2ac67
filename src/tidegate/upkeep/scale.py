"""Another number of copies of what serves: the release of the hosts, not that of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate import app
from tidegate.app import Survey, Target
from tidegate.edges.store import Store
from tidegate.errors import InputError
from tidegate.pipeline.making import Made
from tidegate.plan import plan_fleet
from tidegate.ports import Reporter
from tidegate.release.scale import scaled


def wanted(words: Sequence[str]) -> dict[str, int]:
    """``["web=3"]`` as numbers; anything else is an ``InputError``."""
    found: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if not name or not number.isdecimal() or not number.isascii():
            raise InputError(
                f"{word!r} is not SERVICE=N", code="usage", hint="as in: tidegate scale web=3"
            )
        if found.setdefault(name, int(number)) != int(number):
            raise InputError(
                f"{name} cannot have {found[name]} copies and {number}",
                code="usage",
                hint="name each service once",
            )
    if not found:
        raise InputError("no service was given", code="usage", hint="tidegate scale web=3")
    return found


def survey(target: Target, copies: Mapping[str, int], reporter: Reporter) -> Survey:
    """What serves with other numbers of copies, and the plan for it. Changes nothing."""
    found = app.attach(target, reporter, full=True)
    serving = found.seen.get("release")
    if not serving:
        place = target.environment.name
        raise InputError(
            f"nothing was deployed to {place} yet",
            code="nothing-here",
            hint=f"tidegate deploy {place}",
        )
    release = scaled(serving, copies)
    made = Made(release, Store(), {}, {}, {}, app.revoked(target), {}, None, None)
    return Survey(found, made, plan_fleet(release, found.by_host), secrets_changed=False)
