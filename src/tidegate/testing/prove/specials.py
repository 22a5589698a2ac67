"""Every case besides the kills, each on the site as the last one left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tidegate.testing.prove import contest, trouble, upgrade
from tidegate.testing.prove.progress import Progress
from tidegate.testing.prove.site import Site

Case = Callable[[Site], list[str]]
CASES: Mapping[str, Case] = {
    "a second controller is refused": contest.second_is_refused,
    "a stale token is refused": contest.stale_token_is_refused,
    "a controller sleeps in prepare": partial(contest.sleeper_changes_nothing, phase="prepare"),
    "a controller sleeps in switch": partial(contest.sleeper_changes_nothing, phase="switch"),
    "a controller sleeps in watch": partial(contest.sleeper_changes_nothing, phase="watch"),
    "the disk is full": trouble.disk_is_full_before,
    "the disk fills up in prepare": partial(trouble.disk_fills_up, phase="prepare"),
    "the disk fills up in finish": partial(trouble.disk_fills_up, phase="finish"),
    "the clock jumps": partial(trouble.clock_jumps, killed=False),
    "the clock jumps and the controller dies": partial(trouble.clock_jumps, killed=True),
    "upgraded in prepare": partial(upgrade.upgraded_in_the_middle, phase="prepare"),
    "upgraded in watch": partial(upgrade.upgraded_in_the_middle, phase="watch"),
    "a record of a newer format": upgrade.newer_record_is_refused,
}


def specials(
    site: Site, progress: Progress, chosen: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run each case whose name contains ``chosen``: the violations, and what held.

    A case that breaks off counts as violated.
    """
    bad, held = [], {}
    for name, case in CASES.items():
        if chosen not in name:
            continue
        try:
            found = case(site)
        except Exception as error:
            found = [f"broke off: {type(error).__name__}: {error}"]
            site.settle()
        progress.say(f"{name}: {'VIOLATED ' + str(found) if found else 'held'}")
        held[name] = "violated" if found else "held"
        if found:
            bad.append({"case": name, "violations": found, "trace": site.trace()})
    return bad, {"cases": held}


def prove(name: str, chosen: str) -> tuple[list[Any], dict[str, Any]]:
    """The cases alone, on a new server."""
    progress = Progress("cases")
    site = Site.up(name)
    try:
        site.next_version()
        progress.say(f"the first deployment, on {site.server.address}")
        if (outcome := site.deploy()).code != 0:
            raise RuntimeError(f"the first deployment fails:\n{outcome.stderr}")
        return specials(site, progress, chosen)
    finally:
        site.close()
