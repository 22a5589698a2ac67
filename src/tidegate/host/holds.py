"""Whether an environment is held, as its ledger tells it. Pure.

A hold that a person set stops every deployment but a rollback; a rollback leaves one behind that
stops automatic deployments only. Both last until a person lifts them.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

SET, LIFTED = "hold.set", "hold.lifted"
ALL, AUTOMATIC = "all", "automatic"

Entry = Mapping[str, Any]


def in_force(entries: Sequence[Entry]) -> Optional[Dict[str, str]]:
    """The hold with `scope`, `by`, `reason` and `since`; None where there is none."""
    mild: Optional[Dict[str, str]] = None
    for entry in reversed(entries):
        event = entry.get("event")
        if event == LIFTED:
            break
        if event == SET and entry.get("scope") == ALL:
            return _hold(entry, ALL)
        if mild is None and (event == SET or _rolled_back(entry)):
            mild = _hold(entry, AUTOMATIC)
    return mild


def stops(hold: Optional[Mapping[str, str]], automatic: bool) -> bool:
    """Whether a deployment may not begin; `automatic`: no person asked for this one."""
    return hold is not None and (automatic or hold["scope"] == ALL)


def words(environment: str, hold: Mapping[str, str]) -> str:
    """The hold for people: what, who, since when, why."""
    what = "is held" if hold["scope"] == ALL else "is held for automatic deployments"
    return f"{environment} {what} by {hold['by']} since {hold['since']}: {hold['reason']}"


def _rolled_back(entry: Entry) -> bool:
    return entry.get("kind") == "rollback" and entry.get("outcome") == "commit"


def _hold(entry: Entry, scope: str) -> Dict[str, str]:
    went = f"rollback to {entry.get('version') or 'an earlier release'}"
    return {
        "scope": scope,
        "by": str(entry.get("owner", "")),
        "reason": str(entry.get("reason") or went),
        "since": str(entry.get("at", "")),
    }
