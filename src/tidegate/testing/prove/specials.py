"""Every case besides the kills, each on the site as the last one left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

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


def specials(site: Site, progress: Progress, chosen: str) -> dict[str, list[str]]:
    """Each case whose name contains ``chosen``; one that breaks off counts as violated."""
    found = {}
    for name, case in CASES.items():
        if chosen not in name:
            continue
        try:
            found[name] = case(site)
        except Exception as error:
            found[name] = [f"broke off: {type(error).__name__}: {error}"]
            site.settle()
        progress.say(f"{name}: {'VIOLATED ' + str(found[name]) if found[name] else 'held'}")
    return found
