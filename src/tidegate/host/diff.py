"""Whether a service's entry in a release asks for new copies, new settings, or nothing.

The controller's plan and the host's layout both ask here, so they cannot disagree. Pure.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from tidegate.host.canon import digest

Entry = Mapping[str, Any]

# What only the edge, the fronts and the order of starting read: a running copy stays as it is.
SETTINGS = frozenset(
    {"published", "routes", "probe", "depends_on", "stop_s", "ports", "migrate", "stateful"}
)


def change(old: Optional[Entry], new: Entry) -> str:
    """`none`, `settings` (edge and fronts only) or `restart` (the copies must be new)."""
    if old is None:
        return "restart"
    if old == new:
        return "none"
    keys = {key for key in set(old) | set(new) if old.get(key) != new.get(key)}
    if not keys:
        return "none"
    # A service without a front publishes its ports itself: they are part of its container.
    if keys - SETTINGS or ("published" in keys and new.get("strategy") != "blue-green"):
        return "restart"
    return "settings"


def template_digest(entry: Entry) -> str:
    """The digest of a service's whole entry: equal digests mean that nothing is touched."""
    return digest(entry)


def copy_digest(entry: Entry, secrets: Mapping[str, str]) -> str:
    """The digest of what a running copy was made from: settings left out, secret versions in.

    It is on the container as a label, so what runs can be held against what should.
    """
    fixed = {
        key: value
        for key, value in entry.items()
        if key not in SETTINGS or (key == "published" and entry.get("strategy") != "blue-green")
    }
    versions = {use["secret"]: secrets.get(use["secret"], "") for use in entry.get("secrets", [])}
    return digest([fixed, versions])
