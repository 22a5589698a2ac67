"""A soak: the release has run in another environment for a while.

It is the same release there when commit and images are the same: variables and hosts differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tidegate.gates.model import Soak


def lacking(
    settings: Mapping[str, Any], release: Mapping[str, Any], soak: Soak, now: datetime
) -> str:
    """Why it has not soaked long enough yet; empty: it has."""
    place, wanted = settings["in"], timedelta(seconds=settings["for"])
    if soak.release is None or soak.since is None:
        return f"nothing serves in {place}"
    other = _difference(release, soak.release)
    if other:
        return f"{place} runs {soak.release['version'] or 'another release'}: {other}"
    if soak.failed:
        return f"in {place} {soak.failed}"
    ran = max(now - soak.since, timedelta())
    return "" if ran >= wanted else f"{place} has run it for {_shown(ran)} of {_shown(wanted)}"


def _difference(new: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    if not new["commit"] or new["version"].endswith("+"):
        return "what is deployed here is no commit, so nothing else can be the same"
    if (new["commit"], new["version"]) != (there["commit"], there["version"]):
        return f"it is not {new['version']}"
    for service in sorted(set(new["images"]) & set(there["images"])):
        if new["images"][service]["ref"] != there["images"][service]["ref"]:
            return f"{service} has another image there"
    return ""


def _shown(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
