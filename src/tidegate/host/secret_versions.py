"""Which version of each secret a generation uses, and whether it is still what was stored."""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Set

from tidegate.host import podman
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import read_text, write_if_changed
from tidegate.host.generations import Generation
from tidegate.host.layout import Release

RESEND = "deploy from a checkout that has its value"


def _revoke(ctx: Context, versions: Iterable[str]) -> Set[str]:
    """Remember versions of secrets that were rotated away; all of them."""
    known = set((read_text(ctx.paths.revoked) or "").split())
    write_if_changed(ctx.paths.revoked, "".join(f"{v}\n" for v in sorted(known | set(versions))))
    return known | set(versions)


def versions(
    ctx: Context, release: Release, old: Optional[Generation], again: Optional[Generation]
) -> Dict[str, str]:
    """The version of each secret: what was sent now, else what the release had, else has.

    One that was revoked is none: going back to a release does not bring it back.
    """
    revoked = _revoke(ctx, ctx.record.get("revoked", ()))
    known: Dict[str, str] = {}
    for generation in (old, again):
        layout = (generation.layout if generation else None) or {}
        known.update(
            (name, version)
            for name, version in layout.get("secrets", {}).items()
            if not revoked & set(version[len(name) :].split("-"))
        )
    known.update(ctx.record.get("secrets", {}))
    found = {}
    for entry in release["services"].values():
        for use in entry["secrets"]:
            name = use["secret"]
            if use.get("external"):
                found[name] = name
            elif name in known:
                found[name] = known[name]
            else:
                raise _unusable(name, f"the secret {name!r} has no value here")
    return found


def ids(
    ctx: Context, found: Dict[str, str], old: Optional[Generation], again: Optional[Generation]
) -> Dict[str, str]:
    """Podman's id of each version; HostError (input) for one that is not what was stored."""
    own = [(name, stored) for name, stored in found.items() if name != stored]
    here = podman.own_secrets(ctx.paths.instance) if own else {}
    known: Dict[str, str] = {}
    for generation in (again, old):
        known.update(((generation.layout if generation else None) or {}).get("secret_ids", {}))
    sent = set(ctx.record.get("secrets", {}).values())
    for name, stored in own:
        if stored not in here:
            raise _unusable(name, f"the secret {stored} is not on this host any more")
        if stored not in sent and known.get(stored, here[stored]) != here[stored]:
            raise _unusable(name, f"the secret {stored} was replaced by somebody")
    return {stored: here[stored] for _, stored in own}


def _unusable(name: str, message: str) -> HostError:
    return HostError("input", "secret-missing", message, subject=name, hint=RESEND)
