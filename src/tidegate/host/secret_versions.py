"""Which version of each secret a generation uses, and whether it is still what was stored."""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Set, Tuple

from tidegate.host import podman
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import read_text, write_if_changed
from tidegate.host.generations import Generation
from tidegate.host.layout import Release


def _revoke(ctx: Context, versions: Iterable[str]) -> Set[str]:
    """Remember versions of secrets that were rotated away; all of them."""
    known = set((read_text(ctx.paths.revoked) or "").split())
    write_if_changed(ctx.paths.revoked, "".join(f"{v}\n" for v in sorted(known | set(versions))))
    return known | set(versions)


def versions(
    ctx: Context, release: Release, old: Optional[Generation], again: Optional[Generation]
) -> Tuple[Dict[str, str], Dict[str, str]]:
    """The version of each secret: what was sent now, else what the release had, else has.

    One that was revoked is none: going back to a release does not bring it back. Nor is one that
    is gone or was replaced by somebody. The second value is Podman's id of each that is ours.
    """
    revoked = _revoke(ctx, ctx.record.get("revoked", ()))
    uses = [use for entry in release["services"].values() for use in entry["secrets"]]
    own = any(not use.get("external") for use in uses)
    here = podman.own_secrets(ctx.paths.instance) if own else {}
    known: Dict[str, str] = {}
    for generation in (old, again):
        layout = (generation.layout if generation else None) or {}
        stored = layout.get("secret_ids", {})
        known.update(
            (name, version)
            for name, version in layout.get("secrets", {}).items()
            if not revoked & set(version[len(name) :].split("-"))
            and version in here
            and stored.get(version, here[version]) == here[version]
        )
    known.update(ctx.record.get("secrets", {}))
    found = {}
    for use in uses:
        name = use["secret"]
        if use.get("external"):
            found[name] = name
        elif known.get(name) in here:
            found[name] = known[name]
        else:
            raise HostError(
                "input",
                "secret-missing",
                f"the secret {name!r} has no value here, or not the one that was stored",
                subject=name,
                hint="deploy from a checkout that has its value",
            )
    return found, {name: here[name] for name in found.values() if name in here}
