"""What a tag means now: its digest, and what the image declares, asked with skopeo.

skopeo honours registries.conf, auth files and mirrors as Podman does. A tag's digest is kept
for ``FRESH_S`` seconds, so that a deployment without changes asks nobody; what a digest
declares never changes and is kept for good. ``refresh`` asks again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from tidegate.edges.private_dir import cache_path, write_json
from tidegate.edges.process import Command, Completed, run
from tidegate.errors import InfrastructureError, InputError, TidegateError, Where
from tidegate.images import names
from tidegate.images.facts import ImageFacts, facts
from tidegate.images.names import Reference

FRESH_S = 900.0
TIMEOUT_S = 60.0
UNKNOWN = ("manifest unknown", "name unknown", "not found", "repository does not exist")
DENIED = ("unauthorized", "authentication required", "denied")


class Registry:
    """Asks registries; every answer is a value that the caller may keep."""

    def __init__(self, *, refresh: bool = False) -> None:
        self._refresh = refresh
        self._folder = cache_path("tags")

    def resolve(self, name: str, where: Where | None = None) -> Reference:
        """The image pinned to the digest that its tag has now."""
        reference = names.parse(name, where)
        if reference.digest:
            return reference
        note = self._note(reference.tagged)
        kept = _read(note)
        fresh = kept is not None and 0 <= time.time() - float(kept["at"]) < FRESH_S
        if kept is not None and fresh and not self._refresh:
            return reference.at(str(kept["digest"]))
        raw = self._inspect(("--raw",), reference.tagged, where).stdout
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        write_json(note, {"name": reference.tagged, "digest": digest, "at": time.time()})
        return reference.at(digest)

    def facts(self, reference: Reference, arch: str = "", where: Where | None = None) -> ImageFacts:
        """What a pinned image declares, for one architecture in Go's words (amd64, arm64)."""
        note = self._note(f"{reference.pinned} {arch}")
        config = None if self._refresh else _read(note)
        if config is None:
            override = ("--override-arch", arch, "--override-os", "linux") if arch else ()
            done = self._inspect(("--config",), reference.pinned, where, override)
            config = json.loads(done.stdout)
            write_json(note, config)
        return facts(config)

    def find(self, reference: Reference) -> str:
        """The digest that a tag has now, whatever was noted; "" where there is none to be seen."""
        try:
            raw = self._inspect(("--raw",), reference.tagged, None).stdout
        except InputError:
            return ""
        return f"sha256:{hashlib.sha256(raw).hexdigest()}"

    def alias(self, reference: Reference, tag: str) -> None:
        """Call a pinned image of the registry by one more tag."""
        named = f"{reference.repository}:{tag}"
        copy = ("copy", "--quiet", "--all", "--preserve-digests", f"docker://{reference.pinned}")
        done = run(Command((*_skopeo(), *copy, f"docker://{named}")), timeout_s=600.0)
        if done.returncode:
            raise _failure(named, done, None)

    def push(self, layout: Path, blobs: Path, reference: Reference) -> None:
        """Send an image of a layout to its registry, under its own digest."""
        argv = (
            *_skopeo(), "copy", "--quiet", "--preserve-digests",
            "--src-shared-blob-dir", str(blobs), f"oci:{layout}", f"docker://{reference.tagged}",
        )  # fmt: skip
        done = run(Command(argv), timeout_s=600.0)
        if done.returncode:
            raise _failure(reference.tagged, done, None)

    def _inspect(
        self, what: tuple[str, ...], name: str, where: Where | None, before: tuple[str, ...] = ()
    ) -> Completed:
        argv = (*_skopeo(), *before, "inspect", *what, f"docker://{name}")
        done = run(Command(argv), timeout_s=TIMEOUT_S)
        if done.returncode:
            raise _failure(name, done, where)
        return done

    def _note(self, text: str) -> Path:
        return self._folder / hashlib.sha256(f"{text}\0{_configuration()}".encode()).hexdigest()


def _configuration() -> str:
    """skopeo itself does not read this variable, which Podman and buildah do."""
    return os.environ.get("CONTAINERS_REGISTRIES_CONF", "")


def _skopeo() -> tuple[str, ...]:
    chosen = _configuration()
    return ("skopeo", "--registries-conf", chosen) if chosen else ("skopeo",)


def _failure(name: str, done: Completed, where: Where | None) -> TidegateError:
    words = done.complaint
    last = words.splitlines()[-1] if words else f"exit status {done.returncode}"
    lower = words.lower()
    if any(word in lower for word in UNKNOWN):
        return InputError(
            f"there is no image {name}",
            code="image-not-found",
            where=where,
            hint="look for a typing error in its name or tag",
        )
    if any(word in lower for word in DENIED):
        return InputError(
            f"the registry does not show us {name}: access denied, or no such image",
            code="image-denied",
            where=where,
            hint=f"tidegate registry login {name.partition('/')[0]}, or look for a typing error",
        )
    return InfrastructureError(
        f"the registry of {name} does not answer: {_short(last)}",
        code="registry",
        hint=f"try: skopeo inspect docker://{name}",
    )


def _short(line: str) -> str:
    """skopeo's own words without its log decoration."""
    _, _, told = line.partition('msg="')
    return told.rstrip('"') or line


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
