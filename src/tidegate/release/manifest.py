"""release.json: written one way only, named by its digest, and read back with its format checked.

Signing is ``ssh-keygen -Y sign`` over the canonical bytes: ``sign_command`` is the argv, run
elsewhere. Source: ssh-keygen(1), OpenSSH 8.1 and newer.
"""

from __future__ import annotations

import json
from typing import Any

from tidegate.errors import InputError
from tidegate.host.canon import canonical, digest

FORMAT = 1
NAMESPACE = "tidegate-release"
_TEXT = {"project", "instance", "environment", "commit", "version"}
_MAPS = {"images", "services", "networks", "volumes", "files", "switch", "proxy"}

Release = dict[str, Any]


def release_bytes(release: Release) -> bytes:
    """The canonical bytes: what is signed, sent and digested."""
    return canonical(release)


def release_digest(release: Release) -> str:
    """``sha256:…`` of the canonical bytes: the release's name."""
    return digest(release)


def sign_command(key: str, namespace: str = NAMESPACE) -> tuple[str, ...]:
    """The argv that signs the bytes on stdin with the key in file ``key``, armoured on stdout."""
    return ("ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", namespace)


def load_release(content: bytes) -> Release:
    """A release from stored bytes; ``InputError`` for another format or a broken one."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise _broken(f"is not JSON ({problem})") from None
    if not isinstance(value, dict):
        raise _broken("is not a JSON object")
    check_format(value.get("format"))
    missing = sorted((_TEXT | _MAPS) - set(value))
    if missing:
        raise _broken(f"has no {missing[0]!r}")
    for name in sorted(_MAPS):
        if not isinstance(value[name], dict):
            raise _broken(f"has a {name!r} that is not an object")
    for name in sorted(_TEXT):
        if not isinstance(value[name], str):
            raise _broken(f"has a {name!r} that is not text")
    return value


def check_format(found: Any) -> None:
    """Refuse a release that another version of Tidegate wrote in a format we do not know."""
    if found == FORMAT and not isinstance(found, bool):
        return
    newer = isinstance(found, int) and found > FORMAT
    raise InputError(
        f"the release has format {found!r}, and this tidegate reads format {FORMAT}",
        code="release-format",
        hint="update tidegate on this machine" if newer else "make the release again",
    )


def _broken(what: str) -> InputError:
    return InputError(f"the release {what}", code="release-broken", hint="make the release again")
