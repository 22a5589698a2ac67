"""Fully qualified image names, as Docker reads short ones.

``postgres:17`` is ``docker.io/library/postgres:17``: the first part is a registry only when it
holds a dot or a colon or is ``localhost`` (distribution/reference v0.6, normalize.go); without
a tag or digest the tag is ``latest``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tidegate.errors import InputError, Where

DEFAULT_REGISTRY = "docker.io"
OWN_REGISTRY = "tidegate.internal"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """``registry/path:tag@digest``; ``tag`` or ``digest`` may be empty, never both."""

    registry: str
    path: str
    tag: str
    digest: str

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.path}"

    @property
    def tagged(self) -> str:
        """Without the digest."""
        return f"{self.repository}:{self.tag}" if self.tag else self.repository

    @property
    def pinned(self) -> str:
        """By digest alone: what a release holds."""
        return f"{self.repository}@{self.digest}"

    def at(self, digest: str) -> Reference:
        """The same image at one digest."""
        return Reference(self.registry, self.path, self.tag, digest)


def parse(text: str, where: Where | None = None) -> Reference:
    """Qualify a name as people write it; ``InputError`` for what no registry would take."""
    rest, _, digest = text.partition("@")
    first, slash, others = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, remainder = first, others
    else:
        registry, remainder = DEFAULT_REGISTRY, rest
    path, _, tag = remainder.partition(":")
    if registry in ("docker.io", "index.docker.io"):
        registry, path = DEFAULT_REGISTRY, path if "/" in path else f"library/{path}"
    sound = (
        _REGISTRY.fullmatch(registry)
        and _PATH.fullmatch(path)
        and (not tag or _TAG.fullmatch(tag))
        and (not digest or _DIGEST.fullmatch(digest))
    )
    if not sound:
        raise InputError(
            f"{text!r} is not the name of an image",
            code="image-name",
            where=where,
            hint="names are lower case, like docker.io/library/postgres:17",
        )
    return Reference(registry, path, tag or ("" if digest else "latest"), digest)


def own(project: str, service: str, registry: str = "") -> Reference:
    """The name of an image that we build; without a registry it only ever moves over SSH.

    Docker Hub knows two levels only, so there it is ``docker.io/acme/shop-api``.
    """
    base = registry or OWN_REGISTRY
    host, _, prefix = base.partition("/")
    name = f"{project}-{service}" if host == DEFAULT_REGISTRY else f"{project}/{service}"
    path = f"{prefix}/{name}" if prefix else name
    return Reference(host, path.lower(), "", "")
