"""Services that run by a schedule: a timer of systemd for each, beside Quadlet's units.

A timer changes when a deployment ends, and needs nothing of ours in between. A run that came due
while the host was off is made up for at its next boot. Source: systemd.timer(5).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional

from tidegate.host import systemd, units
from tidegate.host.context import Context
from tidegate.host.files import read_text, remove, write_if_changed
from tidegate.host.generations import Generation
from tidegate.host.layout import Release
from tidegate.host.paths import Paths

SUFFIX = ".timer"


def folder(paths: Paths) -> Path:
    """Where a user's own units are: systemd.unit(5)."""
    return paths.home / ".config/systemd/user"


def names(release: Release) -> List[str]:
    """The timer files of a release on this host."""
    found = (name for name, entry in release["services"].items() if entry.get("schedule"))
    return sorted(f"{release['instance']}-{name}{SUFFIX}" for name in found)


def expected(now: Optional[Generation]) -> Dict[str, str]:
    """File name → text of every timer that a generation has here."""
    if now is None:
        return {}
    instance = now.release["instance"]
    return {
        f"{instance}-{name}{SUFFIX}": _timer(instance, name, entry["schedule"])
        for name, entry in now.release["services"].items()
        if entry.get("schedule")
    }


def _timer(instance: str, service: str, schedule: Dict[str, Any]) -> str:
    when = [("OnCalendar", line) for line in schedule["calendar"]]
    sections = {
        "Unit": [("Description", f"{service} of {instance}: {schedule['text']}")],
        "Timer": [*when, ("Persistent", "true"), ("AccuracySec", "1s")],
        "Install": [("WantedBy", "timers.target")],
    }
    return units.text(instance, sections)


def settle(ctx: Context, target: Optional[Generation]) -> None:
    """The timers here are those of `target` from now on."""
    texts, place = expected(target), folder(ctx.paths)
    gone = sorted(set(owned(ctx.paths)) - set(texts))
    if gone:
        systemd.systemctl("disable", "--now", *gone, check=False)
        for name in gone:
            remove(place / name)
    written = [n for n, text in sorted(texts.items()) if write_if_changed(place / n, text, 0o644)]
    if gone or written:
        systemd.daemon_reload()
    asleep = [name for name in sorted(texts) if name in written or not _waits(ctx.paths, name)]
    if asleep:
        with ctx.step("timers", ", ".join(asleep)):
            systemd.systemctl("enable", *asleep)
            systemd.systemctl("restart", *asleep)


def drift(paths: Paths, now: Optional[Generation]) -> Dict[str, str]:
    """Timers that are not as the release has them: file → what is wrong."""
    found = {}
    for name, text in sorted(expected(now).items()):
        here = read_text(folder(paths) / name)
        if here != text:
            found[name] = "the timer is gone" if here is None else "the timer was edited"
        elif not _waits(paths, name):
            found[name] = "the timer is switched off"
    for name in sorted(set(owned(paths)) - set(expected(now))):
        found[name] = "a timer in our name that no release has"
    return found


def _waits(paths: Paths, name: str) -> bool:
    """Whether a timer counts now, and will after a boot."""
    wanted = folder(paths) / "timers.target.wants" / name
    words = ("is-active", "--quiet", name)
    return wanted.is_symlink() and systemd.status(*words) == 0


def following(name: str) -> str:
    """When a timer starts its service next, in systemd's words; empty for never."""
    found = systemd.systemctl("show", name, "-p", "NextElapseUSecRealtime", "--value", check=False)
    return found.strip()


def owned(paths: Paths) -> List[str]:
    """The timers here that carry this instance's mark."""
    mark = units.head(paths.instance)
    found = folder(paths).glob(f"*{SUFFIX}")
    return [entry.name for entry in found if (read_text(entry) or "").startswith(mark)]
