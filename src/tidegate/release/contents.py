"""A release of all environments: a commit, and every image that it means, by digest.

It says nothing of when or where it was made, so equal commits and images are the equal bytes, and
one digest. The folder's tree in git stands for its configuration and companion files. What an
environment adds (its variables, secrets, hosts) is rendered from it when it is deployed there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tidegate.errors import InputError
from tidegate.host.canon import canonical, digest
from tidegate.release.manifest import check_format

FORMAT = 1
FILE, SIGNATURE, VERSIONS = (
    "services/release.json",
    "services/release.json.sig",
    "services/version.env",
)
_KEYS = {"project": str, "commit": str, "tree": str, "applications": dict, "services": dict}

Contents = dict[str, Any]


class Own(NamedTuple):
    """An image of ours: ``ref`` is ``registry/path@sha256:…``, ``tag`` names its content."""

    ref: str
    tag: str


class Service(NamedTuple):
    """What a service runs: an application of ours, or the image that a tag meant."""

    ref: str
    application: str = ""
    tag: str = ""


def contents(
    project: str,
    commit: str,
    tree: str,
    applications: Mapping[str, Own],
    services: Mapping[str, Service],
) -> Contents:
    """The release as JSON."""
    return {
        "format": FORMAT,
        "project": project,
        "commit": commit,
        "tree": tree,
        "applications": {name: one._asdict() for name, one in applications.items()},
        "services": {name: one._asdict() for name, one in services.items()},
    }


def contents_bytes(release: Contents) -> bytes:
    """What is signed, kept and digested."""
    return canonical(release)


def contents_digest(release: Contents) -> str:
    """The release's name: ``sha256:…``."""
    return digest(release)


def parse(text: bytes, name: str) -> Contents:
    """A release that was kept under a name; ``InputError`` where it is none that we read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _broken(name, "is not a JSON object")
    check_format(found.get("format"))
    for key, kind in _KEYS.items():
        if not isinstance(found.get(key), kind):
            raise _broken(name, f"has no {key!r}")
    return found


def _broken(name: str, what: str) -> InputError:
    return InputError(
        f"the release {name} {what}", code="release-broken", hint="make it again: tidegate release"
    )


def variable(application: str) -> str:
    """``API_TAG`` for ``api``; what a variable cannot hold becomes ``_``."""
    name = re.sub(r"[^A-Za-z0-9]", "_", application).upper()
    return f"_{name}_TAG" if name[:1].isdigit() else f"{name}_TAG"


def version_env(before: str, applications: Mapping[str, Own], *, pinned: bool) -> str:
    """``services/version.env`` with a line for each application, all other lines as they were.

    The value names content, so what did not change has the same line in every release. With a
    registry it is a tag with its digest, which pins ``image: …/api:${API_TAG}``.
    """
    lines = before.splitlines()
    for name, one in sorted(applications.items()):
        key = variable(name)
        digest_of = one.ref.rpartition("@")[2]
        line = f"{key}={one.tag}@{digest_of}" if pinned else f"{key}={one.tag}"
        at = [n for n, text in enumerate(lines) if re.match(rf"\s*(export\s+)?{key}\s*=", text)]
        if at:
            lines[at[-1]] = line
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)
