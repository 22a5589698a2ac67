"""What a release has that another has not: images by application and service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tidegate.release.contents import Contents

NEW, GONE, CHANGED = "new", "gone", "changed"


class Change(NamedTuple):
    """An application or service whose image differs; ``before`` or ``after`` "" is none.

    ``what`` is new, gone or changed; both are ``ref`` with the tag that was meant, if any.
    """

    kind: str
    name: str
    what: str
    before: str
    after: str


def difference(before: Contents, after: Contents) -> list[Change]:
    """Applications first, then services that run none of ours."""
    found = _changes("application", before["applications"], after["applications"])
    return [*found, *_changes("service", _foreign(before), _foreign(after))]


def _foreign(release: Contents) -> dict[str, Any]:
    services: Mapping[str, Any] = release["services"]
    return {name: one for name, one in services.items() if not one["application"]}


def _changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old and new and old["ref"] == new["ref"]:
            continue
        what = CHANGED if old and new else (NEW if new else GONE)
        found.append(Change(kind, name, what, _shown(old), _shown(new)))
    return found


def _shown(one: Mapping[str, Any] | None) -> str:
    return str(one["ref"]) if one else ""
