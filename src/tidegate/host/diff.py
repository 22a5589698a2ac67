"""Whether a service's entry in a release asks for new copies, new settings, or nothing.

The controller's plan and the host's layout both ask here, so they cannot disagree. Pure.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional, Set

from tidegate.host.canon import digest

Entry = Mapping[str, Any]

# What only the edge, the fronts and the order of starting read: a running copy stays as it is.
SETTINGS = frozenset(
    {"published", "routes", "probe", "depends_on", "stop_s", "ports", "stateful"}
    | {"migrate", "seed"}
)


def change(old: Optional[Entry], new: Entry) -> str:
    """`none`, `settings` (edge and fronts only) or `restart` (the copies must be new)."""
    return "restart" if old is None else weigh(differing(old, new), new)


def differing(old: Entry, new: Entry) -> Set[str]:
    """The keys of two entries whose values differ; one that is missing is as None."""
    keys = {key for key, value in new.items() if old.get(key) != value}
    gone = {key for key in old if key not in new and old[key] is not None}
    return keys | gone


def weigh(keys: Set[str], new: Entry) -> str:
    """What a difference in just these keys asks for."""
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
